"""A file with any one bit turned over is refused."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import FIXTURES
from raw_files import with_checksum, write_raw

from ginjax.checkpoint import read_file, read_model, write_banks, write_file, write_model
from ginjax.errors import FileError
from ginjax.filters import BankRecipe, make_bank

ARRAYS = {
    "a": np.arange(3, dtype=np.float32),
    "b": np.array([True, False]),
    "c": np.zeros((0, 2)),
    "d": np.array(7, np.int8),
}


def model(path):
    record = read_model(FIXTURES / "schema_1" / "nameless_1d.safetensors")
    write_model(path, replace(record, provenance=({"step": "train", "error": 2.5e-7},)))


KINDS = {
    "model": model,
    "filters": lambda path: write_banks(path, [make_bank(D, BankRecipe(3), [(0, 0)]) for D in (1, 2)]),
    "data": lambda path: write_file(path, ARRAYS, {"kind": "data", "origin": {"seed": 0}}),
    "arrays": lambda path: write_file(path, ARRAYS, {"kind": "arrays"}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", [200, pytest.param(None, marks=pytest.mark.slow)])
def test_every_bit_matters(tmp_path, kind, bits):
    """A sample of them every day, all of them in a sweep."""
    path = tmp_path / "m"
    KINDS[kind](path)
    content = bytearray(path.read_bytes())
    before = read_file(path, kind=kind)  # the control
    every = 8 * len(content)
    chosen = range(every) if bits is None else np.random.default_rng(0).choice(every, bits, replace=False)
    unnoticed = []
    for place, bit in (divmod(int(which), 8) for which in chosen):
        content[place] ^= 1 << bit
        path.write_bytes(content)
        try:
            found = read_file(path, kind=kind)
        except FileError:
            pass
        else:
            unnoticed.append((chr(content[place] ^ (1 << bit)), chr(content[place])))
            assert found.header == before.header  # the same number in other letters: 2.5e-07, 2.5E-07
            assert {n: a.tobytes() for n, a in found.arrays.items()} == {
                n: a.tobytes() for n, a in before.arrays.items()
            }
        content[place] ^= 1 << bit
    assert unnoticed == ([("e", "E")] if kind == "model" and bits is None else [])
    path.write_bytes(content)
    assert read_file(path, kind=kind).header == before.header


@pytest.mark.parametrize("part", ["kind", "schema", "origin", "checksum", "array", "name", "dtype"])
def test_what_the_checksum_covers(tmp_path, part):
    header = with_checksum({"kind": "data", "schema": 2, "origin": {"seed": 0}}, ARRAYS)
    arrays = dict(ARRAYS)
    other = {"kind": "arrays", "schema": 1, "origin": {"seed": 1}, "checksum": "0" * 64}
    if part in other:
        header[part] = other[part]
    elif part == "name":
        arrays["e"] = arrays.pop("d")
    elif part == "dtype":
        arrays["a"] = arrays["a"].view(np.int32)
    else:
        arrays["a"] = arrays["a"] + 1
    path = tmp_path / "m"
    write_raw(path, header, arrays, renew=False)
    with pytest.raises(FileError, match="does not match its checksum") as caught:
        read_file(path)
    assert "fetch or write it again" in caught.value.hint


def test_a_missing_checksum_is_a_wrong_one(tmp_path):
    write_raw(tmp_path / "m", {"kind": "data", "schema": 2}, ARRAYS, renew=False)
    with pytest.raises(FileError, match="does not match its checksum"):
        read_file(tmp_path / "m")
    write_raw(tmp_path / "m", {"kind": "data", "schema": 2}, ARRAYS)
    assert read_file(tmp_path / "m").arrays["d"] == 7
    write_raw(tmp_path / "m", {"kind": "data", "schema": 1}, ARRAYS)  # the first version had none
    assert "checksum" not in read_file(tmp_path / "m").header
