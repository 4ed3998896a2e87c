"""Which axis is which: as said, as the arrays make sure, or asked for with the likely readings."""

import h5py
import numpy as np
import pytest
from data.layouts import arena, by_seed, incompressible, numbers, well_file

from ginjax.checkpoint import contract_from_json, contract_to_json
from ginjax.data import AxisOrder, from_arrays, open_data
from ginjax.errors import ArgumentError, FileError

KNOWN = numbers(3, 5, 6, 7, 2)  # trajectory, time, x, y, component
LETTERS = dict(zip("ntxyc", ("trajectory", "time", "x", "y", "component"), strict=True))


def stored(path, order, array=KNOWN, **more):
    """An array of known axes, written in another order of them."""
    names = "ntxyc" if array is KNOWN else "ntxy"
    moved = np.ascontiguousarray(array.transpose([names.index(letter) for letter in order]))
    np.savez(path, u=moved, **more)
    return path, ",".join(LETTERS[letter] for letter in order)


@pytest.mark.parametrize("order", ["ntxyc", "cxynt", "nxyct", "tyxcn", "ytcnx"])
@pytest.mark.parametrize("start", [0, 2])
def test_axes_in_any_order_give_the_same_values(tmp_path, order, start):
    path, axes = stored(tmp_path / "a.npz", order)
    source = open_data(path, fields=["u:1+"], axes=axes)
    assert (source.trajectories, source.frames, source.spatial, source.D) == (3, 5, (6, 7), 2)
    np.testing.assert_array_equal(source.read(1, start, 5)["u"], KNOWN[1, start:])
    given = from_arrays({"u": np.load(path)["u"]}, periodic=True, axes=axes)
    np.testing.assert_array_equal(given.read(1, start, 5)["u"], KNOWN[1, start:])
    # the control: in another order the numbers are others
    other = "trajectory,time,y,x,component"
    assert axes == other or order != "ntxyc" or open_data(path, fields=["u:1+"], axes=other).spatial == (7, 6)


def test_what_differs_by_array_is_said_by_array(tmp_path):
    p = KNOWN[..., 0]
    np.savez(tmp_path / "a.npz", u=KNOWN, p=p.transpose(2, 3, 1, 0), nu=p[:, 0])
    axes = ["trajectory,time,x,y,component", "p=x,y,time,trajectory", "nu=trajectory,x,y"]
    source = open_data(tmp_path / "a.npz", axes=axes)
    assert [each.kind for each in source.schema] == ["u:1+", "p:0+"]
    assert [each.kind for each in source.constants] == ["nu:0+"]
    np.testing.assert_array_equal(source.read(2, 1, 3)["p"], p[2, 1:3])
    np.testing.assert_array_equal(source.read_constants(2)["nu"], p[2, 0])
    assert "taken as even" in source.notes[0]
    assert (
        "(axes u=trajectory,time,x,y,component; p=x,y,time,trajectory; nu=trajectory,x,y)"
        in source.in_words[0]
    )


def test_scalars_have_no_component_under_axes_for_all(tmp_path):
    np.savez(tmp_path / "a.npz", u=KNOWN, p=KNOWN[..., 0])
    source = open_data(tmp_path / "a.npz", axes="trajectory,time,x,y,component")
    assert [each.kind for each in source.schema] == ["u:1+", "p:0+"]


def test_one_simulation_has_no_axis_of_trajectories(tmp_path):
    np.save(tmp_path / "a.npy", KNOWN[0, ..., 0])
    source = open_data(tmp_path / "a.npy", axes="time,x,y")
    assert (source.trajectories, source.frames, source.spatial) == (1, 5, (6, 7))
    np.testing.assert_array_equal(source.read(0, 2, 4)["data"], KNOWN[0, 2:4, ..., 0])
    given = from_arrays({"data": KNOWN[0, ..., 0]}, periodic=True, axes="time,x,y")
    np.testing.assert_array_equal(given.read(0, 2, 4)["data"], KNOWN[0, 2:4, ..., 0])


def test_one_file_for_each_simulation(tmp_path):
    for i, run in enumerate(KNOWN):
        np.save(tmp_path / f"{i}.npy", run[..., 1])
    source = open_data(tmp_path, axes="time,x,y")
    assert (source.trajectories, source.frames, source.spatial) == (3, 5, (6, 7))
    np.testing.assert_array_equal(source.read(2, 0, 5)["data"], KNOWN[2, ..., 1])


def test_channels_that_are_no_vector_are_scalars(tmp_path):
    flow = numbers(3, 5, 6, 6, 4)
    np.save(tmp_path / "a.npy", flow)
    source = open_data(
        tmp_path / "a.npy",
        fields=["velocity:1+=data.1,data.2", "rho:0+=data.0"],
        axes="trajectory,time,x,y,component",
    )
    np.testing.assert_array_equal(source.read(1, 0, 2)["velocity"], flow[1, :2, ..., 1:3])
    np.testing.assert_array_equal(source.read(1, 0, 2)["rho"], flow[1, :2, ..., 0])


ASKED = {
    "channel first in 1D": ((6, 11, 1, 64), "trajectory,time,component,x", "6 trajectories of 11 frames on 64 points"),
    "time last": ((7, 32, 32, 10), "trajectory,x,y,time", "7 trajectories of 10 frames on 32x32 points, a scalar"),
    "one run": ((10, 48, 48), "time,x,y", "1 trajectory of 10 frames on 48x48 points, a scalar"),
    "one run of a vector": ((21, 32, 32, 2), "time,x,y,component", "1 trajectory of 21 frames on 32x32 points, a vector"),
    "a vector": ((3, 21, 16, 16, 2), "trajectory,time,x,y,component", "3 trajectories of 21 frames on 16x16 points, a vector"),
    "square or cube": ((5, 20, 20, 20), "trajectory,time,x,y", "5 trajectories of 20 frames on 20x20 points"),
    "one run on a rectangle": ((40, 20, 64), "time,x,y", "1 trajectory of 40 frames on 20x64 points, a scalar"),
    "trajectories in 1D": ((20, 11, 64), "trajectory,time,x", "20 trajectories of 11 frames on 64 points"),
    "one run with three points": ((50, 3, 64), "trajectory,time,x", "50 trajectories of 3 frames on 64 points"),
    "more frames than points": ((6, 200, 64), "trajectory,time,x", "6 trajectories of 200 frames on 64 points"),
}  # fmt: skip


@pytest.mark.parametrize("case", ASKED)
@pytest.mark.parametrize("fields", [[], ["u:0+=data"]])
def test_what_fits_two_readings_is_asked_for(tmp_path, case, fields):
    shape, axes, words = ASKED[case]
    np.save(tmp_path / "a.npy", np.ones(shape, np.float32))
    with pytest.raises(ArgumentError, match="which axis of array 'data'") as caught:
        open_data(tmp_path / "a.npy", fields=fields)
    assert f"`axes=['{axes}']` ({words}" in str(caught.value)
    assert "write y,x where y is stored first" in str(caught.value)
    assert open_data(tmp_path / "a.npy", axes=axes).read_as == {"data": axes}
    assert any("which axis" in note for note in open_data(tmp_path / "a.npy", fields=fields, ask=False).notes)


@pytest.mark.parametrize(
    "case", ["channel first in 1D", "time last", "one run", "one run of a vector", "square or cube"]
)
def test_arrays_in_memory_are_asked_about_too(case):
    shape, axes, words = ASKED[case]
    with pytest.raises(ArgumentError) as caught:
        from_arrays({"u": np.ones(shape, np.float32)}, periodic=True)
    assert f"axes='{axes}' ({words}" in str(caught.value)
    frames = shape[axes.split(",").index("time")]
    assert from_arrays({"u": np.ones(shape)}, periodic=True, axes=axes).frames == frames


@pytest.mark.parametrize("shape", [(20, 11, 16, 16), (8, 20, 12, 12, 12), (2, 3, 4, 4)])
def test_what_fits_one_reading_goes_on_without_a_question(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.ones(shape, np.float32))
    source = open_data(tmp_path / "a.npy", fields=["u:0+=data"])
    assert (source.trajectories, source.frames, source.spatial) == (shape[0], shape[1], shape[2:])
    from_arrays({"u": np.ones(shape, np.float32)}, periodic=True)


def test_axes_for_all_hold_for_constants_in_memory(tmp_path):
    fields, height, slope = KNOWN[..., 0].transpose(0, 2, 3, 1), KNOWN[:, 0, ..., 1], KNOWN[0, 0]
    source = from_arrays(
        {"u": fields.swapaxes(1, 2)},
        constants={"height": height.swapaxes(1, 2), "slope": slope.swapaxes(0, 1), "depth": height[0].T},
        order={"slope": 1},
        periodic=True,
        axes={"": "trajectory,y,x,time", "slope": "y,x,component"},
    )
    assert source.spatial == (6, 7)
    np.testing.assert_array_equal(source.read(1, 0, 5)["u"], KNOWN[1, ..., 0])
    steady = source.read_constants(2)
    np.testing.assert_array_equal(steady["height"], height[2])
    np.testing.assert_array_equal(steady["slope"], slope)
    np.testing.assert_array_equal(steady["depth"], height[0])


@pytest.mark.parametrize(
    ("shape", "axes", "problem"),
    [
        ((5, 10, 32, 32), "trajectory,x,y,z", "without an axis of time, expected time"),
        (
            (5, 10, 12),
            {"u": "trajectory,time,x", "m": "trajectory,time,x"},
            "with an axis of time, expected none",
        ),
        (
            (5, 10, 12),
            {"u": "trajectory,time,x", "m": "x,y,z"},
            "axes of 'm': got x,y,z, 3 of space, expected 1",
        ),
        (
            (5, 10, 12, 12, 2),
            "trajectory,time,x,y,component",
            "axes of 'm': got x,y,component or trajectory,x,y",
        ),
    ],
)
def test_axes_in_memory_that_contradict_fields_and_constants(shape, axes, problem):
    with pytest.raises(ArgumentError, match=problem):
        from_arrays({"u": np.ones(shape)}, constants={"m": np.ones((5, 7, 32))}, periodic=True, axes=axes)


def test_naming_the_axes_of_one_array_leaves_the_others_in_question():
    with pytest.raises(ArgumentError, match="axes of 'v', which were not named"):
        from_arrays(
            {"u": np.ones((10, 12, 12)), "v": np.ones((10, 12, 12))},
            periodic=True,
            axes={"u": "trajectory,time,x"},
        )


@pytest.mark.parametrize(
    ("axes", "problem"),
    [
        ("trajectory,time", "expected trajectory, time, x, y, z and component"),
        ("trajectory,time,y", "In 2D the axes of space are x and y"),
        ("trajectory,time,x,x", "expected trajectory"),
        ("sample,time,x", "expected trajectory"),
        ("", "expected trajectory"),
        ("time,x," + ",".join(["component"] * 5), "expected trajectory"),
        (["time,x", "trajectory,time,x"], "two orders for all arrays"),
        (["u=time,x", "u=time,x"], "two orders for array 'u'"),
        ("trajectory,time,x", "got trajectory,time,x, 3 axes, expected 4"),
        ({"v": "time,x,y"}, "`axes` of array 'v': got no such array, expected one of u"),
    ],
)
def test_axes_that_make_no_sense(tmp_path, axes, problem):
    np.savez(tmp_path / "a.npz", u=np.ones((3, 5, 6, 6)))
    with pytest.raises(ArgumentError, match=problem):
        open_data(tmp_path / "a.npz", fields=["u:0+"], axes=axes)


def test_arrays_of_one_file_lie_on_one_grid(tmp_path):
    np.savez(tmp_path / "a.npz", u=np.ones((3, 5, 6, 6)), v=np.ones((3, 5, 7, 7)))
    with pytest.raises(FileError, match="array 'v': got 3 trajectories of 5 frames on 7x7 points, a scalar"):
        open_data(tmp_path / "a.npz", fields=["u:0+", "v:0+"])
    assert open_data(tmp_path / "a.npz", fields=["v:0+"]).spatial == (7, 7)


def test_the_order_is_in_the_contract_and_holds_for_files_of_the_same_kind(tmp_path):
    path, axes = stored(tmp_path / "a.npz", "cxynt")
    contract = open_data(path, fields=["flow:1-=u"], axes=axes, is_torus=[True, False]).contract
    assert contract.layout == {"u": axes} and contract.reading.fields == ("flow:1-=u",)
    assert contract_from_json(contract_to_json(contract), "x") == contract
    other, _ = stored(tmp_path / "b.npz", "cxynt", more=np.ones(3))
    again = open_data(other, like=contract)
    assert again.contract.layout == {"u": axes} and again.is_torus == (True, False)
    assert [each.kind for each in again.schema] == ["flow:1-"]
    np.testing.assert_array_equal(again.read(1, 0, 5)["flow"], KNOWN[1])
    # what is said wins over what was said; a file of another kind, or with other arrays, is read by itself
    assert open_data(other, like=contract, is_torus=False).is_torus == (False, False)
    np.savez(tmp_path / "c.npz", w=KNOWN)
    with pytest.raises(ArgumentError, match=r"field .flow. from variable .u.|`axes` of array .u."):
        open_data(tmp_path / "c.npz", like=contract)


def test_orders_say_what_they_are():
    order = AxisOrder(("time", "y", "x", "component"))
    assert (order.D, order.k, order.varies, order.text) == (2, 1, True, "time,y,x,component")
    assert order.spatial((4, 5, 6, 2)) == (6, 5) and order.size("trajectory", (4, 5, 6, 2)) == 1
    assert AxisOrder.usual(3, 2).text == "trajectory,time,x,y,z,component,component"


# --- what files state -------------------------------------------------------------------------------------------------


def flat(path, arrays, coordinates=(), labels=None, scales=False):
    """Arrays and points of a flat HDF5 file; axes named by labels, or by scales attached to them."""
    with h5py.File(path, "w") as f:
        for name, values in arrays.items():
            f[name] = values
        for name, values in dict(coordinates).items():
            f[name] = values
        for name in arrays if labels else ():
            for axis, label in enumerate(labels):
                if scales and label:
                    if label not in f:
                        f[label] = np.arange(f[name].shape[axis], dtype=float)
                        f[label].make_scale(label)
                    f[name].dims[axis].attach_scale(f[label])
                else:
                    f[name].dims[axis].label = label
    return path


def test_lengths_of_coordinates_say_which_axis_is_which(tmp_path):
    values = numbers(4, 32, 9)
    points = {"x-coordinate": np.arange(32) * 0.5, "t-coordinate": np.arange(9) * 0.1}
    source = open_data(flat(tmp_path / "a", {"tensor": values}, points), fields=["u:0+=tensor"])
    assert (source.trajectories, source.frames, source.spatial) == (4, 9, (32,))
    assert (source.spacing, source.time_step) == (0.5, pytest.approx(0.1))
    np.testing.assert_array_equal(source.read(2, 3, 5)["u"], values[2].T[3:5])


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        (
            {"x-coordinate": np.arange(33.0)},
            "axis of x of 'tensor': got 9, expected 33, the number of points",
        ),
        (
            {"x-coordinate": np.arange(9.0), "t-coordinate": np.arange(20.0)},
            "axis of time of 'tensor': got 32, expected 20, the number of points",
        ),
    ],
)
def test_coordinates_that_contradict_the_array_are_refused_with_both_numbers(tmp_path, points, problem):
    with pytest.raises(FileError, match=problem) as caught:
        open_data(flat(tmp_path / "a", {"tensor": numbers(4, 32, 9)}, points), fields=["u:0+=tensor"])
    assert "`axes`" in str(caught.value)


def test_many_points_are_not_taken_for_channels(tmp_path):
    path = flat(tmp_path / "a", {"tensor": np.ones((2, 3, 8, 100))}, {"x-coordinate": np.arange(8.0)})
    with pytest.raises(FileError, match="whose last axis of 100 would be channels"):
        open_data(path)
    assert open_data(path, axes="trajectory,time,x,y").spatial == (8, 100)


@pytest.mark.parametrize(
    ("shape", "coordinates"),
    [
        ((5, 32, 32, 10), ()),
        ((6, 11, 1, 64), ()),
        ((4, 10, 16, 16, 2), ()),
        ((10, 32, 32), ()),
        ((50, 32, 32), ()),
        ((3, 16, 16), ("x",)),  # as many points as frames
    ],
)
def test_an_array_in_hdf5_is_asked_about_as_one_in_numpy(tmp_path, shape, coordinates):
    points = {f"{axis}-coordinate": np.arange(16.0) for axis in coordinates}
    path = flat(tmp_path / "a", {"tensor": np.ones(shape, np.float32)}, points)
    with pytest.raises(ArgumentError, match="which axis of array 'tensor'") as caught:
        open_data(path, fields=["u:0+=tensor"])
    assert "`axes=['" in str(caught.value)
    first = str(caught.value).split("`axes=['")[1].split("'")[0]
    assert open_data(path, axes=first, ask=False).read_as == {"tensor": first}


def test_an_order_that_the_shape_makes_sure_is_kept_in_the_contract(tmp_path):
    source = open_data(flat(tmp_path / "a", {"tensor": np.ones((20, 11, 16, 16), np.float32)}))
    assert source.contract.layout == {"tensor": "trajectory,time,x,y"}


@pytest.mark.parametrize(
    ("points", "axes", "problem"),
    [
        (
            {"x-coordinate": np.arange(9.0)},
            "trajectory,time,x,y",
            "axis of x of 'tensor': got 16, expected 9",
        ),
        (
            {"t-coordinate": np.arange(9.0)},
            "trajectory,time,x,y",
            "axis of time of 'tensor': got 5, expected 9",
        ),
        (
            {"y-coordinate": np.arange(9.0)},
            "trajectory,time,component,x",
            "axis of y of 'tensor': got 1, expected 9",
        ),
    ],
)
def test_axes_that_were_said_are_compared_with_the_coordinates(tmp_path, points, axes, problem):
    path = flat(tmp_path / "a", {"tensor": np.ones((4, 5, 16, 24))}, points)
    with pytest.raises(FileError, match=problem):
        open_data(path, axes=axes)
    assert (
        open_data(flat(tmp_path / "b", {"tensor": np.ones((4, 5, 16, 24))}), axes=axes, ask=False).frames == 5
    )


@pytest.mark.parametrize("name", ["sim", "case", "seed", "n", "whatever"])
def test_a_name_in_front_that_is_not_known_is_known_by_its_place(tmp_path, name):
    values = numbers(4, 10, 16, 24)
    source = open_data(flat(tmp_path / "a", {"tensor": values}, labels=(name, "t", "y", "x")))
    assert (source.spatial, source.frames, source.trajectories) == ((24, 16), 10, 4)
    np.testing.assert_array_equal(source.read(3, 2, 5)["tensor"], values[3, 2:5].swapaxes(1, 2))


@pytest.mark.parametrize(
    "labels", [("a", "y", "x"), ("a", "b", "t", "y", "x"), ("y", "x", "a", ""), ("", "x", "x", "t")]
)
def test_names_that_leave_the_order_open_are_asked_about(tmp_path, labels):
    shape = (4, 10, 16, 24, 8)[: len(labels)]
    with pytest.raises(ArgumentError, match="which axis of array 'tensor'"):
        open_data(flat(tmp_path / "a", {"tensor": np.ones(shape)}, labels=labels))


OTHER_NAMES = {
    "time is not trajectories": (("time", "ens", "row", "col"), ["time,trajectory,x,y", "time,x,y,z"]),
    "levels are no trajectories": (("time", "level", "y", "x"), ["time,z,y,x", "time,component,y,x"]),
    "nor are quantities": (("time", "variable", "y", "x"), ["time,component,y,x"]),
    "behind time": (("t", "what", "y", "x"), ["time,trajectory,y,x", "time,z,y,x"]),
}


@pytest.mark.parametrize("name", ["tensor", "u"], ids=["flat", "of no layout"])
@pytest.mark.parametrize("case", OTHER_NAMES)
def test_a_reading_that_names_contradict_is_neither_taken_nor_offered(tmp_path, name, case):
    labels, offers = OTHER_NAMES[case]
    values = numbers(20, 11, 16, 16)  # of its shape alone, 20 trajectories of 11 frames
    path = flat(tmp_path / "a", {name: values}, labels=labels)
    with pytest.raises(ArgumentError, match=f"which axis of array '{name}'") as caught:
        open_data(path, fields=[f"v:0+={name}"])
    text = str(caught.value)
    assert [each in text for each in offers] == [True] * len(offers) and "axes=['trajectory" not in text
    frames = open_data(path, axes=offers[0], ask=False).frames
    assert frames == 20


def test_two_levels_are_no_vector(tmp_path):
    path = flat(tmp_path / "a", {"u": np.ones((20, 16, 18, 2))}, labels=("time", "y", "x", "level"))
    with pytest.raises(ArgumentError):
        open_data(path)
    with pytest.raises(ArgumentError, match="Name the axes in their order"):
        open_data(path, fields=["v:1+=u"])
    vector = flat(tmp_path / "b", {"u": np.ones((20, 16, 18, 2))}, labels=("time", "y", "x", "component"))
    assert open_data(vector, fields=["v:1+=u"]).D == 2


def test_the_velocity_is_a_vector_under_axes_too(tmp_path):
    flow = {name: numbers(3, 5, 6, 8) for name in ("density", "Vx", "Vy")}
    source = open_data(flat(tmp_path / "a", flow), axes="trajectory,time,y,x")
    assert [each.kind for each in source.schema] == ["density:0+", "velocity:1+"]


def test_a_layout_that_is_not_known_is_read_as_it_is_said(tmp_path):
    path = flat(tmp_path / "a", {"u": np.ones((4, 10, 16, 24))})
    with pytest.raises(ArgumentError, match=r"whether|which|parity|order"):
        open_data(path)
    assert open_data(path, axes="trajectory,time,x,y").D == 2


# --- points beside arrays of NumPy ------------------------------------------------------------------------------------


def test_points_beside_an_array_say_which_axis_is_which(tmp_path):
    u = numbers(4, 10, 12)
    np.savez(tmp_path / "a.npz", u=u, x=np.arange(10.0), t=np.arange(12.0))
    source = open_data(tmp_path / "a.npz", fields=["u:0+"])
    assert (source.trajectories, source.frames, source.spatial) == (4, 12, (10,))
    np.testing.assert_array_equal(source.read(1, 3, 5)["u"], u[1].T[3:5])
    np.savez(tmp_path / "b.npz", u=u, x=np.arange(12.0), t=np.arange(10.0))
    assert open_data(tmp_path / "b.npz", fields=["u:0+"]).frames == 10


@pytest.mark.parametrize("how", [{"fields": ["u:0+"]}, {"axes": "trajectory,time,x"}])
def test_points_that_contradict_an_array_are_refused_with_both_numbers(tmp_path, how):
    np.savez(tmp_path / "a.npz", u=numbers(4, 10, 12), x=np.arange(11.0), t=np.arange(10.0))
    with pytest.raises(FileError, match="axis of x of 'u': got 12, expected 11, the number of points in 'x'"):
        open_data(tmp_path / "a.npz", **how)


def test_points_contradict_a_schema(tmp_path):
    schema = '{"dimension": 1, "fields": [{"name": "u", "order": 0}]}'
    np.savez(tmp_path / "a.npz", schema=schema, u=numbers(4, 10, 12), x=np.arange(11.0))
    with pytest.raises(FileError, match="axis of x of 'u': got 12, expected 11"):
        open_data(tmp_path / "a.npz")


def test_no_array_is_dropped_without_a_word(tmp_path):
    u = numbers(3, 5, 6, 8)
    np.savez(tmp_path / "a.npz", u=u, other=u[:, :, :4], flat=u[0, 0], mask=u > 100, names=np.array(["a"]))
    axes = "trajectory,time,x,y"
    source = open_data(tmp_path / "a.npz", axes=axes)
    assert [each.name for each in source.schema] == ["u"]
    for name in ("other", "flat", "mask", "names"):
        assert any(note.startswith(f"array '{name}' is left out: ") for note in source.notes)
    with pytest.raises(FileError, match="array 'other': got 3 trajectories of 5 frames on 4x8 points"):
        open_data(tmp_path / "a.npz", axes=[f"u={axes}", f"other={axes}"])
    with pytest.raises(FileError, match="array 'names', whose axes were named: it holds values of type <U1"):
        open_data(tmp_path / "a.npz", axes=[f"u={axes}", f"names={axes}"])
    named = open_data(tmp_path / "a.npz", axes=[f"u={axes}", f"mask={axes}"])
    assert [each.name for each in named.schema] == ["u", "mask"]


def test_scalars_and_vectors_are_asked_about_as_one(tmp_path):
    density, velocity = numbers(3, 5, 6, 8), numbers(3, 5, 6, 8, 2)
    path = tmp_path / "a.npz"
    np.savez(path, density=density, velocity=velocity)
    offered = "trajectory,time,x,y,component"
    with pytest.raises(ArgumentError, match="which axis of array 'density'") as caught:
        open_data(path)
    assert f"`axes=['{offered}']` (3 trajectories of 5 frames on 6x8 points, a vector)" in caught.value.hint
    assert caught.value.hint.endswith("One order is for density, velocity (a scalar has no component).")
    assert not any("left out" in note for note in open_data(path, ask=False).notes)
    source = open_data(path, axes=offered.replace("x,y", "y,x"))
    assert {each.name: each.k for each in source.schema} == {"density": 0, "velocity": 1}
    # Where the order of one is said, how to say that of the other stands beside its name.
    one = open_data(path, axes="density=trajectory,time,y,x")
    assert [each.name for each in one.schema] == ["density"]
    assert any("`axes=['velocity=trajectory,time,y,x,component']`" in note for note in one.notes)
    # Control: an array on another grid is no vector on this one, and is not offered as such.
    np.savez(path, density=density, velocity=numbers(3, 5, 6, 9, 2))
    with pytest.raises(ArgumentError) as caught:
        open_data(path)
    assert "`axes=['density=trajectory,time,x,y']`" in caught.value.hint


def test_a_wrong_number_of_axes_and_a_missing_array_are_said(tmp_path):
    np.savez(tmp_path / "a.npz", density=numbers(3, 5, 6, 8), velocity=numbers(3, 5, 6, 8, 2))
    with pytest.raises(
        ArgumentError, match=r"`axes`: got trajectory,time,x, 3 axes, expected .*'density' of .* has 4"
    ):
        open_data(tmp_path / "a.npz", axes="trajectory,time,x")
    with pytest.raises(
        ArgumentError, match="from array 'Vx': got no such array, expected one of density, velocity"
    ):
        open_data(tmp_path / "a.npz", fields=["velocity:1+=Vx,Vy"])
    # Control: with as many axes as there are, the shapes are not the matter.
    assert open_data(tmp_path / "a.npz", axes="trajectory,time,x,y").spatial == (6, 8)


@pytest.mark.parametrize("scales", [False, True])
@pytest.mark.parametrize("labels", [("", "", "y", "x"), ("sample", "time", "y", "x")])
def test_axes_that_are_called_y_and_x_are_y_and_x(tmp_path, labels, scales):
    """Vx points along x, which is the last axis here: by rank alone the components would be crossed."""
    flow = {name: numbers(3, 5, 6, 8, start=1000 * i) for i, name in enumerate(("density", "Vx", "Vy"))}
    source = open_data(flat(tmp_path / "a", flow, labels=labels, scales=scales))
    assert (source.spatial, source.trajectories, source.frames) == ((8, 6), 3, 5)
    velocity = source.read(1, 0, 2)["velocity"]
    for i, name in enumerate(("Vx", "Vy")):
        np.testing.assert_array_equal(velocity[..., i], flow[name][1, :2].swapaxes(1, 2))
    # The control: the same numbers without a word are asked about, and in the order of the layout they are others.
    flat(tmp_path / "b", flow)
    with pytest.raises(ArgumentError, match="which axis of array 'density'"):
        open_data(tmp_path / "b")
    assert open_data(tmp_path / "b", axes="trajectory,time,x,y").spatial == (6, 8)


def test_the_well_with_y_before_x(tmp_path):
    p, v = numbers(2, 3, 4, 6), numbers(2, 3, 4, 6, 2)
    path = well_file(
        tmp_path / "a",
        {"p": (0, p, True, True, (True, True)), "v": (1, v, True, True, (True, True))},
        n=2,
        T=3,
        bc="WALL",  # at x, the axis stored first until it is renamed
    )
    with h5py.File(path, "r+") as f:
        f["dimensions"].attrs["spatial_dims"] = ["y", "x"]
        f.move("dimensions/x", "dimensions/_")
        f.move("dimensions/y", "dimensions/x")
        f.move("dimensions/_", "dimensions/y")
    source = open_data(path)
    assert source.spatial == (6, 4) and source.is_torus == (False, True)
    frames = source.read(1, 0, 3)
    np.testing.assert_array_equal(frames["p"], p[1].swapaxes(1, 2))
    # The component stored first points along the axis stored first, which is y.
    np.testing.assert_array_equal(frames["v"], v[1].swapaxes(1, 2)[..., ::-1])


def well_times(path, times):
    well_file(path, {"p": (0, numbers(2, 3, 4, 6), True, True, (True, True))}, n=2, T=3)
    with h5py.File(path, "r+") as f:
        del f["dimensions/time"]
        f["dimensions/time"] = times
    return path


def test_a_time_step_that_differs_within_a_file_is_refused(tmp_path):
    same = np.array([[0, 0.5, 1], [2, 2.5, 3]])
    assert open_data(well_times(tmp_path / "a", same)).time_step == 0.5
    with pytest.raises(ArgumentError, match=r"time step of trajectory 1: got 0.25, expected 0.5"):
        open_data(well_times(tmp_path / "b", same * [[1], [0.5]]))
    path = arena(tmp_path / "c")
    with h5py.File(path, "r+") as f:
        del f["train/dt"]
        f["train/t"][1] *= 2
    with pytest.raises(ArgumentError, match=r"time step of trajectory 1: got 3, expected 1.5"):
        open_data(path)
    path = incompressible(tmp_path / "d")
    with h5py.File(path, "r+") as f:
        f["t"][1] *= 2
    with pytest.raises(ArgumentError, match=r"time step of trajectory 1"):
        open_data(path)
    path = by_seed(tmp_path / "e", channels=1)
    with h5py.File(path, "r+") as f:
        f["0002/grid/t"][:] *= 2
    with pytest.raises(ArgumentError, match=r"time step of trajectory 2: got 0.5, expected 0.25"):
        open_data(path)


@pytest.mark.parametrize(
    ("make", "points"), [(arena, "train/x"), (by_seed, "0000/grid/y"), (incompressible, "t")]
)
def test_every_reader_compares_lengths(tmp_path, make, points):
    path = make(tmp_path / "a")
    open_data(path, ask=False)
    with h5py.File(path, "r+") as f:
        longer = np.concatenate([f[points][...], f[points][..., -1:]], axis=-1)
        del f[points]
        f[points] = longer
    with pytest.raises(FileError, match=r"length of the axis of (x|y|time) of .*: got \d, expected \d"):
        open_data(path, ask=False)


# --- pairs that are no time series -------------------------------------------------------------------------------------


def test_pairs_of_input_and_target_are_refused_with_that_word(tmp_path):
    """Coefficients and solutions of Darcy flow, as bare arrays and in PDEBench's layout."""
    np.savez(tmp_path / "a.npz", coefficient=np.ones((7, 16, 16)), solution=np.ones((7, 16, 16)))
    for how in ({}, {"fields": ["solution:0+"]}, {"axes": "trajectory,x,y"}):
        with pytest.raises(
            (ArgumentError, FileError), match="Pairs of input and target that are no time series"
        ):
            open_data(tmp_path / "a.npz", **how)
    points = {f"{axis}-coordinate": np.arange(16.0) for axis in "xy"}
    arrays = {"tensor": np.ones((7, 1, 16, 16)), "nu": np.ones((7, 16, 16))}
    source = open_data(flat(tmp_path / "b", arrays, points))
    with pytest.raises(ArgumentError, match="Pairs of input and target that are no time series"):
        source.check_frames(2)


@pytest.mark.parametrize(
    ("shape", "right"),
    [
        ((10, 5, 2, 64), "trajectory,time,component,x"),
        ((10, 2, 5, 64), "trajectory,component,time,x"),
        ((5, 2, 64), "time,component,x"),
        ((10, 20, 3, 64, 64), "trajectory,time,component,x,y"),
    ],
)
def test_a_few_scalars_in_front_of_space_are_among_the_offers(tmp_path, shape, right):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.savez(tmp_path / "a.npz", u=values)
    with pytest.raises(ArgumentError) as asked:
        open_data(tmp_path / "a.npz")
    assert f"`axes=['{right}']`" in asked.value.hint
    source = open_data(tmp_path / "a.npz", axes=right)
    count = shape[right.split(",").index("component")]
    assert [each.name for each in source.schema] == [f"u.{i}" for i in range(count)]


def test_axes_that_contradict_the_names_in_the_file_are_refused_with_the_way_out(tmp_path):
    path = tmp_path / "a.nc"
    with h5py.File(path, "w") as file:
        file["u"] = np.random.default_rng(0).normal(size=(6, 9, 8)).astype(np.float32)
        for axis, name in zip(file["u"].dims, ("time", "y", "x"), strict=True):
            axis.label = name
    for wrong in ("time,x,y", "x,time,y", "trajectory,time,x"):
        with pytest.raises(ArgumentError, match="axes: time,y,x") as refused:
            open_data(path, axes=wrong)
        assert "`axes=['time,y,x']`" in refused.value.hint and "rename its axes" in refused.value.hint
    assert open_data(path, axes="time,y,x").spatial == open_data(path).spatial == (8, 9)


def test_only_parities_that_nobody_stated_are_taken_as_even(tmp_path):
    np.savez(tmp_path / "a.npz", u=KNOWN, w=KNOWN[..., 0])

    def said(**parity):
        source = open_data(tmp_path / "a.npz", axes="trajectory,time,x,y,component", parity=parity)
        return [note for note in source.notes if "taken as even" in note]

    assert said(u="even", w="odd") == []
    assert said(w="odd") == [
        "the file does not state the parity of u; taken as even (`parity` says which are odd)"
    ]
    assert said() == ["the file does not state parities; taken as even (`parity` says which are odd)"]
