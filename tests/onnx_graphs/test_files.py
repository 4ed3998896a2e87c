"""Files of ONNX: weights beside them, what is hostile or damaged, the record of a conversion."""

import os
import struct
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from small_graphs import SAME, K, make, numpy_helper, onnx, weights

from ginjax.checkpoint import atomic_write
from ginjax.errors import ArgumentError, FileError, GinjaxError
from ginjax.onnx import (
    OnnxNetwork,
    _scan,
    check_onnx_target,
    convert_onnx,
    read_onnx,
    read_onnx_record,
    write_onnx,
)
from ginjax.state_dict import RECORD_KEY

NODES = [("Conv", "x k", "h", SAME), ("Conv", "h l", "y", {})]


@pytest.fixture
def model():
    return make(NODES, {"k": weights(16, 3, 5, 5), "l": weights(2, 16, 1, 1)})


def test_a_network_comes_back_as_it_was_written(model, tmp_path):
    write_onnx(tmp_path / "a.onnx", OnnxNetwork(model))
    assert read_onnx(tmp_path / "a.onnx").model == model
    with pytest.raises(FileError, match="exists"):
        write_onnx(tmp_path / "a.onnx", OnnxNetwork(model))


def test_weights_in_files_of_their_own_stay_there(model, tmp_path):
    onnx.save(model, tmp_path / "a.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    network = read_onnx(tmp_path / "a.onnx")
    assert network.external
    assert np.array_equal(numpy_helper.to_array(network.model.graph.initializer[0]), weights(16, 3, 5, 5))
    conversion = convert_onnx(network, 3)
    write_onnx(tmp_path / "b.onnx", conversion.after)
    assert (tmp_path / "b.onnx.data").stat().st_size >= 16 * 3 * 125 * 4
    again = read_onnx(tmp_path / "b.onnx")
    assert not read_onnx_record(again).is_stale(again)
    theirs = onnx.load(tmp_path / "b.onnx")  # as another program reads it
    assert theirs.graph.initializer[0].raw_data == conversion.after.model.graph.initializer[0].raw_data


def test_what_a_killed_conversion_left_beside_a_graph_is_replaced(model, tmp_path, monkeypatch):
    """By the same network only, and without `force`."""
    onnx.save(model, tmp_path / "a.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    network = read_onnx(tmp_path / "a.onnx")
    converted, target = convert_onnx(network, 3).after, tmp_path / "b.onnx"

    def dying(path, *args, **more):
        if path.suffix == ".onnx":
            raise KeyboardInterrupt
        atomic_write(path, *args, **more)

    with monkeypatch.context() as dies:
        dies.setattr("ginjax.onnx._write.atomic_write", dying)
        with pytest.raises(KeyboardInterrupt):
            write_onnx(target, converted)
    assert (tmp_path / "b.onnx.data").exists() and not target.exists()
    with pytest.raises(FileError, match="exists already"):
        write_onnx(target, convert_onnx(network, 3, "mean").after)
    write_onnx(target, converted)
    again = read_onnx(target)
    assert not read_onnx_record(again).is_stale(again)
    assert not list(tmp_path.glob(".*"))


def test_nothing_that_was_read_is_written_over(model, tmp_path):
    onnx.save(
        model, tmp_path / "a.onnx", save_as_external_data=True, location="b.onnx.data", size_threshold=0
    )
    network = read_onnx(tmp_path / "a.onnx")
    for name in ("a.onnx", "b.onnx", "c.safetensors"):
        with pytest.raises(ArgumentError, match="`output`"):
            check_onnx_target(tmp_path / name, network)
    check_onnx_target(tmp_path / "c.onnx", network)


@pytest.mark.parametrize(
    "place", ["../w.bin", "/etc/passwd", "a/../../w.bin", "", "link.bin", ".", "no.bin", "b\\..\\w"]
)
def test_weights_are_read_from_the_folder_of_the_model_only(model, tmp_path, place):
    folder = tmp_path / "here"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(b"secret" * 4000)
    os.symlink(tmp_path / "w.bin", folder / "link.bin")
    onnx.save(model, folder / "a.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    changed = onnx.load(folder / "a.onnx", load_external_data=False)
    changed.graph.initializer[0].external_data[0].value = place
    (folder / "a.onnx").write_bytes(changed.SerializeToString())
    with pytest.raises(FileError):
        read_onnx(folder / "a.onnx")


@pytest.mark.parametrize(
    ("key", "value"), [("offset", "-1"), ("offset", "9" * 30), ("length", "99999999"), ("length", "1e3")]
)
def test_weights_must_lie_within_their_file(model, tmp_path, key, value):
    onnx.save(model, tmp_path / "a.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    changed = onnx.load(tmp_path / "a.onnx", load_external_data=False)
    entry = next(each for each in changed.graph.initializer[0].external_data if each.key == key)
    entry.value = value
    (tmp_path / "a.onnx").write_bytes(changed.SerializeToString())
    with pytest.raises(FileError, match="'k'"):
        read_onnx(tmp_path / "a.onnx")


def nested(depth):
    """A graph within a graph within a graph."""
    content = b""
    for _ in range(depth):  # AttributeProto.g, NodeProto.attribute, GraphProto.node
        for key in (0x32, 0x2A, 0x0A):
            content = bytes([key]) + length(len(content)) + content
    return b"\x3a" + length(len(content)) + content


def length(number):
    made = b""
    while number > 127:
        made += bytes([number & 127 | 128])
        number >>= 7
    return made + bytes([number])


BAD = {
    "empty": b"",
    "text": b"no graph at all\n" * 9,
    "zeros": bytes(1000),
    "a bomb of nodes": b"\x3a" + length(40_000) + b"\x0a\x00" * 20_000,
    "graphs within graphs": nested(400),
    "longer than the file": b"\x3a\xff\xff\xff\x7f",
    "a number without end": b"\x08" + b"\xff" * 40,
    "a safetensors file": struct.pack("<Q", 2) + b"{}",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_graph_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.setattr(_scan, "MAX_PARTS", 10_000)
    (tmp_path / "a.onnx").write_bytes(BAD[name])
    with pytest.raises(FileError, match=r"a\.onnx"):
        read_onnx(tmp_path / "a.onnx")


def test_damaged_files_are_refused_or_read(model, tmp_path):
    content, rng = model.SerializeToString(), np.random.default_rng(0)
    ends = {"read": 0, "refused": 0}
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(len(damaged) // 20 if rng.integers(2) else len(damaged))] = rng.integers(256)
        (tmp_path / "a.onnx").write_bytes(damaged)
        try:
            convert_onnx(read_onnx(tmp_path / "a.onnx"), 3)
            ends["read"] += 1
        except GinjaxError:
            ends["refused"] += 1
    assert min(ends.values()) > 20


def test_the_same_conversion_gives_the_same_bytes(model, tmp_path):
    for name in ("a", "b"):
        write_onnx(tmp_path / name, convert_onnx(OnnxNetwork(model), 3).after)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_changed_graph_makes_its_certificate_stale(model):
    network = convert_onnx(OnnxNetwork(model), 3).after
    record = read_onnx_record(network)
    assert not record.is_stale(network)
    assert replace(record, certificate=replace(record.certificate, covers="weights")).is_stale(network)
    network.model.producer_name = "another"
    assert record.is_stale(network)


def test_a_changed_record_makes_its_certificate_stale(model):
    network = convert_onnx(OnnxNetwork(model), 3).after
    entry = next(each for each in network.model.metadata_props if each.key == RECORD_KEY)
    entry.value = entry.value.replace('"residual":0.0', '"residual":1e-9')
    assert read_onnx_record(network).is_stale(network)


def test_a_record_that_was_changed_by_hand_is_refused(model):
    network = convert_onnx(OnnxNetwork(model), 3).after
    entry = next(each for each in network.model.metadata_props if each.key == RECORD_KEY)
    sound = entry.value
    for damaged in (
        sound[:-1],
        sound.replace('"last":false', '"last":0'),
        sound.replace("zeros", "walls"),
        "[]",
    ):
        entry.value = damaged
        with pytest.raises(FileError, match="cannot be read"):
            read_onnx_record(network)


def test_a_conversion_loads_neither_jax_nor_torch(tmp_path):
    onnx.save(make(NODES, {"k": K, "l": weights(2, 4, 1, 1)}), tmp_path / "a.onnx")
    code = (
        "import sys; from ginjax_cli.main import main\n"
        f"sys.argv = ['ginjax', 'convert-d', {str(tmp_path / 'a.onnx')!r}, '--to-dim', '3', '-q']\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print([m for m in ('jax', 'torch') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
    assert (tmp_path / "a.3d.onnx").exists()


@pytest.mark.parametrize("change", ["bytes", "length", "negative", "type"])
def test_the_bytes_of_a_tensor_are_those_of_its_shape(model, tmp_path, change):
    tensor = model.graph.initializer[0]
    tensor.raw_data = numpy_helper.to_array(tensor).tobytes()
    if change == "bytes":
        tensor.raw_data += b"\0\0\0\0"
    elif change == "type":
        tensor.data_type = 0
    else:
        tensor.dims[0] = -tensor.dims[0] if change == "negative" else tensor.dims[0] + 1
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(
        FileError, match={"negative": "negative", "type": "got type 0"}.get(change, "by its shape")
    ):
        read_onnx(tmp_path / "net.onnx")
