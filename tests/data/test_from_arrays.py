"""A scientist's own arrays: what they say is what the source is, and what they do not say is asked for."""

import numpy as np
import pytest

from ginjax.data import from_arrays
from ginjax.errors import ArgumentError

RNG = np.random.default_rng(0)
U = RNG.standard_normal((3, 4, 6, 6, 2))
RHO = RNG.standard_normal((3, 4, 6, 6)).astype(np.float32)


def test_fields_constants_units_and_parities_are_those_given():
    source = from_arrays(
        {"velocity": U, "density": RHO, "vorticity": RHO},
        order={"velocity": 1, "force": 1},
        parity={"vorticity": "odd"},
        unit={"density": "kg/m^3"},
        constants={"height": RHO[:, 0], "force": U[0, 0]},
        periodic=(True, False),
        spacing=0.5,
        time_step=0.1,
        name="basin",
    )
    assert [each.kind for each in source.schema] == ["velocity:1+", "density:0+", "vorticity:0-"]
    assert [each.kind for each in source.constants] == ["height:0+", "force:1+"]
    assert [each.unit for each in source.schema] == ["unknown", "kg/m^3", "unknown"]
    assert (source.D, source.spatial, source.trajectories, source.frames) == (2, (6, 6), 3, 4)
    assert (source.spacing, source.time_step, source.is_torus) == (0.5, 0.1, (True, False))
    assert source.name == "basin"
    read = source.read(2, 1, 3)
    np.testing.assert_array_equal(read["velocity"], U[2, 1:3].astype(np.float32))
    assert read["density"].dtype == np.float32
    for trajectory in (0, 2):
        steady = source.read_constants(trajectory)
        np.testing.assert_array_equal(steady["height"], RHO[trajectory, 0])
        np.testing.assert_array_equal(steady["force"], U[0, 0].astype(np.float32))


def test_floating_arrays_are_not_copied():
    source = from_arrays({"density": RHO}, periodic=True)
    assert np.shares_memory(source.held["density"], RHO)


def test_whole_numbers_and_lists_are_numbers():
    source = from_arrays({"count": [[[1, 2, 3, 4]]]}, periodic=False)
    assert source.D == 1 and source.read(0, 0, 1)["count"].tolist() == [[1.0, 2.0, 3.0, 4.0]]


@pytest.mark.parametrize(
    ("shape", "order"),
    [((2, 3, 8, 8, 2), 1), ((2, 3, 8, 1), 1), ((2, 3, 8, 8, 8, 3), 1), ((2, 3, 8, 8, 2, 2), 2)],
)
def test_an_order_that_shapes_leave_open_is_asked_for(shape, order):
    values = np.ones(shape)
    with pytest.raises(ArgumentError, match="order of 'u', which was not named") as caught:
        from_arrays({"u": values}, periodic=True)
    assert f"order={{'u': {order}}} or order={{'u': 0}}" in str(caught.value)
    assert len(shape) - 2 - order == from_arrays({"u": values}, order={"u": order}, periodic=True).D
    assert len(shape) - 2 == from_arrays({"u": values}, order={"u": 0}, periodic=True).D


@pytest.mark.parametrize("shape", [(2, 3, 8, 8, 1), (2, 3, 8, 8, 3), (2, 3, 8, 3)])
def test_a_last_axis_as_short_as_components_is_asked_about(shape):
    """A channel axis, or a flow in 2D with three components: no grid is three points wide."""
    with pytest.raises(ArgumentError, match=r"whose last axis has \d values"):
        from_arrays({"u": np.ones(shape)}, periodic=True)
    assert len(shape) - 2 == from_arrays({"u": np.ones(shape)}, order={"u": 0}, periodic=True).D


@pytest.mark.parametrize("shape", [(2, 3, 8), (2, 3, 8, 8), (2, 3, 3), (2, 3, 8, 4), (2, 3, 3, 3, 4)])
def test_an_order_that_shapes_settle_need_not_be_named(shape):
    assert len(shape) - 2 == from_arrays({"u": np.ones(shape)}, periodic=True).D


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fields": {}}, "fields: got none"),
        ({"fields": {"u": RHO[0, 0]}}, r"axes of field 'u': got shape \(6, 6\)"),
        ({"fields": {"u": RHO[:, 0, 0]}}, r"axes of field 'u': got shape \(3, 6\)"),
        ({"fields": {"u": RHO}, "order": {"v": 1}}, "order of 'v': got no such array, expected u"),
        ({"fields": {"u": RHO}, "order": {"u": -1}}, "order of 'u': got -1"),
        ({"fields": {"u": RHO}, "order": {"u": 1}}, r"shape of field 'u', of order 1 in 1D"),
        ({"fields": {"u": RHO}, "parity": {"u": "left"}}, "parity of field 'u': got 'left'"),
        ({"fields": {"u": RHO * 1j}}, "values of 'u': got complex"),
        ({"fields": {"u": RHO.astype(str)}}, "values of 'u': got <U"),
        ({"fields": {"u": RHO, "v": U}, "order": {"v": 0}}, "dimension of the fields: got 2 for 'u', 3 for 'v'"),
        ({"fields": {"u": RHO, "v": RHO[:, :, :5]}}, r"shape of field 'v'.*got \(3, 4, 5, 6\)"),
        ({"fields": {"u": RHO[:0]}}, "no empty axis"),
        ({"fields": {"u": RHO}, "constants": {"u": RHO[:, 0]}}, "field 'u': got a field and a constant"),
        ({"fields": {"u": RHO}, "constants": {"c": RHO}}, r"shape of constant 'c'.*or \(6, 6\)"),
        ({"fields": {"u": RHO}, "spacing": 0.0}, "spacing: got 0"),
        ({"fields": {"u": RHO}, "time_step": -1.0}, "time_step: got -1"),
        ({"fields": {"u": RHO}, "periodic": (True, False, True)}, r"periodic: got \(True, False, True\)"),
        ({"fields": {"u": RHO}, "periodic": "no"}, "periodic: got 'no', expected True, False, or 2 of them"),
        ({"fields": {"u": RHO}, "periodic": None}, "periodic: got None"),
        ({"fields": RHO}, "fields: got ndarray, expected a mapping"),
        ({"fields": {"u": RHO}, "order": {"u": "scalar"}}, "order of 'u': got 'scalar'"),
        ({"fields": {"u": RHO}, "order": {"u": True}}, "order of 'u': got True"),
        ({"fields": {"u": [[[1.0], [1.0, 2.0]]]}}, "values of 'u': got lists of unequal length"),
        ({"fields": {"u": np.ma.masked_less(RHO, 0)}}, "values of 'u': got masked ones"),
        ({"fields": {"": RHO}}, "name of a field: got ''"),
        ({"fields": {1: RHO}}, "name of a field: got 1"),
        ({"fields": {"u": RHO}, "unit": {"u": 3}}, "unit of field 'u': got 3"),
        ({"fields": {"u": RHO}, "spacing": "0.1"}, "spacing: got '0.1'"),
        ({"fields": {"u": RHO}, "spacing": (0.1, 0.1)}, r"spacing: got \(0.1, 0.1\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(given, said):
    with pytest.raises(ArgumentError, match=said):
        from_arrays(**({"periodic": True} | given))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("constant", [False, True])
def test_values_that_no_network_can_be_shown_are_found(bad, constant):
    broken = RHO.astype(np.float64)
    broken[1, 2, 3, 4] = bad
    fields, constants = ({"u": RHO}, {"c": broken[:, 2]}) if constant else ({"u": broken}, None)
    at = r"value of 'c' at \(1, 3, 4\)" if constant else r"value of 'u' at \(1, 2, 3, 4\)"
    with pytest.raises(ArgumentError, match=at):
        from_arrays(fields, constants=constants, periodic=True)


def test_boundaries_have_to_be_said():
    with pytest.raises(TypeError, match="periodic"):
        from_arrays({"u": RHO})


def test_orders_of_numpy_are_whole_numbers():
    source = from_arrays({"velocity": U}, order={"velocity": np.int64(1)}, periodic=np.bool_(True))
    assert type(source.schema[0].k) is int and source.is_torus == (True, True)


def test_scalars_along_the_last_axis_in_1d_are_to_be_given_one_by_one():
    with pytest.raises(ArgumentError, match=r"order of 'u'.*order=\{'u': 0\}.*one by one"):
        from_arrays({"u": np.ones((6, 21, 64, 3))}, periodic=True)
