import json

import numpy as np
import pytest

from ginjax.checkpoint import read_banks, read_file, write_banks, write_file
from ginjax.errors import ArgumentError, FileError
from ginjax.filters import BankRecipe, make_bank

KEYS = [(0, 0), (0, 1), (1, 0)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "filters.safetensors"


@pytest.fixture
def banks():
    return [make_bank(D, BankRecipe(3), KEYS) for D in (1, 2)]


def test_round_trip(path, banks):
    write_banks(path, banks)
    assert read_banks(path) == {bank.D: bank for bank in banks}
    content = read_file(path, kind="filters")
    assert set(content.arrays) == {"d1.k0p0", "d1.k0p1", "d1.k1p0", "d2.k0p0", "d2.k1p0"}
    assert content.header["banks"]["2"]["blocks"]["k0p1"] == {"filters": 0, "identities": []}
    assert content.header["banks"]["2"]["blocks"]["k0p0"]["identities"] == ["centre", "(1)", "(1,1)"]


def test_banks_of_one_file_have_one_recipe(path, banks):
    with pytest.raises(ArgumentError, match="one recipe"):
        write_banks(path, [*banks, make_bank(3, BankRecipe(5), KEYS)])
    with pytest.raises(ArgumentError, match="one recipe"):
        write_banks(path, [])


def damaged(path, change):
    content = read_file(path)
    header = json.loads(json.dumps(content.header))
    arrays = {name: array.copy() for name, array in content.arrays.items()}
    change(header, arrays)
    write_file(path, arrays, header, force=True)


def set_recipe(**values):
    return lambda header, arrays: header["recipe"].update(values)


@pytest.mark.parametrize(
    "change",
    [
        lambda header, arrays: arrays["d2.k1p0"].__imul__(1.001),
        lambda header, arrays: arrays.update({"d2.k1p0": arrays["d2.k1p0"].astype(np.float32)}),
        lambda header, arrays: arrays.pop("d2.k1p0"),
        lambda header, arrays: arrays.update({"d9.k0p0": np.zeros(3)}),
        lambda header, arrays: arrays.update({"d2.k1p0": np.zeros((2, 3, 3))}),
        lambda header, arrays: header.pop("recipe"),
        lambda header, arrays: header["banks"].update({"x": {"blocks": {}}}),
        lambda header, arrays: header["banks"].update({"-1": {"blocks": {"k0p0": {}}}}),
        lambda header, arrays: header["banks"]["2"]["blocks"].update({"k0p7": {}}),
        lambda header, arrays: header["banks"]["2"]["blocks"].update({"__import__": {}}),
        lambda header, arrays: header["banks"].update({"2": 3}),
        set_recipe(side=5),
        set_recipe(side="3"),
        set_recipe(side=10**9),
        set_recipe(scaling="stencil"),
        set_recipe(code="import os"),
    ],
)
def test_files_that_do_not_hold_their_recipe(path, banks, change):
    write_banks(path, banks)
    damaged(path, lambda header, arrays: None)
    assert read_banks(path)  # the way of damaging does no harm by itself
    damaged(path, change)
    with pytest.raises(FileError, match=r"filters\.safetensors"):
        read_banks(path)
