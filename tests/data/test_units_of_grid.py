"""Units of length and time go from data into contracts, files and pictures, and are never mixed up."""

import json

import numpy as np
import pytest

from ginjax.checkpoint import DataContract, axes_of, check_contract
from ginjax.checkpoint._contract_json import contract_from_json, contract_to_json
from ginjax.data import from_arrays, open_data, write_well
from ginjax.errors import ArgumentError, FileError
from ginjax.ml import known_contract

KNOWN = {"length_unit": "km", "time_unit": "h"}


def source(**more):
    u = np.random.default_rng(0).normal(size=(2, 3, 6))
    return from_arrays({"u": u}, periodic=True, spacing=0.5, time_step=0.1, unit={"u": "m"}, **more)


def units(given):
    return given.contract.length_unit, given.contract.time_unit


def test_arrays_say_them_and_files_keep_them(tmp_path):
    assert units(source()) == (None, None)
    assert units(source(**KNOWN)) == ("km", "h")
    write_well(tmp_path / "u.h5", source(**KNOWN), name="u")
    write_well(tmp_path / "plain.h5", source(), name="u")
    assert units(open_data(tmp_path / "u.h5")) == ("km", "h")
    assert units(open_data(tmp_path / "plain.h5")) == (None, None)
    assert "spacing 0.5 km, time step 0.1 h" in repr(open_data(tmp_path / "u.h5"))
    assert open_data(tmp_path / "u.h5").in_words[1].startswith("spacing 0.5 km, time step 0.1 h;")
    assert "spacing 0.5, time step 0.1;" in repr(open_data(tmp_path / "plain.h5"))
    with pytest.raises(ArgumentError, match="length_unit"):
        source(length_unit=3)


def test_the_schema_of_an_npz_says_them(tmp_path):
    schema = {"dimension": 1, "spacing": 0.5, "fields": [{"name": "u", "order": 0}], **KNOWN}
    np.savez(tmp_path / "u.npz", u=np.zeros((2, 3, 6)), schema=json.dumps(schema))
    assert units(open_data(tmp_path / "u.npz")) == ("km", "h")
    np.savez(tmp_path / "u.npz", u=np.zeros((2, 3, 6)), schema=json.dumps(schema | {"time_unit": 3}))
    with pytest.raises(FileError, match="time_unit"):
        open_data(tmp_path / "u.npz")


def test_a_contract_without_units_has_the_bytes_it_always_had():
    bare = DataContract(axes_of((True,)), spacing=0.5)
    assert not {"length_unit", "time_unit"} & set(contract_to_json(bare))
    full = DataContract(axes_of((True,)), spacing=0.5, **KNOWN)
    assert contract_from_json(contract_to_json(full), "here") == full
    assert contract_from_json(contract_to_json(bare), "here") == bare


def test_data_in_another_unit_are_refused():
    model = source(**KNOWN).contract
    check_contract(model, source(**KNOWN).contract)
    check_contract(model, source().contract)  # which says nothing
    with pytest.raises(ArgumentError, match="unit of length of the data: got m, expected km"):
        check_contract(model, source(length_unit="m").contract)
    with pytest.raises(ArgumentError, match="unit of time of the data: got s, expected h"):
        check_contract(model, source(time_unit="s").contract)


def test_a_unit_goes_with_its_number():
    bare = DataContract(axes_of((True,)))
    assert bare.completed_by(source(**KNOWN).contract).length_unit == "km"
    other = DataContract(axes_of((True,)), spacing=0.25)  # in metres, perhaps
    found = other.completed_by(source(**KNOWN).contract)
    assert (found.spacing, found.length_unit, found.time_step, found.time_unit) == (0.25, None, 0.1, "h")


def test_pictures_know_what_the_model_knows():
    data = source()
    silent = from_arrays({"u": np.zeros((1, 2, 6))}, periodic=True)
    found = known_contract(silent, source(**KNOWN).contract)
    assert (found.spacing, found.length_unit, found.fields[0].unit_shown) == (0.5, "km", "m")
    assert known_contract(data, silent.contract).fields[0].unit_shown == "m"
