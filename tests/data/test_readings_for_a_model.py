"""What is asked of arrays that are read for a model: its dimension and its fields are in the answers on offer."""

import re

import numpy as np
import pytest

from ginjax.checkpoint import DataContract, Field, axes_of
from ginjax.data import DataReading, open_data
from ginjax.errors import ArgumentError

DENSITY = Field("density", 0, 0)


def model(D, *fields):
    return DataContract(axes=axes_of((True,) * D), fields=fields or (DENSITY,))


@pytest.fixture
def stored(tmp_path):
    def store(*shape, name="data"):
        np.savez(tmp_path / "a.npz", **{name: np.random.default_rng(0).normal(size=shape)})
        return tmp_path / "a.npz"

    return store


def refusal(path, **said):
    with pytest.raises(ArgumentError) as caught:
        open_data(path, **said)
    return caught.value


def dimensions_offered(hint):
    return {
        len({"x", "y", "z"} & set(order.rpartition("=")[2].split(",")))
        for order in re.findall(r"`axes=\['([^']*)'\]`", hint)
    }


@pytest.mark.parametrize("D", [1, 2])
def test_only_readings_of_the_dimension_of_the_model_are_offered(stored, D):
    path = stored(6, 11, 64)
    error = refusal(path, like=model(D))
    assert "which axis of array 'data' (6 x 11 x 64) is time" in error.subject
    assert dimensions_offered(error.hint) == {D}
    assert dimensions_offered(refusal(path).hint) == {1, 2}  # control: without a model


def test_a_wrong_number_of_axes_is_answered_in_the_dimension_of_the_model(stored):
    path = stored(6, 11, 64)
    for axes in ("trajectory,time,x,y", "data=trajectory,time,x,y"):
        error = refusal(path, axes=axes, like=model(2))
        assert "got trajectory,time,x,y, 4 axes, expected " in error.problem
        assert dimensions_offered(error.hint) == {2}


def test_an_array_with_too_few_axes_says_both_numbers_and_the_way_out(stored):
    error = refusal(stored(6, 11, 64), like=model(3))
    assert error.problem.endswith(
        "array 'data' (6 x 11 x 64): got 3 axes, expected at least 4 for data in 3D, one of time and 3 of space, as the model "
        "takes it"
    )
    assert re.fullmatch(
        r"It may be data in (\d)D: .*\. A model for \1D is made by 'ginjax convert-d' with `to_dim=\1`\.",
        error.hint,
    )


def test_an_array_with_enough_axes_and_no_grid_is_refused_too(stored):
    error = refusal(stored(3, 3, 3, 64), like=model(2))
    assert "got no order of its axes that makes it so, expected a time series in 2D" in error.problem
    assert "It may be data in 1D" in error.hint


def test_an_array_beside_one_that_fits_is_not_asked_about(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", data=rng.normal(size=(6, 11, 16, 16)), line=rng.normal(size=(11, 16)))
    assert "order and parity of the fields" in refusal(tmp_path / "a.npz", like=model(2)).subject
    asked = refusal(tmp_path / "a.npz", like=model(2), fields=["density:0+=line"])
    assert "array 'line' (11 x 16): got 2 axes, expected at least 3" in asked.problem


def test_data_for_either_of_two_models_may_have_either_dimension(stored):
    """Such as those that a conversion is calibrated on."""
    reading = DataReading().for_model(model(1), (1, 2))
    with pytest.raises(ArgumentError) as caught:
        reading.open(stored(6, 11, 64))
    assert dimensions_offered(caught.value.hint) == {1, 2}


def test_fields_are_named_with_the_names_at_hand(stored):
    path = stored(6, 11, 16, 16)
    error = refusal(path, like=model(2))
    assert error.hint.startswith(
        "Name the fields, those of the model are `fields=['density:0+=data']`: 0 stands for a"
    )
    assert refusal(path).hint.startswith(
        "Name the fields, such as `fields=['data:0+']`: 0 stands for a scalar"
    )
    assert open_data(path, like=model(2), fields=["density:0+=data"]).schema[0].kind == "density:0+"


def test_several_fields_are_given_the_variables_that_are_left(tmp_path):
    rng = np.random.default_rng(0)
    scalars = {name: rng.normal(size=(6, 11, 16, 16)) for name in ("a", "pressure")}
    np.savez(tmp_path / "a.npz", **scalars)
    wanted = model(2, Field("pressure", 0, 0), DENSITY, Field("vorticity", 0, 1))
    hint = refusal(tmp_path / "a.npz", like=wanted).hint
    assert "`fields=['pressure:0+', 'density:0+=a', 'vorticity:0-=VARIABLE']`" in hint


def test_a_field_of_which_there_is_no_array_is_read_from_another(stored):
    error = refusal(stored(6, 11, 16, 16), fields=["density:0+"])
    assert "field 'density' from array 'density': got no such array, expected one of data" in error.problem
    assert error.hint == "A field is read from a variable of another name by `fields=['density:0+=data']`."
    near = refusal(stored(6, 11, 16, 16, name="densty"), fields=["density:0+"])
    assert near.hint.startswith("Did you mean 'densty'? A field is read") and "=densty']" in near.hint


def test_of_several_arrays_that_are_not_like_a_name_none_is_proposed(tmp_path):
    """The first may be a scalar where a vector is asked for."""
    np.savez(tmp_path / "a.npz", **{name: np.zeros((6, 11, 16, 16)) for name in ("rho", "p")})
    hint = refusal(tmp_path / "a.npz", fields=["velocity:1+"]).hint
    assert hint == "A field is read from a variable of another name by `fields=['velocity:1+=VARIABLE']`."
