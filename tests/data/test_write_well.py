"""The writer of The Well's layout."""

import contextlib
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
from sweeps import few_rows

from ginjax.data import Field, MemorySource, Trajectories, from_arrays, open_data, simulate, write_well
from ginjax.data._scratch import Scratch
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


@pytest.fixture
def refusing(monkeypatch):
    """The nameless file that HDF5 writes, on a disk that refuses some writes; their number is told by the last of a list."""
    nameless, written = tempfile.TemporaryFile, []

    def refuse(code, which):
        class Refusing(io.FileIO):
            def write(self, content):
                written.append(len(written))
                if which(written[-1]):
                    raise OSError(code, os.strerror(code))
                return super().write(content)

        def scratch(*, dir, **_):
            with nameless(dir=dir) as made:
                return io.BufferedRandom(Refusing(os.dup(made.fileno()), "rb+"), 4096)

        written.clear()
        monkeypatch.setattr(tempfile, "TemporaryFile", scratch)
        return written

    return refuse


@pytest.mark.parametrize(
    ("code", "most"), [(errno.ENOSPC, None), (errno.EIO, 1), *few_rows((errno.EIO, None))]
)
def test_a_disk_that_refuses_is_told_with_the_name(tmp_path, refusing, code, most):
    """From any write on, or at one; what HDF5 makes of it is an error of its own, without a name, or none."""
    times = refusing(code, lambda number: False)
    write_well(tmp_path / "a", example(), name="x")
    (tmp_path / "a").unlink()
    assert len(times) > 2
    for first in range(len(times))[:most]:
        for which in (first.__le__, first.__eq__):
            refusing(code, which)
            with pytest.raises(FileError, match=f"a: cannot be written: {os.strerror(code)}") as caught:
                write_well(tmp_path / "a", example(), name="x")
            assert ("Free some space" in (caught.value.hint or "")) == (code == errno.ENOSPC)
            assert list(tmp_path.iterdir()) == []


def test_a_library_that_passes_over_a_failure_does_not_end_well(tmp_path, refusing):
    refusing(errno.EIO, (0).__eq__)
    with pytest.raises(FileError, match="a: cannot be written"), Scratch(tmp_path / "a", tmp_path) as scratch:
        for word in (b"lost", b"kept"):
            with contextlib.suppress(FileError):
                scratch.write(word)
                scratch.flush()
        with pytest.raises(FileError, match="a: cannot be written"):
            scratch.check()


def test_a_boundary_that_was_taken_for_granted_is_not_written_as_one_that_was_stated(tmp_path):
    source = from_arrays({"u": np.zeros((1, 2, 4))}, periodic=True)
    for assumed in (True, False):
        path = tmp_path / f"{assumed}.hdf5"
        write_well(path, replace(source, boundaries_assumed=assumed), name="u")
        found = open_data(path)
        assert (found.is_torus, found.boundaries_assumed) == ((True,), assumed)
