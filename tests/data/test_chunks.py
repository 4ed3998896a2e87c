"""Compressed HDF5: every chunk is unpacked once, memory is bounded, and what cannot be unpacked is named."""

import itertools
from functools import partial

import h5py
import numpy as np
import pytest
from data.layouts import compressible, numbers
from h5py import h5d, h5p, h5s, h5t, h5z

from ginjax.data import open_data
from ginjax.data.readers import _chunks
from ginjax.data.readers._chunks import ChunkCache, lzf_length, read_by_chunks
from ginjax.errors import FileError

VALUES = numbers(5, 7, 9, 4)


def packed(path, values=VALUES, name="tensor", chunks=(2, 3, 4, 3)):
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=values, chunks=chunks, compression="gzip")
        for axis, side in zip("xy", values.shape[2:], strict=False):
            file[f"{axis}-coordinate"] = np.arange(side, dtype=float)
    return path


class Counting(ChunkCache):
    """Counts what is unpacked, and the most that was ever kept."""

    read, peak = 0, 0

    def chunk(self, key, read):
        def counted():
            self.read += 1
            return read()

        found = super().chunk(key, counted)
        self.peak = max(self.peak, self.size)
        return found


PARTS = (0, 4, slice(None), slice(1, 6), slice(2, 2), slice(3, 100), np.int64(2))


def test_every_selection_is_that_of_the_whole(tmp_path):
    with h5py.File(packed(tmp_path / "a")) as file:
        cache = Counting()
        for selection in itertools.product(PARTS, (3, slice(0, 4)), (slice(None), 8), (1, slice(2, 4))):
            found = read_by_chunks(file["tensor"], selection, ("a",), cache)
            np.testing.assert_array_equal(found, VALUES[selection])
        for selection in ((), (1,), (..., 2), (slice(1, 3), ...), (0, ..., 1), (slice(0, 5, 2),)):
            found = read_by_chunks(file["tensor"], selection, ("a",), cache)
            np.testing.assert_array_equal(found, VALUES[selection])
        assert cache.read <= 3 * 3 * 3 * 2  # each chunk once


def test_what_is_kept_is_bounded_and_dropped_chunks_are_read_again(tmp_path):
    with h5py.File(packed(tmp_path / "a")) as file:
        chunk = 2 * 3 * 4 * 3 * 4
        cache = Counting(most=10 * chunk)
        for _, trajectory, frame in itertools.product(range(2), range(5), range(7)):
            found = read_by_chunks(file["tensor"], (trajectory, frame), ("a",), cache)
            np.testing.assert_array_equal(found, VALUES[trajectory, frame])
        assert cache.read > 54 and 0 < cache.peak <= 10 * chunk
        # more than is ever kept is read as it lies
        before = cache.read
        np.testing.assert_array_equal(read_by_chunks(file["tensor"], (), ("a",), cache), VALUES)
        assert cache.read == before


def test_frames_in_any_order_unpack_each_chunk_once(tmp_path, monkeypatch):
    cache = Counting()
    monkeypatch.setattr(_chunks.read_by_chunks, "__defaults__", (cache,))
    source = open_data(packed(tmp_path / "a"), fields=["u:0+=tensor"])
    drawn = np.random.default_rng(0).integers(5 * 7, size=100)
    for number in drawn:
        trajectory, frame = divmod(int(number), 7)
        np.testing.assert_array_equal(
            source.read(trajectory, frame, frame + 1)["u"][0], VALUES[trajectory, frame]
        )
    assert cache.read <= 54


def test_a_file_that_takes_the_place_of_another_is_read_anew(tmp_path):
    said = {"fields": ["u:0+=tensor"]}
    assert open_data(packed(tmp_path / "a"), **said).read(0, 0, 1)["u"].max() == VALUES[0, 0].max()
    (tmp_path / "a").unlink()
    packed(tmp_path / "a", VALUES + 1)
    assert open_data(tmp_path / "a", **said).read(0, 0, 1)["u"].max() == VALUES[0, 0].max() + 1


def test_bad_chunks_are_pointed_out_where_they_do_not_fit(tmp_path, monkeypatch):
    def notes(chunks):
        said = {"fields": ["u:0+=tensor"]}
        return open_data(packed(tmp_path / "a", chunks=chunks), **said).notes

    assert notes((5, 7, 9, 4)) == ()  # all of it is kept
    monkeypatch.setattr(_chunks, "MOST_KEPT", 100)
    (note,) = notes((5, 7, 9, 4))
    assert "compressed in chunks of 5x7x9x4: to read a frame, 35 times as much" in note
    assert "ginjax data convert" in note
    assert notes((1, 2, 9, 4)) == ()


def without_its_filter(path, number):
    """A data set that says it was compressed by a filter that is not there."""
    with h5py.File(path, "w") as file:
        properties = h5p.create(h5p.DATASET_CREATE)
        properties.set_chunk((3, 5, 8))
        properties.set_filter(number, h5z.FLAG_OPTIONAL, (1,))
        space = h5s.create_simple((3, 5, 8))
        h5d.create(file.id, b"tensor", h5t.NATIVE_FLOAT, space, properties).write_direct_chunk(
            (0, 0, 0), bytes(99)
        )
        file["x-coordinate"] = np.arange(8.0)
    return path


@pytest.mark.parametrize(
    ("number", "words"), [(32026, "blosc2"), (32013, "zfp"), (40000, "an unknown filter")]
)
def test_a_missing_filter_is_named_with_how_to_get_it(tmp_path, monkeypatch, number, words):
    monkeypatch.setattr("ginjax.data.readers._filters.find_spec", lambda name: None)
    source = open_data(without_its_filter(tmp_path / "a", number), fields=["u:0+=tensor"])
    with pytest.raises(FileError, match=rf"compressed with {words} \(HDF5 filter {number}\)") as refused:
        source.read(0, 0, 1)
    hint = str(refused.value.hint)
    assert "h5repack -f GZIP=1" in hint and ("pip install hdf5plugin" in hint) == (number != 40000)
    assert "corrupt" not in str(refused.value)


def test_a_plugin_that_is_there_is_asked(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("ginjax.data.readers._filters.find_spec", lambda name: name)
    monkeypatch.setattr("ginjax.data.readers._filters.import_module", asked.append)
    source = open_data(without_its_filter(tmp_path / "a", 32026), fields=["u:0+=tensor"])
    with pytest.raises(FileError, match="blosc2"):
        source.read(0, 0, 1)
    assert asked == ["hdf5plugin"]


def test_contiguous_data_are_not_kept(tmp_path, monkeypatch):
    cache = Counting()
    monkeypatch.setattr(_chunks.read_by_chunks, "__defaults__", (cache,))
    open_data(compressible(tmp_path / "a")).read(0, 0, 2)
    assert cache.read == 0


@pytest.mark.parametrize("kept", [2**20, 0], ids=["chunk by chunk", "too large to keep"])
@pytest.mark.parametrize("checksum", [False, True])
def test_a_chunk_stored_as_it_is_must_be_as_long_as_it_is(tmp_path, kept, checksum):
    """Of a shorter one the library would fill the rest with whatever lies in memory."""
    values = numbers(4, 6)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("u", (4, 6), "f4", chunks=(2, 6), compression="gzip", fletcher32=checksum)
        made[...] = values
        skipped = 0b1 if not checksum else 0b11  # neither compressed nor summed
        made.id.write_direct_chunk((0, 0), values[:2].tobytes(), skipped)
        made.id.write_direct_chunk((2, 0), values[2:].tobytes()[:-4], skipped)
    with h5py.File(tmp_path / "a.h5") as file:
        read = partial(read_by_chunks, file["u"], key=(kept, checksum), cache=ChunkCache(kept))
        np.testing.assert_array_equal(read((slice(0, 2),)), values[:2])
        with pytest.raises(ValueError, match=r"the chunk at .2, 0. makes 44 bytes, expected 48"):
            read((slice(1, 3),))


@pytest.mark.parametrize("values", [numbers(40, 60), np.zeros((40, 60), np.float32), numbers(40, 60) % 7])
def test_a_damaged_stream_of_lzf_that_makes_fewer_bytes_is_noticed(tmp_path, values):
    """It has no checksum; where a literal is lost, the library leaves the end as memory has it."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("u", data=values, chunks=(40, 60), compression="lzf", shuffle=True)
        _, content = made.id.read_direct_chunk((0, 0))
        assert lzf_length(content) == values.nbytes
    for damaged, length in ((content[2:], None), (b"\x00\x05", 1), (b"\xe0\xff\x00", 264), (b"\x20\x00", 3)):
        assert lzf_length(damaged) == length or length is None
        with h5py.File(tmp_path / "a.h5", "r+") as file:
            file["u"].id.write_direct_chunk((0, 0), damaged)
            with pytest.raises(ValueError, match="makes"):
                read_by_chunks(file["u"], (), ("lzf", damaged), ChunkCache())
