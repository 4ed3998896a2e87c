"""Reading never trusts: files broken by hand and by chance."""

import json
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_files import with_checksum, write_raw

from ginjax.checkpoint import read_file, read_header, write_file
from ginjax.errors import FileError

SCHEMAS = (1, 2)
OWNS = {
    schema: json.dumps(
        {"ginjax": json.dumps(with_checksum({"kind": "model", "schema": schema}, {"a": np.zeros(2, "f4")}))}
    )
    for schema in SCHEMAS
}
"""Metadata of both versions. The second has the checksum of a file that holds `A`, and two zeros in it."""

OWN = OWNS[2]
A = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


def pack(header, data=b"\0" * 8, length=None):
    header = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def with_arrays(entries, data=b"\0" * 8):
    return pack('{"__metadata__":' + OWN + "," + entries + "}", data)


def with_metadata(metadata):
    return pack('{"__metadata__":' + metadata + "," + A + "}")


def with_own(text):
    return with_metadata(json.dumps({"ginjax": text}))


def entry(dtype='"F32"', shape="[2]", offsets="[0,8]", name="a"):
    return f'"{name}":{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}}}'


CORRUPT = {
    "empty": (b"", "the file is empty"),
    "seven bytes": (bytes(range(7)), "7 bytes, too few"),
    "absurd length": (pack("{}", length=2**63), "claims 9223372036854775808 bytes"),
    "length over the cap": (pack("{}", length=2**24 + 1), "more than 16777216"),
    "length past the end": (pack("{}", length=100), "the file ends after"),
    "no header": (pack("", b""), "not valid JSON"),
    "not UTF-8": (pack(b'{"\xff":1}'), "not valid UTF-8"),
    "not JSON": (pack('{"a":'), "not valid JSON"),
    "leading space": (pack(' {"__metadata__":' + OWN + "," + A + "}"), "not a JSON object"),
    "a list": (pack("[]"), "not a JSON object"),
    "array twice": (with_arrays(A + "," + A), "'a' occurs twice"),
    "field twice": (with_arrays('"a":{"dtype":"F32","dtype":"F32"}'), "'dtype' occurs twice"),
    "NaN": (with_arrays(entry(shape="[NaN]")), "NaN is not a JSON value"),
    "Infinity": (with_arrays(entry(shape="[-Infinity]")), "-Infinity is not a JSON value"),
    "infinite by size": (with_arrays(entry(shape="[1e999]")), "too large"),
    "nested deeply": (with_arrays(entry(shape="[" * 100_000 + "]" * 100_000)), "nested too deeply"),
    "half a surrogate": (with_arrays(entry(name="\\ud800")), "not valid UTF-8"),
    "entry not an object": (with_arrays('"a":3'), "not described by"),
    "entry without shape": (with_arrays('"a":{"dtype":"F32","data_offsets":[0,8]}'), "not described by"),
    "entry with more": (
        with_arrays('"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}'),
        "not described by",
    ),
    "unknown dtype": (with_arrays(entry(dtype='"F8_E4M3"')), "unknown dtype 'F8_E4M3'"),
    "complex": (with_arrays(entry(dtype='"C64"', shape="[1]")), "unknown dtype"),
    "dtype a list": (with_arrays(entry(dtype="[]")), "unknown dtype"),
    "shape a number": (with_arrays(entry(shape="2")), "impossible shape 2"),
    "negative side": (with_arrays(entry(shape="[-2]")), "impossible shape [-2]"),
    "two negative sides": (with_arrays(entry(shape="[-2,-1]")), "impossible shape"),
    "side a float": (with_arrays(entry(shape="[2.0]")), "impossible shape [2.0]"),
    "side a bool": (with_arrays(entry(shape="[2,true]")), "impossible shape"),
    "side absurd": (with_arrays(entry(shape="[" + "9" * 4000 + "]")), "impossible shape"),
    "side unprintable": (with_arrays(entry(shape="[" + "9" * 5000 + "]")), "cannot be read"),
    "rank": (with_arrays(entry(shape="[" + ",".join(["1"] * 16) + ",2]")), "17 axes, more than 16"),
    "overflow": (with_arrays(entry(shape="[4294967296,4294967296,2]")), "impossible shape"),
    "empty but overflowing": (
        with_arrays(entry(shape="[0,4294967296,4294967296]", offsets="[0,0]"), b""),
        "impossible shape",
    ),
    "offsets one": (with_arrays(entry(offsets="[8]")), "impossible offsets"),
    "offsets negative": (with_arrays(entry(offsets="[-8,0]")), "impossible offsets"),
    "offsets bool": (with_arrays(entry(offsets="[false,8]")), "impossible offsets"),
    "offsets swapped": (with_arrays(entry(offsets="[8,0]")), "before it starts"),
    "offsets past the end": (with_arrays(entry(shape="[3]", offsets="[0,12]")), "ends at byte 12"),
    "size mismatch": (with_arrays(entry(shape="[1]")), "takes 8 bytes, but F32 [1] needs 4"),
    "overlap": (
        with_arrays(A + "," + entry(name="b", offsets="[4,12]"), b"\0" * 12),
        "'b' overlaps the array before it",
    ),
    "gap": (with_arrays(A + "," + entry(name="b", offsets="[12,20]"), b"\0" * 20), "'b' leaves a gap"),
    "gap at the start": (with_arrays(entry(offsets="[4,12]"), b"\0" * 12), "'a' leaves a gap"),
    "trailing bytes": (with_arrays(A, b"\0" * 9), "1 bytes after the last array"),
    "boolean bytes": (with_arrays(entry('"BOOL"', "[8]"), b"\1\0\2" + b"\0" * 5), "other than 0 and 1"),
    "no metadata": (pack("{" + A + "}"), "no 'ginjax' entry"),
    "metadata null": (with_metadata("null"), "no 'ginjax' entry"),
    "metadata a list": (with_metadata("[1]"), "metadata is not a JSON object"),
    "foreign metadata": (with_metadata('{"format":"pt"}'), "no 'ginjax' entry"),
    "more metadata": (with_metadata(OWN[:-1] + ',"format":"np"}'), "unexpected metadata 'format'"),
    "own not a string": (with_metadata('{"ginjax":{}}'), "is not a string"),
    "own not JSON": (with_own("{"), "metadata 'ginjax' cannot be read"),
    "own twice": (with_own('{"kind":"model","kind":"data","schema":2}'), "'kind' occurs twice"),
    "own NaN": (with_own('{"kind":"model","schema":2,"x":NaN}'), "NaN"),
    "own nested": (with_own("[" * 100_000), "nested too deeply"),
    "own a list": (with_own("[]"), "is not a JSON object"),
    "no schema": (with_own('{"kind":"model"}'), "schema version is None"),
    "schema true": (with_own('{"kind":"model","schema":true}'), "schema version is True"),
    "schema newer": (with_own('{"kind":"model","schema":3}'), "schema version 3, but this ginjax reads"),
    "schema absurd": (with_own('{"kind":"model","schema":' + "9" * 4000 + "}"), "absurd size"),
    "kind unknown": (with_own('{"kind":"pickle","schema":2}'), "kind of file is 'pickle'"),
    "kind a list": (with_own('{"kind":[],"schema":2}'), "kind of file is []"),
    "wrong kind": (with_own('{"kind":"filters","schema":2}'), "is a file of filters: expected a model"),
}  # fmt: skip


def of_schema(content: bytes, schema: int) -> bytes:
    """A file of the table in either version: the first has no checksum that could refuse it."""
    changed = content.replace(OWN.encode(), OWNS[schema].encode())
    length = int.from_bytes(content[:8], "little")
    if changed == content or len(content) < 8 + length:
        return changed
    return struct.pack("<Q", length + len(changed) - len(content)) + changed[8:]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("name", CORRUPT)
def test_corruption_is_named(tmp_path, name, schema):
    content, message = CORRUPT[name]
    path = tmp_path / "broken.safetensors"
    path.write_bytes(of_schema(content, schema))
    with pytest.raises(FileError) as raised:
        read_file(path, kind="model")
    assert message in raised.value.problem
    assert raised.value.problem.startswith(str(path))
    assert raised.value.hint
    assert len(raised.value.problem) < 300 + len(str(path))
    assert "\n" not in raised.value.problem


def test_header_alone_is_checked_as_strictly(tmp_path):
    path = tmp_path / "broken.safetensors"
    only_in_the_data = {"boolean bytes"}
    for name in CORRUPT.keys() - only_in_the_data:
        path.write_bytes(CORRUPT[name][0])
        with pytest.raises(FileError):
            read_header(path, kind="model")


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_table_starts_from_a_sound_file(tmp_path, schema):
    path = tmp_path / "sound.safetensors"
    path.write_bytes(of_schema(with_arrays(A), schema))
    found = read_file(path, kind="model")
    assert found.arrays["a"].tolist() == [0, 0] and found.header["schema"] == schema
    path.write_bytes(of_schema(with_arrays(A), schema) + b"")
    assert read_header(path)[1]["a"] == ("float32", (2,))


def test_hints_say_what_to_do(tmp_path):
    path = tmp_path / "file.safetensors"
    for name, hint in {
        "schema newer": "install that version",
        "no metadata": "no model of ginjax",
        "empty": "truncated",
    }.items():
        path.write_bytes(CORRUPT[name][0])
        with pytest.raises(FileError) as raised:
            read_file(path)
        assert hint in raised.value.hint


def test_claimed_memory_is_not_touched(tmp_path):
    """A terabyte claimed by a header of a hundred bytes is refused before anything of the size is made."""
    path = tmp_path / "bomb.safetensors"
    path.write_bytes(with_arrays(entry(shape=f"[{2**38}]", offsets=f"[0,{2**40}]")))
    with pytest.raises(FileError, match="ends at byte"):
        read_file(path)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / "sound.safetensors"
    arrays = {
        "conv.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "mask": np.array([True, False]),
        "none": np.zeros((0, 3)),
        "step": np.array(7, dtype=np.int64),
    }
    write_file(path, arrays, {"kind": "model", "spec": {"depth": 3, "names": ["a", "b"]}})
    contents = {2: path.read_bytes()}
    write_raw(path, {"kind": "model", "schema": 1, "spec": {"depth": 3, "names": ["a", "b"]}}, arrays)
    return contents | {1: path.read_bytes()}, folder / "fuzzed.safetensors"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    schema=st.sampled_from(SCHEMAS),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    keep=st.one_of(st.none(), st.floats(0, 1)),
    extra=st.binary(max_size=4),
)
def test_random_damage_reads_back_or_is_refused(sound, schema, flips, keep, extra):
    content, path = bytearray(sound[0][schema]), sound[1]
    for place, value in flips:
        content[int(place * len(content))] = value
    if keep is not None:
        del content[int(keep * len(content)) :]
    path.write_bytes(bytes(content) + extra)
    try:
        found = read_file(path)
    except FileError:
        return
    # Whatever is accepted is a file like any other: it can be written and read again.
    again = path.with_name("again.safetensors")
    own = {name: value for name, value in found.header.items() if name not in ("schema", "checksum")}
    write_file(again, found.arrays, own, force=True)
    whole = with_checksum(own | {"schema": 2}, found.arrays)
    assert read_file(again).header == whole
    if schema == 2:  # a checksum lets nothing through but the file as it was
        path.write_bytes(sound[0][2])
        assert whole == read_file(path).header


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schema=st.sampled_from(SCHEMAS),
       raw=st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                        max_leaves=8))  # fmt: skip
def test_any_json_as_header_is_refused(sound, schema, raw):
    path = sound[1]
    path.write_bytes(pack(json.dumps({"__metadata__": json.loads(OWNS[schema]), "a": raw})))
    with pytest.raises(FileError):
        read_file(path)
