"""Small files that claim much, read in a process with little memory."""

import io
import subprocess
import sys
import zipfile
from copy import copy

import h5py
import numpy as np
import pytest
from data.layouts import well_file

READ = """
import resource, sys
from ginjax.data import open_data, survey
from ginjax.errors import GinjaxError
most = 3 * 2**29
with open("/proc/self/statm") as statm:
    now = int(statm.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + most, now + most))
for path in sys.argv[1:]:
    try:
        with open_data(path, ask=False) as source:
            found = survey(source, max_frames=100)
        print("read", sum(each.values for each in found))
    except GinjaxError as error:
        print("refused", error.problem)
    except MemoryError:
        print("out of memory")
"""


def unwritten(path, shape, **storage):
    """The Well with a field of which nothing was ever written."""
    well_file(path, {}, sides=shape[2:], n=shape[0], T=min(shape[1], 4))
    with h5py.File(path, "r+") as file:
        del file["dimensions/time"]
        field = file["t0_fields"].create_dataset("p", shape, "f4", **storage)
        field.attrs["sample_varying"] = field.attrs["time_varying"] = True
        field.attrs["dim_varying"] = [True] * (len(shape) - 2)


def one_block(path):
    unwritten(path, (1, 2, 16384, 16384))


def in_chunks(path):
    unwritten(path, (1, 2, 16384, 16384), chunks=(1, 1, 512, 512))


def compressed_chunk(path):
    unwritten(path, (1, 2, 8192, 8192), chunks=(1, 1, 8192, 8192), compression="gzip")


def many_frames(path):
    unwritten(path, (1, 2**28, 4), chunks=(1, 2**16, 4))


def many_trajectories(path):
    unwritten(path, (2**26, 2, 4), chunks=(2**16, 1, 4))


def long_times(path):
    with h5py.File(path, "w") as file:
        file["tensor"] = np.zeros((3, 5, 8), "f4")
        file.create_dataset("t-coordinate", (2**28,), "f8", chunks=(2**16,))


def twelve_arrays(path):
    """2 MB that unpack to 1.6 GB: one compressed array under twelve names."""
    array = io.BytesIO()
    np.save(array, np.zeros((1, 4, 4096, 2048 - 8), np.float32))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr("a00.npy", array.getbuffer())
        entry = path.read_bytes()
        (info,) = archive.filelist
        for i in range(1, 12):
            other = copy(info)
            other.filename = other.orig_filename = f"a{i:02d}.npy"
            other.header_offset = archive.fp.tell()
            archive.fp.write(entry.replace(b"a00.npy", other.filename.encode()))
            archive.filelist.append(other)
        archive.start_dir = archive.fp.tell()


def header_bomb(path):
    """A header of an array that unpacks to much."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr("schema.npy", b"\x93NUMPY\2\0" + (2**27).to_bytes(4, "little") + bytes(2**27))


REFUSED = {
    one_block: "0 bytes stored for 2147483648",
    in_chunks: "0 bytes stored for 1073741824",
    compressed_chunk: "chunks of (1, 1, 8192, 8192)",
    many_frames: "frames in all: got 268435456",
    many_trajectories: "number of trajectories: got 67108864",
    long_times: "dataset 't-coordinate'",
    twelve_arrays: "compressed arrays that are used take 1203240960",
    header_bomb: "entry 'schema'",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    for make in REFUSED:
        make(folder / make.__name__)
        assert (folder / make.__name__).stat().st_size < 4 * 2**20
    sound = folder / "sound"
    unwritten(sound, (2, 3, 64, 64), chunks=(1, 1, 64, 64))
    names = [folder / make.__name__ for make in REFUSED]
    done = subprocess.run(
        [sys.executable, "-c", READ, *names, sound], capture_output=True, text=True, check=True
    )
    return dict(zip([*(make.__name__ for make in REFUSED), "sound"], done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_a_small_file_takes_little_memory(said, make):
    assert said[make.__name__].startswith("refused") and REFUSED[make] in said[make.__name__]


def test_a_little_that_was_not_written_is_the_fill_value(said):
    assert said["sound"] == f"read {2 * 3 * 64 * 64}"
