"""Blocks of a grid cover it, hold what their tiles depend on, and are all that is read."""

import json

import h5py
import numpy as np
import pytest
from data import layouts

from ginjax.data import (
    AxisSlices,
    Crops,
    Field,
    FieldScale,
    Hdf5,
    MemorySource,
    Normalisation,
    Tiling,
    Trajectories,
    Windows,
    open_data,
)
from ginjax.errors import ArgumentError

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("factor", [1, 4])
@pytest.mark.parametrize("wraps", [(True, True), (False, False), (True, False)])
def test_tiles_cover_the_grid_and_blocks_have_no_end_of_their_own_near_them(wraps, factor):
    grid = (48, 40)
    tiling = Tiling.of(grid, wraps, 8, halo=5 if factor == 1 else 8, factor=factor)
    assert tiling.halo == (5 if factor == 1 else 8) and tiling.block == (8 + 2 * tiling.halo,) * 2
    values, seen = RNG.standard_normal(grid), np.zeros(grid, int)
    drawn = [tiling.drawn(np.random.default_rng(i)) for i in range(20)]
    for number, place in enumerate([*tiling.places(), *drawn]):
        block = tiling.cut(values, place, 0)
        tile = tiling.cut_tile(values, place, 0)
        np.testing.assert_array_equal(block[tiling.within(place, 0)], tile)
        for axis, n in enumerate(grid):
            low, high = place.origin[axis], place.origin[axis] + tiling.block[axis]
            assert low % factor == 0
            before, after = place.corner[axis], tiling.block[axis] - place.corner[axis] - tiling.tile[axis]
            assert before >= tiling.halo or (not wraps[axis] and low == 0)
            assert after >= tiling.halo or (not wraps[axis] and high == n)
        if number < tiling.count:
            np.testing.assert_array_equal(tiling.numbered(number), place)
            inner = tuple(slice(t, t + 8) for t in place.tile)
            seen[inner][tiling.new_within(number, 0)] += 1
    assert (seen == 1).all()
    assert len({place.tile for place in drawn}) > 10


def test_the_last_tile_ends_with_the_axis_and_short_axes_are_whole():
    tiling = Tiling.of((30, 12), (True, False), {"x": 8}, halo=2)
    assert (tiling.tile, tiling.block, tiling.counts) == ((8, 12), (12, 12), (4, 1))
    assert [place.tile for place in tiling.places()] == [(0, 0), (8, 0), (16, 0), (22, 0)]
    assert Tiling.of((12, 12), (True, True), 8, halo=2).is_whole
    assert not Tiling.of((13, 12), (True, True), 8, halo=2).is_whole


@pytest.mark.parametrize(
    ("tile", "message"),
    [
        ({"w": 8}, "`tile` of axis 'w': got no such axis, expected x or y"),
        ({"z": 8}, "no such axis"),
        (6, "`tile` along x: got 6, expected a multiple of 4, .* such as 8"),
        ({"y": 0}, "`tile` along y"),
        ({"y": True}, "`tile` along y"),
        (2.5, "`tile`: got 2.5"),
    ],
)
def test_other_tiles_are_refused(tile, message):
    with pytest.raises(ArgumentError, match=message):
        Tiling.of((16, 16), (True, True), tile, halo=1, factor=4)


# --- reading ---------------------------------------------------------------------------------------------------------


def turned_well(path):
    """Axes stored z, x, y, and a field and a constant that do not vary along all of them."""
    shape = (2, 3, 4, 5, 6)
    fields = {
        "u": (0, layouts.numbers(*shape), True, True, (True, True, True)),
        "v": (1, layouts.numbers(*shape, 3), True, True, (True, True, True)),
        "flat": (0, layouts.numbers(2, 3, 4, 6), True, True, (True, False, True)),
        "depth": (0, layouts.numbers(5, 6), False, False, (False, True, True)),
    }
    layouts.well_file(
        path,
        fields,
        sides=(4, 5, 6),
        n=2,
        T=3,
        spacing=(0.5,) * 3,
        scalars={"Re": (np.arange(2.0), True, False)},
    )
    with h5py.File(path, "r+") as file:
        for old, new in (("x", "w"), ("y", "x"), ("z", "y"), ("w", "z")):
            file.move(f"dimensions/{old}", f"dimensions/{new}")
        file["dimensions"].attrs["spatial_dims"] = ["z", "x", "y"]
    return open_data(path)


def schema_npz(path):
    fields = [{"name": "u", "order": 1, "axes": "component,y,time,x,trajectory"}]
    schema = {"dimension": 2, "fields": fields, "constants": [{"name": "h", "order": 0}]}
    np.savez(
        path.with_suffix(".npz"),
        schema=json.dumps(schema),
        u=layouts.numbers(2, 6, 3, 5, 2),
        h=layouts.numbers(2, 5, 6),
    )
    return open_data(path.with_suffix(".npz"))


FILES = {
    "the-well": turned_well,
    "npz": schema_npz,
    "compressible": lambda path: open_data(layouts.compressible(path), axes="trajectory,time,x,y"),
    "incompressible": lambda path: open_data(layouts.incompressible(path)),
    "by seed": lambda path: open_data(layouts.by_seed(path), fields=["w:1+=data.0,data.1"]),
    "arena": lambda path: open_data(layouts.arena(path), split="train", parity={"u": "even"}),
}


@pytest.mark.parametrize("layout", FILES)
def test_a_box_is_the_part_of_the_whole_and_no_more_is_read(layout, tmp_path, monkeypatch):
    source = FILES[layout](tmp_path / "data.h5")
    box = ((1, 3), (2, 4), (0, 3))[: source.D]
    inner = tuple(slice(low, high) for low, high in box)
    whole, steady = source.read(1, 1, 3), source.read_constants(1)
    asked = []
    call = AxisSlices.__call__

    def watched(self, trajectory, start, stop, box=()):
        asked.append(box)
        return call(self, trajectory, start, stop, box)

    monkeypatch.setattr(AxisSlices, "__call__", watched)
    sizes, read = [0], Hdf5.read
    monkeypatch.setattr(Hdf5, "read", lambda *args: sizes.append((found := read(*args)).size) or found)
    for name, values in source.read(1, 1, 3, box=box).items():
        np.testing.assert_array_equal(values, whole[name][(slice(None), *inner)])
    for name, values in source.read_constants(1, box=box).items():
        np.testing.assert_array_equal(values, steady[name][inner])
    assert asked and all(each == inner for each in asked)
    most = 2 * np.prod([high - low for low, high in box]) * max(source.D, 2)
    assert max(sizes) <= most < 2 * np.prod(source.spatial) * max(source.D, 2)


def test_boxes_that_leave_the_grid_are_refused(tmp_path):
    source = FILES["npz"](tmp_path / "data")
    for box in (((0, 6), (0, 6)), ((2, 2), (0, 6)), ((0, 2),), ((-1, 2), (0, 2))):
        with pytest.raises(ArgumentError, match="box to read"):
            source.read(0, 0, 1, box=box)


# --- samples ---------------------------------------------------------------------------------------------------------


def windows(residual=False, is_torus=(True, False), future=2):
    field = Field("u", 1, 0)
    data = RNG.standard_normal((2, 5, 12, 10, 2)).astype(np.float32)
    source = MemorySource.of(Trajectories((field,), {"u": data}, 2, 1.0, 1.0, is_torus))
    scales = Normalisation((FieldScale(field, 2.0, 0.0, 0.5),))
    return Windows(source, scales, past_steps=2, future_steps=future, residual=residual)


@pytest.mark.parametrize("residual", [False, True])
def test_crops_are_parts_of_windows(residual):
    whole = windows(residual)
    tiling = Tiling.of(whole.source.spatial, (True, False), 3, halo=2)
    crops = Crops(whole, tiling)
    assert len(crops) == len(whole) * 16
    numbers = [3, 17, 5 + len(crops), 5 + 7 * len(crops), len(crops) - 1]
    x, y = crops.take(numbers)
    key = ((False,), 0)
    assert x[key].shape == (5, 2, 7, 7, 2) and y.image[key].shape == (5, 2, 3, 3, 2)
    np.testing.assert_array_equal(np.asarray(y.within(x)[key]).shape, (5, 2, 3, 3, 2))
    for i, number in enumerate(numbers):
        window, place = crops.locate(number)
        seen, target = whole.take([window])
        np.testing.assert_array_equal(x[key][i], tiling.cut(seen[key][0], place, 1))
        np.testing.assert_array_equal(y.image[key][i], tiling.cut_tile(target[key][0], place, 1))
        np.testing.assert_array_equal(y.within(x)[key][i], tiling.cut_tile(seen[key][0], place, 1))
    drawn = [crops.locate(5 + n * len(crops)) for n in range(1, 30)]
    assert {window for window, _ in drawn} == {0} and len({place.tile for _, place in drawn}) > 10
    assert crops.locate(numbers[3]) == crops.locate(numbers[3])


def test_crops_read_their_blocks_only(monkeypatch):
    whole = windows()
    tiling = Tiling.of(whole.source.spatial, (True, False), 3, halo=2)
    read = []
    monkeypatch.setattr(MemorySource, "_read", lambda *_: pytest.fail("a whole frame was read"))
    original = MemorySource._read_box
    monkeypatch.setattr(
        MemorySource, "_read_box", lambda self, t, a, b, box: read.append(box) or original(self, t, a, b, box)
    )
    Crops(whole, tiling).take(np.arange(20))
    largest = max(np.prod([high - low for low, high in box]) for box in read)
    assert len(read) >= 40 and largest <= 7 * 7
