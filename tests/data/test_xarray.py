"""NetCDF and Zarr as xarray writes them: names of dimensions decide, numbers are what they mean."""

import json
import os
import sys

import h5py
import numcodecs
import numpy as np
import pytest
import xarray
import zarr
from data.layouts import numbers

from ginjax.data import convert_data, open_data
from ginjax.data.readers._xarray import NEEDED
from ginjax.errors import ArgumentError, FileError, UnsupportedError

U = numbers(3, 4, 6, 5)
"""Stored as (run, time, y, x): 5 points along x, 6 along y."""

WRITERS = {
    "netcdf 3": lambda data, path, **more: data.to_netcdf(path, engine="scipy", **more),
    "netcdf 4": lambda data, path, **more: data.to_netcdf(path, engine="h5netcdf", **more),
    "zarr 2": lambda data, path, **more: data.to_zarr(path, zarr_format=2, **more),
    "zarr 3": lambda data, path, **more: data.to_zarr(path, zarr_format=3, **more),
}


def flow(**more):
    coordinates = {
        "time": ("time", 0.5 * np.arange(4), {"units": "hours since 2000-01-01"}),
        "x": 0.25 * np.arange(5),
        "y": 1.0 + 0.25 * np.arange(6),
    }
    fields = {"u": (("run", "time", "y", "x"), U, {"units": "m/s"}), **more}
    return xarray.Dataset(fields, coordinates)


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    def written(data, name="data", **more):
        WRITERS[request.param](data, tmp_path / name, **more)
        return tmp_path / name

    return written


def test_names_of_dimensions_decide_and_points_give_the_steps(write):
    bed = numbers(6, 5, start=700)
    source = open_data(write(flow(bed=(("y", "x"), bed))))
    assert source.layout in ("netcdf", "zarr") and source.read_as == {}
    assert (source.trajectories, source.frames, source.spatial) == (3, 4, (5, 6))
    assert (source.spacing, source.time_step) == (0.25, 0.5)
    assert (source.schema[0].name, source.schema[0].unit) == ("u", "m/s")
    assert [each.name for each in source.constants] == ["bed"]
    assert "the time step is in hours" in source.notes
    np.testing.assert_array_equal(source.read(2, 1, 3)["u"], U[2, 1:3].transpose(0, 2, 1))
    np.testing.assert_array_equal(source.read_constants(0)["bed"], bed.T)
    source.close()
    np.testing.assert_array_equal(source.read(0, 3, 4)["u"][0], U[0, 3].T)


def test_packed_numbers_and_fill_values_are_what_they_mean(write):
    values = np.linspace(0, 100, U.size).reshape(U.shape)
    values[0, 1, 2, 3] = np.nan
    packed = {"u": {"dtype": "i2", "scale_factor": 0.01, "add_offset": 50.0, "_FillValue": -32768}}
    source = open_data(write(flow(u=(("run", "time", "y", "x"), values)), encoding=packed))
    found = source.read(0, 0, 4, precise=True)["u"].transpose(0, 2, 1)
    np.testing.assert_allclose(found, values[0], atol=0.006)  # NaN where NaN was
    assert np.isnan(found).sum() == 1


def test_zeros_are_zeros(write):
    values = np.zeros(U.shape, np.float32)
    values[..., 0] = 1
    source = open_data(write(flow(u=(("run", "time", "y", "x"), values))))
    np.testing.assert_array_equal(source.read(1, 0, 4)["u"].transpose(0, 2, 1), values[1])


def test_components_have_a_dimension_of_their_own(write):
    v = numbers(4, 5, 5, 2)
    source = open_data(write(xarray.Dataset({"v": (("time", "x", "y", "component"), v)})))
    assert source.schema[0].k == 1 and source.trajectories == 1
    np.testing.assert_array_equal(source.read(0, 0, 4)["v"], v)


def test_the_attribute_axis_says_what_a_dimension_is(tmp_path):
    data = xarray.Dataset(
        {"u": (("when", "north", "east"), U[0])},
        {
            "when": ("when", np.arange(4.0), {"axis": "T"}),
            "north": ("north", np.arange(6.0), {"axis": "Y"}),
            "east": ("east", np.arange(5.0), {"axis": "X"}),
        },
    )
    WRITERS["netcdf 3"](data, tmp_path / "a")
    source = open_data(tmp_path / "a")
    assert source.spatial == (5, 6) and (source.spacing, source.time_step) == (1.0, 1.0)
    np.testing.assert_array_equal(source.read(0, 0, 4)["u"], U[0].transpose(0, 2, 1))


def test_names_that_say_nothing_are_asked_about_and_said(write):
    path = write(xarray.Dataset({"u": (("a", "b", "c", "d"), numbers(3, 4, 6, 6))}))
    with pytest.raises(ArgumentError, match=r"which axis of array 'u'|fields: the file does not state"):
        open_data(path)
    source = open_data(path, axes="trajectory,time,y,x")
    assert source.read_as == {"u": "trajectory,time,y,x"} and source.spatial == (6, 6)


def test_components_in_two_variables_are_asked_about(write):
    data = flow(v=(("run", "time", "y", "x"), U + 1))
    path = write(data)
    with pytest.raises(ArgumentError, match="whether u and v are the components of a vector"):
        open_data(path)
    source = open_data(path, fields=["velocity:1+=u,v"], is_torus=True)
    convert_data(path.parent / "well.h5", source, name="flow")
    again = open_data(path.parent / "well.h5")
    np.testing.assert_array_equal(again.read(2, 0, 4)["velocity"], source.read(2, 0, 4)["velocity"])
    assert again.spatial == (5, 6) and again.time_step == 0.5


def test_unequal_steps_are_refused(write):
    data = flow().assign_coords(time=np.arange(4.0) ** 2)
    with pytest.raises(FileError, match="points of time do not increase in equal steps"):
        open_data(write(data))


def test_points_that_decrease_are_refused_with_what_to_do(write):
    data = flow()
    data = data.assign_coords(y=data.y.values[::-1].copy())
    with pytest.raises(FileError, match=r"points of y do not increase.*the other way round") as caught:
        open_data(write(data))
    assert "resample" not in str(caught.value)


def test_texts_are_left_out_with_a_word(write):
    source = open_data(write(flow(label=("run", np.array(["a", "b", "c"])))))
    assert any("array 'label' is left out" in note for note in source.notes)


def test_one_run_a_file_and_stores_in_a_folder(write, tmp_path):
    (tmp_path / "runs").mkdir()
    for i in range(3):
        write(flow().isel(run=i), f"runs/{i}")
    (tmp_path / "runs" / "README.md").write_text("three runs")
    source = open_data(tmp_path / "runs")
    assert (source.trajectories, source.frames) == (3, 4)
    np.testing.assert_array_equal(source.read(1, 0, 4)["u"], U[1].transpose(0, 2, 1))
    assert "in the folder, but no data: README.md" in source.notes


@pytest.mark.parametrize(
    ("kind", "package"), [("netcdf 4", "h5netcdf"), ("zarr 3", "zarr"), ("netcdf 3", "xarray")]
)
def test_what_is_missing_is_named(tmp_path, monkeypatch, kind, package):
    WRITERS[kind](flow(), tmp_path / "a")
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(UnsupportedError, match="pip install ") as refused:
        open_data(tmp_path / "a")
    assert f"'{package}{NEEDED[package]}'" in str(refused.value.hint)


def test_a_store_that_would_unpickle_is_not_asked(tmp_path):
    WRITERS["zarr 2"](flow(bad=("run", np.arange(3.0))), tmp_path / "a")
    about = tmp_path / "a" / "bad" / ".zarray"
    whole = json.loads(about.read_text())
    pickled = {"filters": [{"id": "pickle", "protocol": 5}]}
    for change in (pickled, {**pickled, "dtype": "|O"}):
        about.write_text(json.dumps({**whole, **change}))
        with pytest.raises(FileError, match="array 'bad' is stored with 'pickle'"):
            open_data(tmp_path / "a")
    about.write_text(json.dumps({**whole, "chunks": [2**40]}))
    source = open_data(tmp_path / "a")
    assert any("array 'bad' is left out: its chunks are" in note for note in source.notes)
    assert [each.name for each in source.schema] == ["u"]
    about.write_text("{" * 10**4)
    with pytest.raises(FileError, match=r"\.zarray"):
        open_data(tmp_path / "a")


def test_a_store_with_a_pipe_in_it_is_not_waited_for(tmp_path):
    WRITERS["zarr 2"](flow(), tmp_path / "a")
    os.mkfifo(tmp_path / "a" / "u" / "9.9.9.9")
    with pytest.raises(FileError, match="is not a regular file"):
        open_data(tmp_path / "a")


def test_links_out_of_a_netcdf_file_are_not_followed(tmp_path):
    WRITERS["netcdf 4"](flow(), tmp_path / "a")
    with h5py.File(tmp_path / "a", "a") as file:
        file["away"] = h5py.ExternalLink("other.h5", "/u")
    with pytest.raises(FileError, match="'away' is a link"):
        open_data(tmp_path / "a")


@pytest.mark.parametrize("kind", ["netcdf 3", "netcdf 4"])
def test_a_file_that_is_cut_short_is_one_line(tmp_path, kind):
    WRITERS[kind](flow(), tmp_path / "a")
    whole = (tmp_path / "a").read_bytes()
    for part in (0.1, 0.5, 0.97):
        (tmp_path / "b").write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(FileError):
            open_data(tmp_path / "b").read(2, 0, 4)


@pytest.mark.parametrize("version", [2, 3])
def test_a_piece_packed_by_blosc_that_is_not_whole_is_never_unpacked(tmp_path, version):
    """Its library trusts the lengths that stand in it, and reads whatever lies behind."""
    blosc = zarr.codecs.BloscCodec() if version == 3 else numcodecs.Blosc()
    packed = {"u": {"compressors": (blosc,), "chunks": (1, 4, 6, 5)}}
    flow().to_zarr(tmp_path / "a", zarr_format=version, encoding=packed)
    with open_data(tmp_path / "a") as source:
        np.testing.assert_array_equal(source.read(2, 1, 3)["u"], U[2, 1:3].transpose(0, 2, 1))
    piece = tmp_path / "a" / "u" / ("1.0.0.0" if version == 2 else "c/1/0/0/0")
    sound = piece.read_bytes()
    tail = b"\xff" * 4
    for damaged in (sound[:-8], sound + b"0", sound[:9], sound[:16] + tail + sound[20:]):
        if damaged[:9] + tail in damaged and sound[2] & 2:
            continue  # a frame that was only copied names no blocks
        piece.write_bytes(damaged)
        with open_data(tmp_path / "a") as source:
            source.read(2, 1, 3)  # other pieces are as they were
            with pytest.raises(FileError, match="packed by Blosc"):
                source.read(1, 1, 3)


def test_an_array_longer_than_its_dimensions_is_refused(tmp_path):
    """The library believes the dimensions, and reads by the array."""
    WRITERS["netcdf 4"](flow(), tmp_path / "a")
    with h5py.File(tmp_path / "a", "r+") as file:
        del file["u"]
        made = file.create_dataset("u", (3, 2**40, 6, 5), "f4", chunks=(1, 2**17, 1, 1))
        for axis, name in enumerate(("run", "time", "y", "x")):
            made.dims[axis].attach_scale(file[name])
    with pytest.raises(FileError, match="by its dimensions"):
        open_data(tmp_path / "a")


@pytest.mark.parametrize("shape", [(3, 4, 6), (3, 4, 6, 5, 2)])
def test_scales_of_another_number_than_axes_are_refused_before_a_library_trusts_them(tmp_path, shape):
    WRITERS["netcdf 4"](flow(), tmp_path / "a")
    with h5py.File(tmp_path / "a", "r+") as file:
        scales = file["u"].attrs["DIMENSION_LIST"]
        del file["u"]
        made = file.create_dataset("u", shape, "f4")
        references = h5py.vlen_dtype(h5py.ref_dtype)
        made.attrs.create("DIMENSION_LIST", scales, (4,), references)
    with pytest.raises(FileError, match="scales of dataset 'u'"):
        open_data(tmp_path / "a")


@pytest.mark.parametrize("key", ["filters", "compressor", "chunks", "dimension_separator", "shape", "dtype"])
@pytest.mark.parametrize("value", [3, 0.5, "x", True, {"a": 1}, [0], [[1]], None])
def test_a_description_of_other_types_is_one_line(tmp_path, key, value):
    flow().to_zarr(tmp_path / "a", zarr_format=2)
    about = json.loads((tmp_path / "a" / "u" / ".zarray").read_text())
    (tmp_path / "a" / "u" / ".zarray").write_text(json.dumps(about | {key: value}))
    try:
        with open_data(tmp_path / "a") as source:
            source.read(0, 0, 1)
    except FileError as error:
        assert "\n" not in str(error)
