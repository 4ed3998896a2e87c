"""`NAME=VARIABLE`: a field of a file under another name."""

import json

import numpy as np
import pytest
from data.layouts import numbers

from ginjax.checkpoint import DataContract, Reading, axes_of
from ginjax.data import Field, open_data
from ginjax.data._unknown_variable import unknown_variable
from ginjax.errors import ArgumentError

P, V, W = Field("pressure", 0, 0), Field("velocity", 1, 0), Field("vorticity", 0, 1)
ARRAYS = {"rho": numbers(3, 5, 4, 6), "p": numbers(3, 5, 4, 6) + 1, "u": numbers(3, 5, 4, 6, 2)}
SCHEMA = {
    "dimension": 2,
    "periodic": [True, True],
    "fields": [
        {"name": "rho", "order": 0},
        {"name": "p", "order": 0, "unit": "Pa"},
        {"name": "u", "order": 1},
    ],
}


@pytest.fixture
def described(tmp_path):
    np.savez(tmp_path / "a.npz", schema=json.dumps(SCHEMA), **ARRAYS)
    return tmp_path / "a.npz"


def model(*fields, reading=None):
    return DataContract(axes_of((True, True)), fields, reading=reading)


def kinds(source):
    return [each.kind for each in (*source.schema, *source.constants)]


def test_all_other_fields_stay(described):
    source = open_data(described, fields=["pressure=p", "velocity=u"])
    assert kinds(source) == ["rho:0+", "pressure:0+", "velocity:1+"]
    assert source.schema[1].unit == "Pa"
    np.testing.assert_array_equal(source.read(0, 0, 5)["pressure"], ARRAYS["p"][0])
    assert source.contract.reading == Reading("npz", ("pressure=p", "velocity=u"))


def test_beside_fields_that_are_named_in_full_the_rest_is_left_out(described):
    assert kinds(open_data(described, fields=["density:0+=rho", "velocity=u"])) == [
        "density:0+",
        "velocity:1+",
    ]
    with pytest.raises(ArgumentError, match="'p' more than once"):
        open_data(described, fields=["p:0+", "p=rho"])


def test_a_model_says_what_field_it_is(tmp_path, described):
    assert kinds(open_data(described, fields=["vorticity=p"], like=model(W)))[1] == "vorticity:0-"
    schema = {**SCHEMA, "fields": [{"name": name, "order": 0} for name in ("rho", "ux", "uy")]}
    apart = {"rho": ARRAYS["rho"], "ux": ARRAYS["u"][..., 0], "uy": ARRAYS["u"][..., 1]}
    np.savez(tmp_path / "b.npz", schema=json.dumps(schema), **apart)
    source = open_data(tmp_path / "b.npz", fields=["velocity=ux,uy"], like=model(V))
    assert kinds(source) == ["rho:0+", "velocity:1+"]
    np.testing.assert_array_equal(source.read(1, 2, 4)["velocity"], ARRAYS["u"][1, 2:4])
    with pytest.raises(
        ArgumentError, match=r"field 'velocity=ux,uy': got variables that are no field by .*1.=ux,uy"
    ):
        open_data(tmp_path / "b.npz", fields=["velocity=ux,uy"])


def test_what_a_model_keeps_of_its_files_stays_said(tmp_path):
    np.savez(tmp_path / "bare.npz", a=ARRAYS["rho"], b=ARRAYS["p"])
    reading = Reading("npz", ("density:0+=a", "pressure:0+=q"))
    contract = model(Field("density", 0, 0), P, reading=reading)
    source = open_data(
        tmp_path / "bare.npz", fields=["pressure=b"], like=contract, axes="trajectory,time,x,y"
    )
    assert kinds(source) == ["density:0+", "pressure:0+"]
    np.testing.assert_array_equal(source.read(0, 0, 5)["pressure"], ARRAYS["p"][0])
    assert source.contract.reading.fields == ("density:0+=a", "pressure:0+=b")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("pressure=q", "field 'pressure=q': got no variable 'q' in the file, expected one of rho, p, u"),
        ("pressure=", "field 'pressure=': expected NAME:ORDER"),
        ("pressure=p,", "separated by single commas"),
        ("velocity=p", "variables of field 'velocity': got p of order 0, expected one of order 1"),
    ],
)
def test_what_cannot_be_meant(described, said, message):
    with pytest.raises(ArgumentError, match=message):
        open_data(described, fields=[said], like=model(V))


@pytest.mark.parametrize(
    ("text", "known", "hint"),
    [
        ("rho", ("flow/rho", "flow/u"), "Did you mean 'flow/rho'?"),
        ("flow/rhoo", ("flow/rho", "flow/u"), "Did you mean 'flow/rho'?"),
        ("rho", ("a/rho", "b/rho", "c"), "Did you mean 'a/rho' or 'b/rho'?"),
        (
            "rho",
            ("rho.0", "rho.1", "rho.10", "u"),
            "An axis of length 3 of 'rho' was read as that of its components.",
        ),
        ("rho", ("velocity",), None),
        ("rho", (), None),
    ],
)
def test_a_variable_that_is_not_there_is_refused_with_what_was_meant(text, known, hint):
    error = unknown_variable("field 'density'", None, text, known)
    assert error.hint is hint is None or error.hint.startswith(hint)


def test_an_axis_of_space_that_was_left_to_the_components(tmp_path):
    np.savez(tmp_path / "b.npz", rho=numbers(5, 8, 8, 8))
    for field in ("density=rho", "density:0+=rho"):
        with pytest.raises(ArgumentError, match=r"one of rho.0, .*An axis of length 8 of 'rho' was read as"):
            open_data(tmp_path / "b.npz", axes="time,x,y,component", fields=[field])
