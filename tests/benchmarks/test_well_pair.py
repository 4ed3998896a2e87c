"""The recipe for The Well's turbulent radiative layer, on small files of that layout and those attributes."""

import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

import ginjax
from ginjax.checkpoint import Axis
from ginjax.data import condition_ranges
from ginjax.errors import ArgumentError
from ginjax.models import Network

ROOT = Path(__file__).parent.parent.parent
SIDES = {2: (8, 8), 3: (8, 8, 8)}
TIME_STEP = {2: 1.597, 3: 2.662}
WALLED = {2: "y", 3: "z"}


@pytest.fixture(scope="module")
def recipe():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import well_pair
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    return well_pair


def write_half(path: Path, D: int, frames: int, seed: int, runs: int = 2, tcool: float = 0.1) -> None:
    """A layer of gas that is blown along x, as the published files write it: by h5py alone."""
    rng, sides, axes = np.random.default_rng(seed), SIDES[D], "xyz"[:D]
    phases, times = rng.uniform(0, 6, runs), np.arange(frames) * TIME_STEP[D]
    points = [np.arange(side) / 128 for side in sides]
    grid = np.meshgrid(*points, indexing="ij")
    height, along = grid[-1] / points[-1][-1], 2 * np.pi * grid[0] * 16
    waves = np.stack(
        [[np.sin(along - 0.3 * t + phase) * np.exp(-0.05 * t) for t in times] for phase in phases]
    )
    fields = {
        "t0_fields/density": 1 + 9 * height + waves,
        "t0_fields/pressure": 1 + 0.1 * waves * height,
        "t1_fields/velocity": np.stack(
            [0.5 - height + 0.1 * waves, *[0.05 * waves * (1 - height)] * (D - 1)], axis=-1
        ),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["dataset_name"] = f"turbulent_radiative_layer_{D}D"
        file.attrs["grid_type"], file.attrs["n_spatial_dims"] = "cartesian", D
        file.attrs["n_trajectories"], file.attrs["simulation_parameters"] = runs, ["tcool"]
        file.attrs["tcool"] = tcool
        dims = file.create_group("dimensions")
        dims.attrs["spatial_dims"] = list(axes)
        for name, values in (("time", times), *zip(axes, points, strict=True)):
            made = dims.create_dataset(name, data=values.astype(np.float32))
            made.attrs["sample_varying"] = made.attrs["time_varying"] = False
        ends = file.create_group("boundary_conditions")
        for axis, side in zip(axes, sides, strict=True):
            kind = "OPEN" if axis == WALLED[D] else "PERIODIC"
            group = ends.create_group(f"{axis}_{kind.lower()}")
            group.attrs["associated_dims"], group.attrs["associated_fields"] = [axis], []
            group.attrs["bc_type"] = kind
            group.attrs["sample_varying"] = group.attrs["time_varying"] = False
            group.create_dataset("mask", data=np.isin(np.arange(side), (0, side - 1)))
        for k in range(3):
            names = [name.partition("/")[2] for name in fields if name.startswith(f"t{k}")]
            file.create_group(f"t{k}_fields").attrs["field_names"] = names
        for name, values in fields.items():
            made = file.create_dataset(
                name, data=np.broadcast_to(values, (runs, frames, *values.shape[2:])).astype("f4")
            )
            made.attrs["sample_varying"] = made.attrs["time_varying"] = True
            made.attrs["dim_varying"] = [True] * D
        scalars = file.create_group("scalars")
        scalars.attrs["field_names"] = ["tcool"]
        number = scalars.create_dataset("tcool", data=np.float32(tcool))
        number.attrs["sample_varying"] = number.attrs["time_varying"] = False


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("the_well")
    for D, frames in ((2, 21), (3, 13)):
        for seed, part in enumerate(("train", "valid", "test")):
            where = folder / f"turbulent_radiative_layer_{D}D" / "data" / part
            write_half(where / "turbulent_radiative_layer_tcool_0.10.hdf5", D, frames, 10 * D + seed)
    return folder


@pytest.fixture(scope="module")
def small(recipe):
    class Small(recipe.Settings):
        def network(self):
            return Network("series", channels=2, blocks=1, padding="edge")

    return Small(past_steps=2, steps=2, tuning_steps=2, batch_size=2, starts=2)


def test_the_halves_are_read_as_they_are_described(recipe, datasets, small):
    low, high = (recipe.sources(datasets, D, small)["test"] for D in (2, 3))
    assert recipe.check_pair(low, high) == (
        "density:0+, pressure:0+, tcool:0+, velocity:1+; spacing 0.0078125; time steps 1.597 and 2.662; "
        "2D: x periodic and y not periodic; 3D: x periodic and y periodic and z not periodic"
    )
    with pytest.raises(SystemExit, match="the two halves differ in their dimensions and walls"):
        recipe.check_pair(low, low)
    steps = [recipe.sources(datasets, D, replace(small, same_step=True))["test"].time_step for D in (2, 3)]
    np.testing.assert_allclose(steps, [7.985, 7.986], rtol=1e-4)
    with pytest.raises(SystemExit, match="the-well-download --base-path"):
        recipe.sources(datasets / "elsewhere", 2, small)


def test_a_network_that_is_told_its_time_step_is_shown_the_2d_half_at_several(recipe, datasets, small):
    low, high = (recipe.sources(datasets, D, replace(small, told=True)) for D in (2, 3))
    ranges = {each.name: each for each in condition_ranges(low["train"])}
    np.testing.assert_allclose(ranges["time_step"].span, (1.597, 3 * 1.597), rtol=1e-4)
    assert ranges["time_step"].remark([high["train"].time_step]) is None
    assert (low["train"].time_step, low["train"].contract.told) == (None, {"tcool", "time_step"})
    assert "time steps 1.597 and 2.662" in recipe.check_pair(low["test"], high["test"])


@pytest.mark.slow
def test_from_2d_to_tuned_in_3d(recipe, datasets, small, tmp_path, capsys):
    results = recipe.run(datasets, tmp_path / "run", small)
    assert list(results) == ["2D, trained there", "3D, converted and tuned"]
    for found in results.values():
        assert set(found["one step"]) == {"density", "pressure", "velocity", "mean"}
        assert 0 < found["one step"]["mean"] < 10 and "steps 6 to 12" in found
    converted = ginjax.load(tmp_path / "run" / "converted_3d.safetensors")
    assert converted.contract.axes == (Axis("x"), Axis("y"), Axis("z", "bounded", "edge"))
    assert converted.certificate.exact and converted.certificate.new_axes == (1,)
    # At its own time step the converted network is refused on the 3D data; said, it is tuned for theirs.
    high = recipe.sources(datasets, 3, small)
    with pytest.raises(ArgumentError, match=r"time step of the data: got 2\.662, expected 1\.597"):
        recipe.scores(converted, high["test"], 2)
    tuned = ginjax.load(tmp_path / "run" / "tuned_3d.safetensors")
    assert tuned.contract.time_step == pytest.approx(2.662, rel=1e-4)
    capsys.readouterr()
    assert recipe.run(datasets, tmp_path / "run", small) == results  # from the files
    recipe.main([str(datasets), "-o", str(tmp_path / "run"), "--report"])
    shown = capsys.readouterr().out
    assert "| 3D, converted and tuned |" in shown and "| 0.367 |" in shown and "| 0.196 |" in shown
    with pytest.raises(SystemExit, match="was begun with other settings"):
        recipe.run(datasets, tmp_path / "run", replace(small, seed=1))
    told = recipe.run(datasets, tmp_path / "told", replace(small, told=True))
    assert list(told) == ["2D, trained there", "3D, converted, no data in 3D", "3D, converted and tuned"]


def test_vrmse_is_that_of_the_well(recipe):
    rng = np.random.default_rng(0)
    truth, made = rng.normal(size=(2, 3, 4, 6, 2))
    want = np.empty((3, 2))
    for t in range(3):
        for c in range(2):
            u, v = truth[t, ..., c], made[t, ..., c]
            want[t, c] = np.sqrt(((u - v) ** 2).mean() / (((u - u.mean()) ** 2).mean() + 1e-7))
    np.testing.assert_allclose(recipe.vrmse(truth, made, 2), want)
    mean = np.broadcast_to(truth.mean(axis=(1, 2), keepdims=True), truth.shape)
    np.testing.assert_allclose(recipe.vrmse(truth, mean, 2), 1, rtol=1e-6)
