"""The writer of The Well's layout."""

import errno
import hashlib
import io
import json
import os
import tempfile
from dataclasses import replace

import h5py
import numpy as np
import pytest
from data.layouts import by_seed, numbers

from ginjax.data import Field, MemorySource, Trajectories, from_arrays, open_data, simulate, write_well
from ginjax.errors import ArgumentError, FileError, UnsupportedError

SCHEMA = (Field("w", 0, 1, "1/s"), Field("v", 1, 0, "m/s"), Field("stress", 2, 0, "Pa"))


def example():
    arrays = {
        "w": numbers(2, 3, 4, 6),
        "v": numbers(2, 3, 4, 6, 2, start=500),
        "stress": numbers(2, 3, 4, 6, 2, 2, start=900),
    }
    return Trajectories(SCHEMA, arrays, 2, 0.1, 0.3, (True, False))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_file_follows_the_published_layout(tmp_path):
    write_well(tmp_path / "a", example(), name="made up", parameters={"Re": 10.0}, about={"step": "test"})
    with h5py.File(tmp_path / "a") as f:
        assert (f.attrs["dataset_name"], f.attrs["grid_type"]) == ("made up", "cartesian")
        assert (f.attrs["n_spatial_dims"], f.attrs["n_trajectories"]) == (2, 2)
        assert list(f.attrs["simulation_parameters"]) == ["Re"] and f.attrs["Re"] == 10.0
        assert list(f["dimensions"].attrs["spatial_dims"]) == ["x", "y"]
        np.testing.assert_allclose(f["dimensions/time"], [0, 0.3, 0.6], rtol=1e-6)
        np.testing.assert_allclose(f["dimensions/x"], [0, 0.1, 0.2, 0.3], rtol=1e-6)
        assert f["dimensions/y"].shape == (6,) and not f["dimensions/y"].attrs["time_varying"]
        assert list(f["t0_fields"].attrs["field_names"]) == ["w"]
        assert f["t1_fields/v"].shape == (2, 3, 4, 6, 2) and f["t1_fields/v"].dtype == np.float32
        assert f["t2_fields/stress"].shape == (2, 3, 4, 6, 2, 2)
        for flag in ("sample_varying", "time_varying"):
            assert f["t1_fields/v"].attrs[flag]
        assert list(f["t1_fields/v"].attrs["dim_varying"]) == [True, True]
        kinds = {
            group.attrs["associated_dims"][0]: group.attrs["bc_type"]
            for group in f["boundary_conditions"].values()
        }
        assert kinds == {"x": "PERIODIC", "y": "OPEN"}
        assert list(f["boundary_conditions/x_periodic/mask"]) == [True, False, False, True]
        assert list(f["scalars"].attrs["field_names"]) == []
        assert json.loads(f.attrs["ginjax"])["step"] == "test"


def test_round_trip_with_parity_units_and_constants(tmp_path):
    write_well(tmp_path / "a", example(), name="a")
    source = open_data(tmp_path / "a")
    assert source.schema == SCHEMA and source.notes == ()
    assert (source.spacing, source.time_step, source.is_torus) == (0.1, 0.3, (True, False))
    for name, array in example().fields.items():
        np.testing.assert_array_equal(source.read(1, 0, 3)[name], array[1])
    # a field named like a pseudo-field is not asked about, because the file states its parity
    odd = Trajectories((Field("vorticity", 0, 1),), {"vorticity": numbers(1, 2, 4)}, 1, 1.0, 1.0)
    write_well(tmp_path / "b", odd, name="b")
    assert open_data(tmp_path / "b").schema == odd.schema
    # a copy of a copy is the same file, constants and all
    source = open_data(tmp_path / "a")
    write_well(tmp_path / "c", source, name="a")
    assert digest(tmp_path / "a") == digest(tmp_path / "c")


def test_what_does_not_vary_in_time_is_written_as_such(tmp_path):
    from data.layouts import incompressible

    source = open_data(incompressible(tmp_path / "a"))
    write_well(tmp_path / "b", source, name="flow")
    copy = open_data(tmp_path / "b")
    assert copy.constants == source.constants and copy.schema == source.schema
    np.testing.assert_array_equal(copy.read_constants(1)["force"], source.read_constants(1)["force"])


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        source = simulate("diffusion", 1, trajectories=2, steps=2, side=8, seed=seed)
        write_well(tmp_path / name, source, name="diffusion", parameters=source.pde.parameters)
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


def test_a_file_is_complete_or_absent(tmp_path):
    class Broken(MemorySource):
        def _read(self, trajectory, start, stop):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_well(tmp_path / "a", Broken(**vars(MemorySource.of(example()))), name="a")
    assert list(tmp_path.iterdir()) == []
    write_well(tmp_path / "a", example(), name="a")
    with pytest.raises(FileError, match="exists already"):
        write_well(tmp_path / "a", example(), name="a")
    write_well(tmp_path / "a", example(), name="again", force=True)


def test_what_the_layout_cannot_hold_is_refused(tmp_path):
    third = Trajectories((Field("t", 3, 0),), {"t": numbers(1, 2, 4, 1, 1, 1)}, 1, 1.0, 1.0)
    with pytest.raises(UnsupportedError, match="order 3"):
        write_well(tmp_path / "a", third, name="a")
    ragged = open_data(by_seed(tmp_path / "r", lengths=(3, 4)), fields=["a:0+=data.0"])
    with pytest.raises(ArgumentError, match="different numbers"):
        write_well(tmp_path / "a", ragged, name="a")
    slash = Trajectories((Field("a/b", 0, 0),), {"a/b": numbers(1, 2, 4)}, 1, 1.0, 1.0)
    with pytest.raises(ArgumentError, match="without '/'"):
        write_well(tmp_path / "a", slash, name="a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("good", [0, 1, 10**9], ids=["at once", "later", "never"])
def test_a_disk_that_refuses_is_told_with_the_name(tmp_path, monkeypatch, code, good):
    """Also in the nameless file that HDF5 writes, whose errors have no name."""

    class Refusing(io.FileIO):
        written = 0

        def write(self, content):
            Refusing.written += 1
            if Refusing.written > good:
                raise OSError(code, os.strerror(code))
            return super().write(content)

    nameless = tempfile.TemporaryFile

    def scratch(*, dir, **_):
        with nameless(dir=dir) as made:
            return io.BufferedRandom(Refusing(os.dup(made.fileno()), "rb+"), 4096)

    monkeypatch.setattr(tempfile, "TemporaryFile", scratch)
    if good == 10**9:
        write_well(tmp_path / "a", example(), name="x")
        assert Refusing.written > 1
        return
    with pytest.raises(FileError, match=f"a: cannot be written: {os.strerror(code)}") as caught:
        write_well(tmp_path / "a", example(), name="x")
    assert ("Free some space" in (caught.value.hint or "")) == (code == errno.ENOSPC)
    assert list(tmp_path.iterdir()) == []


def test_a_boundary_that_was_taken_for_granted_is_not_written_as_one_that_was_stated(tmp_path):
    source = from_arrays({"u": np.zeros((1, 2, 4))}, periodic=True)
    for assumed in (True, False):
        path = tmp_path / f"{assumed}.hdf5"
        write_well(path, replace(source, boundaries_assumed=assumed), name="u")
        found = open_data(path)
        assert (found.is_torus, found.boundaries_assumed) == ((True,), assumed)
