"""Grids whose spacing differs along the axes are read, named, and brought to one that a network can take."""

import json
import re

import numpy as np
import pytest
from command_line import app
from data.layouts import arena, compressible, numbers, well_file
from data.test_resample import LENGTH, waves
from typer.testing import CliRunner

from ginjax.data import convert_data, open_data, resample, state_steps
from ginjax.data.sources._spacing import common_spacing
from ginjax.errors import ArgumentError


def schema_file(path, n=16, m=24, periodic=True):
    """A field of waves in a square, with more points along y."""
    schema = {
        "dimension": 2,
        "spacing": [LENGTH / n, LENGTH / m],
        "time_step": 0.5,
        "periodic": periodic,
        "fields": [{"name": "v", "order": 1, "parity": "even"}],
    }
    np.savez(path, schema=json.dumps(schema), v=waves(n, m))
    return path


def well(path, step):
    field = (0, numbers(3, 5, 4, 6), True, True, (True, True))
    return well_file(path, {"u": field}, spacing=(0.5, step))


FILES = {
    "the-well": (lambda path: well(path, 0.25), (0.5, 0.25)),
    "arena": (lambda path: arena(path, dy=0.5), (0.25, 0.5)),
    "pdebench": (lambda path: compressible(path, sides=(4, 8)), (0.25, 0.125)),
    "npz": (lambda path: schema_file(path.with_suffix(".npz")), (LENGTH / 16, LENGTH / 24)),
}


@pytest.mark.parametrize("layout", FILES)
def test_they_are_read_and_refused_with_a_spacing_that_works(layout, tmp_path):
    write, spacings = FILES[layout]
    path = write(tmp_path / "data.h5")
    said = {"axes": "trajectory,time,x,y", "is_torus": True} if layout == "pdebench" else {"is_torus": True}
    with pytest.raises(
        ArgumentError, match=rf"spacing of the grid: got {spacings[0]:g} along x, {spacings[1]:g} along y"
    ) as caught:
        open_data(path, **said)
    wanted = float(re.search(r"`spacing=([0-9.e-]+)`", str(caught.value.hint))[1])  # pyright: ignore[reportOptionalSubscript]
    source = open_data(path, unequal=True, **said)
    assert source.spacing is None and source.spacings == pytest.approx(spacings)
    assert f"spacing {spacings[0]:g} along x, {spacings[1]:g} along y" in source.in_words[1]
    with pytest.raises(ArgumentError, match="spacing of the grid"):
        convert_data(tmp_path / "other.hdf5", source, name="other")
    even = resample(source, spacing=wanted)
    assert (even.spacing, even.spacings) == (pytest.approx(wanted), None)
    lengths = [n * step for n, step in zip(source.spatial, spacings, strict=True)]
    np.testing.assert_allclose([n * wanted for n in even.spatial], lengths, rtol=1e-3)
    convert_data(tmp_path / "even.hdf5", even, name="even")
    assert open_data(tmp_path / "even.hdf5").spatial == even.spatial


def test_the_waves_stay_where_they_are(tmp_path):
    source = open_data(schema_file(tmp_path / "data.npz"), unequal=True)
    even = resample(source, spacing=LENGTH / 12)
    np.testing.assert_allclose(even.read(0, 0, 5, precise=True)["v"], waves(12, 12)[0], atol=1e-9)
    thinned = resample(source, every=2)
    assert thinned.spacing is None and thinned.spacings == source.spacings and thinned.frames == 3


def test_what_differs_by_rounding_is_one_spacing(tmp_path):
    source = open_data(well(tmp_path / "data.h5", 0.5025))
    assert source.spacings is None and source.spacing == pytest.approx(0.50125)


@pytest.mark.parametrize(
    ("grid", "spacings", "periodic", "found"),
    [
        ((16, 24), (1 / 16, 1 / 24), (True, True), 1 / 16),
        ((16, 24), (1 / 16, 1 / 24), (False, False), 1 / 8),  # blocks of 2 and 3
        ((16, 16), (1.0, 0.5), (False, True), 1.0),
        ((10, 10), (1.0, 0.3), (True, True), 1.0),
        ((8, 8), (1.0, np.pi / 8), (True, True), None),
        ((9, 8), (1.0, 0.7), (False, False), None),
        ((8, 8), (1e300, 1e-300), (True, True), None),
        ((8, 8), (1e300, 1e-300), (False, False), None),
        ((8, 8), (1.0, 5e-324), (False, True), None),
    ],
)
def test_the_spacing_that_is_offered(grid, spacings, periodic, found):
    assert common_spacing(grid, spacings, periodic) == (
        None if found is None else pytest.approx(found, rel=1e-6)
    )


def test_other_statements_are_refused(tmp_path):
    source = open_data(schema_file(tmp_path / "data.npz"), unequal=True)
    with pytest.raises(ArgumentError, match=r"`data_spacing`: got 0\.5, expected 0\.125 along x"):
        state_steps(source, data_spacing=0.5)
    (tmp_path / "both").mkdir()
    schema_file(tmp_path / "both" / "a.npz")
    schema_file(tmp_path / "both" / "b.npz")
    assert open_data(tmp_path / "both", unequal=True).spacings == source.spacings
    well(tmp_path / "c.h5", 0.25), well(tmp_path / "d.h5", 0.125)
    with pytest.raises(ArgumentError, match=r"grid spacing: got 0\.5 along x, 0\.125 along y, expected"):
        open_data([tmp_path / "c.h5", tmp_path / "d.h5"], unequal=True, is_torus=True)


def test_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    schema_file(tmp_path / "data.npz")

    def run(*args):
        return CliRunner().invoke(app, args, prog_name="ginjax")

    refused = run("train", "--data", "data.npz")
    assert refused.exit_code == 2
    assert "hint: 'ginjax data convert' makes them equal, with --spacing 0.125" in refused.stderr
    seen = run("data", "inspect", "data.npz")
    assert "0.125 along x, 0.0833333 along y" in seen.stdout
    assert (
        "the spacing differs along the axes. 'ginjax data convert' makes them equal"
        in seen.stdout + seen.stderr
    )
    made = run("data", "convert", "data.npz", "--spacing", "0.125", "-o", "even.hdf5")
    assert made.exit_code == 0, made.stderr
    assert open_data("even.hdf5").spatial == (16, 16)
