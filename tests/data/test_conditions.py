"""Numbers of each trajectory that a network is told: where they come from, and what is refused."""

import json

import h5py
import numpy as np
import pytest
from data.layouts import by_seed, compressible, numbers, well_file
from scipy.io import savemat

from ginjax.checkpoint import Condition, Field
from ginjax.data import (
    DataReading,
    Source,
    condition_ranges,
    condition_values,
    from_arrays,
    held_in_memory,
    join,
    open_data,
    resample,
    select_fields,
    simulate,
    with_conditions,
    write_well,
)
from ginjax.errors import ArgumentError

RUNS = numbers(3, 4, 8)


def arrays(time_step: float | None = 0.1, conditions=(), kinds=None) -> Source:
    source = from_arrays({"u": RUNS}, periodic=True, spacing=0.5, time_step=time_step)
    return with_conditions(source, conditions, kinds=kinds)


def told(source: Source) -> dict[str, list[float]]:
    return {name: each.tolist() for name, each in condition_values(source, source.conditions).items()}


def test_a_number_is_a_constant_that_is_the_same_everywhere():
    source = arrays(conditions={"nu": [1.0, 2.0, 4.0], "mu": 0.5, "time_step": None})
    assert [each.kind for each in source.constants] == ["nu:0+", "mu:0+", "time_step:0+"]
    found = source.read_constants(2)
    np.testing.assert_array_equal(found["nu"], np.full(8, 4.0))
    np.testing.assert_array_equal(source.read_constants(1, box=((2, 5),))["mu"], np.full(3, 0.5))
    assert condition_ranges(source, [0, 1]) == (
        Condition("nu", 1.0, 2.0),
        Condition("mu", 0.5, 0.5),
        Condition("time_step", 0.1, 0.1),
    )
    assert source.contract.told == {"nu", "mu", "time_step"}
    assert "; of each trajectory: nu, mu, time_step" in source.in_words[0]


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"nu": [1.0, 2.0]}, "condition 'nu': got 2 numbers, expected 3"),
        ({"nu": np.nan}, "expected a finite number"),
        ({"time_step": 0.2}, "condition 'time_step': got 0.2, expected 0.1, which the data state"),
        ({"time_step": [0.1, 0.1, 0.2]}, "got 0.1 to 0.2, expected 0.1"),
        ({"spacing": -1.0}, "expected a positive number"),
        ({"u": 1.0}, "got a field that varies"),
        (["nu"], "`conditions=\\['nu=NUMBER'\\]`"),
    ],
)
def test_what_is_no_number_of_each_trajectory_is_refused(conditions, message):
    with pytest.raises(ArgumentError, match=message):
        arrays(conditions=conditions)


def test_one_time_step_for_all_is_known_and_several_are_not():
    assert arrays(None, conditions={"time_step": 0.3}).time_step == 0.3
    several = arrays(None, conditions={"time_step": [0.1, 0.2, 0.4]})
    assert several.time_step is None
    assert several.in_words[1].startswith("spacing 0.5, time step of each trajectory; ")


def test_steps_that_differ_are_joined_where_they_are_told_and_only_there():
    steps = [arrays(step) for step in (0.1, 0.4)]
    with pytest.raises(ArgumentError, match=r"`conditions=\['time_step'\]`"):
        join(steps)
    with pytest.raises(ArgumentError, match=r"time step: got 0.4"):
        join([with_conditions(each, {"nu": 1.0}) for each in steps])
    together = join([with_conditions(each, ["time_step"]) for each in steps])
    assert (together.time_step, together.spacing) == (None, 0.5)
    assert told(together) == {"time_step": [0.1] * 3 + [0.4] * 3}
    assert told(held_in_memory(together)) == told(together)
    assert told(resample(together, every=2)) == {"time_step": [0.2] * 3 + [0.8] * 3}
    coarse = resample(with_conditions(arrays(), {"spacing": None, "nu": 3.0}), spacing=1.0)
    assert (coarse.spacing, told(coarse)) == (1.0, {"spacing": [1.0] * 3, "nu": [3.0] * 3})
    assert select_fields(together, together.schema).conditions == ()


def test_told_numbersgo_through_a_file_of_the_well_as_scalars(tmp_path):
    told_numbers = {"time_step": [0.1, 0.2, 0.4], "coriolis": 7}
    source = arrays(None, told_numbers, kinds={"coriolis": Field("coriolis", 0, 1)})
    write_well(tmp_path / "a.hdf5", source, name="a")
    with h5py.File(tmp_path / "a.hdf5") as file:
        np.testing.assert_array_equal(file["scalars/time_step"], [0.1, 0.2, 0.4])
        assert "time_step" not in file["t0_fields"]
    again = open_data(tmp_path / "a.hdf5")
    assert told(again) == told(source)
    assert [each.kind for each in again.constants] == ["time_step:0+", "coriolis:0-"]
    assert again.time_step is None


def runs_npz(path):
    with open(path, "wb") as file:
        np.savez(file, u=RUNS, t=0.25 * np.arange(4), nu=np.array([1.0, 2.0, 4.0]), mu=0.5, other=np.zeros(2))
    return {"axes": "trajectory,time,x"}


def runs_mat(path):
    savemat(path, {"u": RUNS, "nu": np.array([1.0, 2.0, 4.0]), "mu": 0.5})
    return {"axes": "trajectory,time,x"}


def runs_schema(path):
    schema = {"dimension": 1, "fields": [{"name": "u", "order": 0}]}
    with open(path, "wb") as file:
        np.savez(file, u=RUNS, schema=json.dumps(schema), nu=np.array([1.0, 2.0, 4.0]), mu=0.5)
    return {}


def runs_well(path):
    field = {"u": (0, RUNS, True, True, (True,))}
    scalars = {"nu": (np.array([1.0, 2.0, 4.0]), True, False), "mu": (np.array(0.5), False, False)}
    well_file(path, field, sides=(8,), T=4, scalars=scalars)
    return {}


def runs_tree(path):
    with h5py.File(path, "w") as file:
        for i, nu in enumerate((1.0, 2.0, 4.0)):
            file[f"run_{i}/u"], file[f"run_{i}/nu"] = RUNS[i], nu
            file[f"run_{i}/t"] = (0.25 * (i + 1)) * np.arange(4)
        file.attrs["mu"] = 0.5
    return {"axes": "time,x"}


def runs_netcdf(path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    values = {"u": (("run", "time", "x"), RUNS), "nu": (("run",), [1.0, 2.0, 4.0])}
    xarray.Dataset(values, attrs={"mu": 0.5}).to_netcdf(path, engine="h5netcdf")
    return {}


def runs_netcdf_3(path):
    xarray = pytest.importorskip("xarray")
    values = {"u": (("run", "time", "x"), RUNS), "nu": (("run",), [1.0, 2.0, 4.0])}
    xarray.Dataset(values, attrs={"mu": 0.5}).to_netcdf(path, engine="scipy")
    return {}


@pytest.mark.parametrize(
    "write", [runs_npz, runs_mat, runs_schema, runs_well, runs_tree, runs_netcdf, runs_netcdf_3]
)
def test_told_numbersof_a_file_are_named(tmp_path, write):
    path = tmp_path / "data.h5"
    said = write(path) | {"parity": {}}
    if write not in (runs_well, runs_schema):
        said["fields"] = ["u:0+"]
    more = {"time_step": None} if write is runs_tree else {}
    source = open_data(path, **said, conditions={"nu": None, "drag": "mu", "extra": 3.0, **more})
    expected = {"nu": [1.0, 2.0, 4.0], "drag": [0.5] * 3, "extra": [3.0] * 3}
    found = told(source)
    assert {name: found[name] for name in expected} == expected
    if write is runs_tree:
        assert found["time_step"] == [0.25, 0.5, 0.75]
    np.testing.assert_array_equal(source.read(2, 1, 3)["u"], RUNS[2, 1:3])
    with pytest.raises(ArgumentError, match=r"condition 'none': got no number of this name \(it has .*nu"):
        open_data(path, **said, conditions=["none", *more])
    with pytest.raises(ArgumentError, match=r"'drag': got no number 'none' \(.*drag=NUMBER") as caught:
        open_data(path, **said, conditions=["drag=none", *more])
    assert "n_trajectories" not in str(caught.value)
    with pytest.raises(ArgumentError, match="'u': got 'u', a field") as caught:
        open_data(path, **said, conditions=["u", *more])
    assert "NUMBER" not in str(caught.value)
    with pytest.raises(ArgumentError, match="condition 'nu': got 9, expected 1 to 4, which the data state"):
        open_data(path, **said, conditions=["nu=9", *more])


def test_told_numbersthat_are_left_out_are_said(tmp_path):
    runs_npz(tmp_path / "a.npz")
    notes = open_data(tmp_path / "a.npz", axes="trajectory,time,x").notes
    assert any("numbers nu, mu are left out (`conditions=['nu']`" in note for note in notes)
    notes = open_data(tmp_path / "a.npz", axes="trajectory,time,x", conditions="nu").notes
    assert any("number 'mu' is left out" in note for note in notes)


def test_an_attribute_of_hdf5_is_a_number(tmp_path):
    source = open_data(compressible(tmp_path / "a.h5"), conditions=["viscosity=eta"])
    assert told(source) == {"viscosity": [0.01, 0.01]}


def test_trajectories_of_other_steps_within_a_file(tmp_path):
    path = by_seed(tmp_path / "a.h5", channels=1)
    said = {"fields": ["u:0+=data"]}
    assert open_data(path, **said).time_step == 0.25
    with h5py.File(path, "r+") as file:
        file["0001/grid/t"][...] = np.arange(5) * 0.5
    with pytest.raises(ArgumentError, match=r"time step of trajectory 1: got 0.5, expected 0.25") as refused:
        open_data(path, **said)
    assert "`conditions=['time_step']`" in refused.value.hint
    assert told(open_data(path, **said, conditions="time_step")) == {"time_step": [0.25, 0.5, 0.25]}
    noted = open_data(path, **said, ask=False)
    assert any("time step of trajectory 1" in note for note in noted.notes)
    well = well_file(tmp_path / "b.h5", {"u": (0, RUNS, True, True, (True,))}, sides=(8,), T=4)
    with h5py.File(well, "r+") as file:
        del file["dimensions/time"]
        file["dimensions/time"] = np.array([[1.0], [2.0], [1.0]]) * np.arange(4)
    with pytest.raises(ArgumentError, match="time step of trajectory 1: got 2"):
        open_data(well)
    assert told(open_data(well, conditions="time_step")) == {"time_step": [1.0, 2.0, 1.0]}


def test_a_spacing_that_differs_along_the_axes_is_no_number(tmp_path):
    fields = {"u": (0, numbers(2, 3, 4, 6), True, True, (True, True))}
    path = well_file(tmp_path / "a.h5", fields, n=2, T=3, spacing=(0.5, 0.25))
    with pytest.raises(ArgumentError, match=r"spacing of the grid: got 0.5 along x, 0.25 along y"):
        open_data(path, conditions="spacing")
    with pytest.raises(ArgumentError, match=r"condition 'spacing': got 0.5 along x, 0.25 along y"):
        open_data(path, conditions="spacing", unequal=True)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["nu", "nu=3"], "'nu' more than once"),
        (["nu=inf"], "expected a finite number"),
        (["nu:0+"], "expected NAME, NAME=NUMBER or NAME=VARIABLE"),
        ([""], "expected NAME"),
    ],
)
def test_what_says_no_condition_is_refused(tmp_path, said, message):
    runs_well(tmp_path / "a.h5")
    with pytest.raises(ArgumentError, match=message):
        open_data(tmp_path / "a.h5", conditions=said)


def test_a_model_s_conditions_are_asked_for_in_any_kind_of_file(tmp_path):
    runs_npz(tmp_path / "a.npz")
    runs_well(tmp_path / "b.h5")
    reading = DataReading(["u:0+"], axes="trajectory,time,x", conditions=("viscosity=nu",))
    source = reading.open(tmp_path / "a.npz")
    contract = source.contract
    assert contract.reading is not None
    assert contract.reading.conditions == ("viscosity=nu",)
    again = open_data(tmp_path / "a.npz", like=contract)  # what its own file calls it is kept
    assert told(again) == {"viscosity": [1.0, 2.0, 4.0]}
    with pytest.raises(ArgumentError, match="condition 'viscosity'") as refused:
        open_data(tmp_path / "b.h5", like=contract)
    assert "`conditions=['viscosity=NUMBER']`" in str(refused.value.hint)
    other = open_data(tmp_path / "b.h5", like=contract, conditions={"viscosity": 2.0})
    assert told(other)["viscosity"] == [2.0] * 3


def test_simulations_take_told_numbersin_turn():
    source = simulate(
        "diffusion",
        1,
        trajectories=5,
        steps=2,
        side=8,
        vary={"time_step": [0.02, 0.04], "diffusivity": [0.1, 0.2]},
    )
    assert told(source) == {
        "time_step": [0.02, 0.02, 0.04, 0.04, 0.02],
        "diffusivity": [0.1, 0.2, 0.1, 0.2, 0.1],
    }
    assert (source.time_step, source.origin["parameters"]) == (None, {})
    first = simulate("diffusion", 1, trajectories=1, steps=2, side=8)
    np.testing.assert_array_equal(source.read(0, 0, 1)["density"], first.read(0, 0, 1)["density"])
    # A mode decays by exp(-nu k^2 t): twice the time step is twice the coefficient.
    half, twice = (
        simulate("diffusion", 1, trajectories=1, steps=1, side=8, vary=vary).read(0, 1, 2)["density"]
        for vary in ({"time_step": [0.08]}, {"diffusivity": [0.08]})
    )
    np.testing.assert_allclose(half, twice, rtol=1e-5, atol=1e-6)
    assert np.abs(half - first.read(0, 1, 2)["density"]).max() > 1e-3
    for vary, message in (
        ({"mu": [1.0]}, "time_step or diffusivity"),
        ({"time_step": [0.1, 0.1]}, "each once"),
        ({"time_step": [-1.0]}, "positive numbers"),
        ({"time_step": [0.1, 0.2]}, "at least 2"),
    ):
        with pytest.raises(ArgumentError, match=message):
            simulate("diffusion", 1, trajectories=1, steps=1, vary=vary)


def test_covering_simulations_take_every_told_number_or_are_refused():
    vary = {"diffusivity": [0.1, 0.2, 0.3, 0.4]}
    with pytest.raises(
        ArgumentError, match="at least 8, one for each combination of `vary` and each correlation length"
    ):
        simulate("diffusion", 1, trajectories=4, steps=1, side=8, cover=3, vary=vary)
    source = simulate("diffusion", 1, trajectories=8, steps=1, side=8, cover=3, vary=vary)
    assert sorted(told(source)["diffusivity"]) == sorted(2 * vary["diffusivity"])
    assert simulate("diffusion", 1, trajectories=1, steps=1, side=8, cover=3).trajectories == 1


def test_what_is_said_in_words_is_a_name_or_a_name_and_a_number():
    source = from_arrays({"u": np.zeros((2, 3, 8))}, periodic=True, time_step=0.1)
    assert told(with_conditions(source, "nu=0.5")) == {"nu": [0.5, 0.5]}  # as the hint of a missing one says
    assert told(with_conditions(source, "time_step")) == {"time_step": [0.1, 0.1]}
    for said, message in (("nu", "condition 'nu'"), (["nu=mu"], "got mu, expected a number")):
        with pytest.raises(ArgumentError, match=message) as refused:
            with_conditions(source, said)
        assert "VARIABLE" not in str(refused.value.hint)
