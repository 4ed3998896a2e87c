"""Files of networks of other libraries: read without trust, written the same way every time."""

import json
import pickle
import struct
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from other_networks import PATTERNS, write, write_shards
from safetensors import safe_open
from safetensors.numpy import load_file

from ginjax.checkpoint import read_tensor_shapes, read_tensors, write_tensors
from ginjax.errors import FileError, GinjaxError
from ginjax.state_dict import (
    DESCRIBE_LINES,
    RECORD_KEY,
    Description,
    StateDict,
    convert_state_dict,
    default_target,
    is_state_dict,
    read_modules,
    read_record,
    read_state_dict,
    write_state_dict,
)

OURS = Path(__file__).parents[2] / "fixtures" / "diffusion_1d.safetensors"


def test_the_library_of_that_name_reads_what_is_written_whatever_its_memory_layout(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "turned": rng.normal(size=(3, 4)).T,
        "every other": rng.normal(size=8)[::2],
        "spread": np.broadcast_to(np.float32(2), (2, 3)),
        "big endian": np.arange(3, dtype=">f4"),
        "number": np.array(5, np.int64),
        "empty": np.zeros((0, 3), np.float16),
        "flags": np.array([True, False]),
        "z.10": np.ones(1, np.uint8),
        "z.2": np.ones(3, np.uint8),
    }
    write_tensors(tmp_path / "a", arrays, {"format": "pt", "ä": "ü"})
    found = load_file(tmp_path / "a")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    with safe_open(tmp_path / "a", "np") as file:
        assert file.metadata() == {"format": "pt", "ä": "ü"}
    again, metadata = read_tensors(tmp_path / "a")
    assert metadata == {"format": "pt", "ä": "ü"}
    assert all(np.array_equal(again[name], array) for name, array in arrays.items())
    write_tensors(tmp_path / "b", dict(reversed(arrays.items())), {"ä": "ü", "format": "pt"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_types_that_numpy_does_not_know(tmp_path, dtype):
    array = np.arange(6).astype(getattr(ml_dtypes, dtype)).reshape(2, 3)
    write_tensors(tmp_path / "a", {"x": array}, {})
    found, metadata = read_tensors(tmp_path / "a")
    assert metadata == {} and found["x"].dtype == array.dtype
    assert found["x"].tobytes() == array.tobytes()
    with safe_open(tmp_path / "a", "np") as file:
        assert file.get_slice("x").get_shape() == [2, 3]


def pack(header, data=b"\0" * 8):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack("<Q", len(text)) + text + data


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
HOSTILE = {
    "metadata of numbers": (pack({"__metadata__": {"format": 1}, "a": ENTRY}), "not texts by name"),
    "metadata of a list": (pack({"__metadata__": [], "a": ENTRY}), "not texts by name"),
    "a type of six bits": (pack({"a": ENTRY | {"dtype": "F6_E2M3"}}), "unknown dtype"),
    "past the end": (pack({"a": ENTRY | {"data_offsets": [0, 16], "shape": [4]}}), "ends at byte 16"),
    "beside itself": (pack({"a": ENTRY | {"shape": [3]}}), "needs 12"),
    "twice": (pack(b'{"a":' + json.dumps(ENTRY).encode() + b',"a":' + json.dumps(ENTRY).encode() + b"}"), "twice"),
    "a hole": (pack({"a": ENTRY}, b"\0" * 12), "belong to nothing"),
    "no room": (struct.pack("<Q", 2**40) + b"{}", "claims"),
    "nothing": (b"", "empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_broken_files_are_refused_in_one_line(tmp_path, name):
    content, problem = HOSTILE[name]
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    for read in (read_tensors, read_tensor_shapes, read_state_dict):
        with pytest.raises(FileError, match=problem) as caught:
            read(path)
        assert "\n" not in str(caught.value)
    assert not is_state_dict(path)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_files_broken_by_chance_are_read_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("broken")
    source = folder / "a.safetensors"
    made = convert_state_dict(
        StateDict({"a.weight": np.ones((1, 1, 3), np.float32)}, {}, source), 2, "tile", Description(transposed=[], stride=[])
    )  # fmt: skip
    write_state_dict(source, made.after)
    content = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    source.write_bytes(
        content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    )
    try:
        state = read_state_dict(source)
        read_record(state)
    except GinjaxError:
        return


def test_what_holds_a_network_of_another_library(tmp_path):
    assert is_state_dict(write(tmp_path / "net.safetensors"))
    assert is_state_dict(tmp_path / "net.safetensors.index.json")
    assert not is_state_dict(OURS)
    assert not is_state_dict(tmp_path / "nothing")
    assert not is_state_dict(tmp_path)
    with pytest.raises(FileError, match="is a model of ginjax"):
        read_state_dict(OURS)


# --- several files under an index -------------------------------------------------------------------------------------


def test_several_files_are_cut_anew(tmp_path):
    index = write_shards(tmp_path)
    state = read_state_dict(index)
    found = convert_state_dict(state, 3, "tile", Description(**PATTERNS))
    target = default_target(index, 3)
    assert target.name == "net.3d.safetensors.index.json"
    write_state_dict(target, found.after)
    content = json.loads(target.read_text())
    files = sorted(set(content["weight_map"].values()))
    assert len(files) > 2
    assert max((tmp_path / each).stat().st_size for each in files) < 2 * state.shard_bytes + 20_000
    total = sum(array.nbytes for array in found.after.arrays.values())
    assert content["metadata"]["total_size"] == total
    merged = {name: load_file(tmp_path / file)[name] for name, file in content["weight_map"].items()}
    one = tmp_path / "one.safetensors"
    write_state_dict(one, found.after)
    for name, array in load_file(one).items():
        np.testing.assert_array_equal(merged[name], array)
    assert read_record(read_state_dict(target)) == read_record(found.after)
    with pytest.raises(FileError, match="exists already"):
        write_state_dict(target, found.after)


@pytest.mark.parametrize("killed", [1, 2])
def test_what_a_killed_conversion_left_of_several_files_is_replaced(tmp_path, monkeypatch, killed):
    """By the same network only, and without `force`."""
    found = convert_state_dict(read_state_dict(write_shards(tmp_path)), 3, "tile", Description(**PATTERNS))
    folder = tmp_path / "out"
    folder.mkdir()
    target = folder / "net.safetensors.index.json"
    written = []

    def dying(path, *args, **more):
        if len(written) == killed:
            raise KeyboardInterrupt
        written.append(path)
        write_tensors(path, *args, **more)

    with monkeypatch.context() as dies:
        dies.setattr("ginjax.state_dict._write.write_tensors", dying)
        with pytest.raises(KeyboardInterrupt):
            write_state_dict(target, found.after)
    assert not target.exists() and len(list(folder.glob("*.safetensors"))) == killed
    other = convert_state_dict(
        read_state_dict(tmp_path / "net.safetensors.index.json"), 3, "mean", Description(**PATTERNS)
    )
    with pytest.raises(FileError, match="exists already"):
        write_state_dict(target, other.after)
    write_state_dict(target, found.after)
    assert read_record(read_state_dict(target)) == read_record(found.after)
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda index: index["weight_map"].update({"up.weight": "../net-1.safetensors"}), "a file beside it"),
        (lambda index: index["weight_map"].update({"up.weight": ""}), "a file beside it"),
        (
            lambda index: index["weight_map"].update({"new.weight": "net-1.safetensors"}),
            "is not where it says",
        ),
        (lambda index: index["weight_map"].pop("up.weight"), "is not where it says"),
        (lambda index: index.update(weight_map=dict.fromkeys(index["weight_map"], "net-3")), "no such file"),
        (lambda index: index["weight_map"].clear(), "names 0 files"),
        (lambda index: index["weight_map"].update({"up.weight": 5}), "no text"),
        (lambda index: index.pop("weight_map"), "weight_map"),
        (lambda index: index.update({"weight_map": []}), "weight_map"),
    ],
)
def test_an_index_that_does_not_fit_its_files_is_refused(tmp_path, change, problem):
    path = write_shards(tmp_path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(FileError, match=problem):
        read_state_dict(path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"weight_map":{"a":"b","a":"c"}}', "\0", "[" * 10_000])
def test_an_index_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "a.index.json"
    path.write_text(text)
    with pytest.raises(FileError):
        read_state_dict(path)


# --- files of other programs ------------------------------------------------------------------------------------------


class Bomb:
    def __reduce__(self):
        return (open, (str(Bomb.path), "w"))


@pytest.mark.parametrize("kind", ["zip", "pickle"])
def test_a_pickle_is_recognised_and_never_opened(tmp_path, kind):
    Bomb.path = tmp_path / "went off"
    path = tmp_path / "net.pt"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("net/data.pkl", pickle.dumps(Bomb()))
    else:
        path.write_bytes(pickle.dumps(Bomb(), protocol=2))
    for read in (read_state_dict, is_state_dict):
        with pytest.raises(FileError, match="never opened") as caught:
            read(path)
        assert "torch.load('net.pt'" in caught.value.hint and "weights_only=True" in caught.value.hint
        assert "save_file" in caught.value.hint and "contiguous" in caught.value.hint
    assert not Bomb.path.exists()


def test_files_of_keras_are_answered(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as file:
        file.writestr("config.json", "{}")
        file.writestr("model.weights.h5", b"")
    (tmp_path / "net.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    for name in ("net.keras", "net.h5"):
        with pytest.raises(FileError, match="Keras") as caught:
            is_state_dict(tmp_path / name)
        assert f"load_model('{name}')" in caught.value.hint
    (tmp_path / "data.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n")
    np.savez(tmp_path / "data.npz", a=np.zeros(2))
    assert not is_state_dict(tmp_path / "data.hdf5") and not is_state_dict(tmp_path / "data.npz")


# --- the modules of a network -----------------------------------------------------------------------------------------


def test_the_printed_lines_write_what_is_read(tmp_path, monkeypatch):
    class Layer:
        def __init__(self, **settings):
            vars(self).update(settings)

    class Conv2d(Layer):
        pass

    class Net:
        def named_modules(self, remove_duplicate):
            assert not remove_duplicate
            conv = Conv2d(
                kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), padding_mode="zeros", size=Layer()
            )
            return [("", self), ("a", conv), ("b", conv)]

    monkeypatch.chdir(tmp_path)
    exec(DESCRIBE_LINES, {"model": Net()})
    net, a, b = read_modules("modules.json")
    assert (net.name, a.name, b.name) == ("", "a", "b")
    assert a.convolution == "Conv2d" and net.convolution is None
    assert a.settings["stride"] == [2, 2] and a.settings == b.settings
    assert len(DESCRIBE_LINES.splitlines()) <= 10


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"modules": {}}', '{"modules": [1]}', '{"modules": [{"name": "a"}]}',
     '{"modules": [{"name": 1, "kinds": [], "settings": {}}]}', '{"modules": [{"name": "a", "kinds": [2], "settings": {}}]}'],
)  # fmt: skip
def test_modules_that_are_none_are_refused(tmp_path, text):
    path = tmp_path / "modules.json"
    path.write_text(text)
    with pytest.raises(FileError):
        read_modules(path)


def test_a_record_that_was_changed_is_refused():
    state = StateDict({"a.weight": np.ones((1, 1, 3), np.float32)}, {}, "a")
    made = convert_state_dict(state, 2, "tile", Description(transposed=[], stride=[])).after
    text = made.metadata[RECORD_KEY]
    for old, new in (
        ('"place":2', '"place":9'),
        ('"taps":3', '"taps":0'),
        ('"schema":1', '"schema":7'),
        ('"holds":"always"', '"holds":1'),
    ):
        assert old in text
        broken = StateDict(made.arrays, {RECORD_KEY: text.replace(old, new)}, made.path)
        with pytest.raises(FileError):
            read_record(broken)
