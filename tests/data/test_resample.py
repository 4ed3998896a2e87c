"""Data on another grid and with fewer frames, against waves that are known everywhere."""

from dataclasses import replace

import numpy as np
import pytest

from ginjax.data import from_arrays, resample
from ginjax.errors import ArgumentError, FileError

LENGTH = 2.0


def waves(n: int, m: int, frames: int = 5) -> np.ndarray:
    """A vector field of a few waves at `n x m` points of a square, `(1, time, n, m, 2)`."""
    x = 2 * np.pi * np.arange(n)[:, None] / n
    y = 2 * np.pi * np.arange(m)[None, :] / m
    t = np.arange(frames)[:, None, None]
    first = np.sin(2 * x + y + 0.3 * t) + 101325
    return np.stack([first, np.cos(3 * y - x) * (1 + t)], axis=-1)[None]


def flow(n: int, m: int, periodic=True, **told):
    spacing = LENGTH / n
    return from_arrays(
        {"v": waves(n, m)}, order={"v": 1}, periodic=periodic, spacing=spacing, time_step=0.5, **told
    )


@pytest.mark.parametrize("n", [12, 9, 24])
def test_waves_are_the_same_waves_on_every_grid_that_holds_them(n):
    found = resample(flow(16, 16), spacing=LENGTH / n)
    assert (found.spatial, found.frames, found.spacing) == ((n, n), 5, pytest.approx(LENGTH / n))
    values = found.read(0, 1, 4, precise=True)["v"]
    np.testing.assert_allclose(values, waves(n, n)[0, 1:4], atol=1e-9)
    assert f"resampled from 16x16 to {n}x{n} points, x by waves, y by waves" in found.notes


def test_waves_too_short_for_the_new_points_are_left_out():
    x = np.arange(16)
    short = np.cos(2 * np.pi * 5 * x / 16)[None, None, :].repeat(2, 1)
    source = from_arrays({"u": short}, periodic=True, spacing=1.0)
    found = resample(source, spacing=2.0).read(0, 0, 1)["u"]
    assert np.abs(found).max() < 1e-6  # and not the wave of length 8/3 that every second point shows:
    assert np.abs(short[0, 0, ::2]).max() == 1


def test_means_where_an_axis_is_not_periodic_or_they_are_asked_for():
    values = np.arange(2 * 6 * 6.0).reshape(1, 2, 6, 6)
    wall = from_arrays({"u": values}, order={"u": 0}, periodic=(False, False), spacing=0.5)
    found = resample(wall, spacing=1.0)
    blocks = (
        values[..., ::2, ::2] + values[..., 1::2, ::2] + values[..., ::2, 1::2] + values[..., 1::2, 1::2]
    ) / 4
    np.testing.assert_array_equal(found.read(0, 0, 2)["u"], blocks[0])
    assert found.spatial == (3, 3) and "x by means of blocks" in found.notes[-1]
    torus = replace(wall, is_torus=(True, True))
    np.testing.assert_array_equal(resample(torus, spacing=1.0, means=True).read(0, 0, 2)["u"], blocks[0])
    assert not np.allclose(resample(torus, spacing=1.0).read(0, 0, 2)["u"], blocks[0])


def test_every_second_frame_and_the_first_ones():
    source = flow(8, 8)
    found = resample(source, every=2)
    assert (found.frames, found.time_step, found.spacing) == (3, 1.0, source.spacing)
    np.testing.assert_array_equal(found.read(0, 1, 3)["v"], source.read(0, 0, 5)["v"][2::2])
    first = resample(source, every=2, frames=2)
    assert first.frames == first.frames_of(0) == 2
    assert "every 2 frames one is kept" in first.notes
    with pytest.raises(ArgumentError, match="at most 3, those of the shortest trajectory"):
        resample(source, every=2, frames=4)
    assert resample(source) is source


def test_constants_are_resampled_too():
    x = 2 * np.pi * np.arange(8) / 8
    bed = np.sin(x)[None]
    source = from_arrays({"u": np.zeros((1, 3, 8))}, constants={"bed": bed}, periodic=True, spacing=1.0)
    found = resample(source, spacing=0.5).read_constants(0)["bed"]
    np.testing.assert_allclose(found, np.sin(2 * np.pi * np.arange(16) / 16), atol=1e-6)


@pytest.mark.parametrize(
    ("told", "asked", "words"),
    [
        ({}, {"spacing": 0.3}, r"along x: got 0.3, of which 6.667 make its length 2, expected .* 0.2857\d* \(7 points\)"),
        ({}, {"spacing": np.nan}, "a positive number"),
        ({}, {"spacing": 10.0}, "along x"),
        ({}, {"spacing": 1e-320}, "that of the data, 0.25, or one that is at most"),
        ({}, {"spacing": 1e308, "means": True}, "at most 1e.06 times finer or coarser"),
        ({"periodic": (True, False)}, {"spacing": 0.1}, "along y.*x|y is not periodic"),
        ({}, {"spacing": 0.3, "means": True}, "1.2 times .* 0.5, 1: with `means`"),
        ({}, {"every": 0}, "`every`"),
    ],
)  # fmt: skip
def test_a_grid_that_cannot_be_is_refused_with_one_that_can(told, asked, words):
    with pytest.raises(ArgumentError, match=words):
        resample(flow(8, 8, **told), **asked)


def test_data_that_do_not_state_their_spacing_have_to():
    with pytest.raises(ArgumentError, match="`data_spacing`"):
        resample(replace(flow(8, 8), spacing=None), spacing=0.5)


def test_missing_values_do_not_spread():
    values = waves(8, 8)
    values[0, 1, 2, 3, 0] = np.nan
    source = replace(flow(8, 8), held={"v": values})
    with pytest.raises(FileError, match="NaN"):
        resample(source, spacing=0.5).read(0, 0, 5)


def test_a_part_of_the_new_grid_is_made_of_what_it_needs_of_the_old_one(monkeypatch):
    whole = flow(16, 16, (False, True))
    found = resample(whole, spacing=2 * LENGTH / 16, every=2)  # means along x, waves along y
    asked = []
    read = type(whole)._read_box

    def watched(self, trajectory, start, stop, box):
        asked.append(box)
        return read(self, trajectory, start, stop, box)

    monkeypatch.setattr(type(whole), "_read_box", watched)
    part = found.read(0, 0, 2, precise=True, box=((1, 3), (4, 8)))["v"]
    assert set(asked) == {((2, 6), (0, 16))}
    np.testing.assert_allclose(part, found.read(0, 0, 2, precise=True)["v"][:, 1:3, 4:8], rtol=1e-12)
