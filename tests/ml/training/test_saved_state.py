"""A saved state is gone on from only if it is whole, of the types and ranges that a training has, and of this training."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from raw_files import write_raw

from ginjax import ml
from ginjax.checkpoint import read_file
from ginjax.errors import FileError


class Line(eqx.Module):
    slope: jax.Array
    offset: jax.Array


LINE = Line(jnp.arange(3.0), jnp.float32(0.5))
SETTINGS = {"steps": 30, "data_digest": "abc"}


def beginning():
    return ml.initial_state(LINE, optax.adamw(0.1))


@pytest.fixture
def file(tmp_path):
    made = ml.RunFile(tmp_path / "m.run", SETTINGS)
    best = jax.tree.map(np.asarray, LINE)
    progress = ml.Progress(20, 1.5, 2.0, 1.0, best_step=10, best_loss=0.5, best_model=best, misses=2)
    made.save(beginning(), progress)
    return made


def changed(file, header=lambda h: h, arrays=lambda a: a):
    """The file as a hand would change it that renews the checksum."""
    content = read_file(file.path)
    write_raw(file.path, header(content.header), arrays(content.arrays))


def test_it_comes_back(file):
    state, progress = file.load(beginning())
    assert eqx.tree_equal(state, beginning())
    assert (progress.step, progress.seconds, progress.misses) == (20, 1.5, 2)
    assert (progress.first_loss, progress.last_loss, progress.best_loss) == (2.0, 1.0, 0.5)
    assert progress.best_model.slope.tolist() == [0, 1, 2]
    file.save(beginning(), ml.Progress())
    _, progress = file.load(beginning())
    assert (progress.step, progress.best_step, progress.best_loss) == (0, -1, np.inf)
    assert np.isnan(progress.first_loss) and progress.best_model is None


def test_a_bit_turned_over_is_noticed(file):
    """In weights, moments, numbers and names alike."""
    content = bytearray(file.path.read_bytes())
    for place in np.random.default_rng(0).choice(len(content), 100, replace=False):
        content[place] ^= 1 << int(place % 8)
        file.path.write_bytes(content)
        with pytest.raises(FileError):
            file.load(beginning())
        content[place] ^= 1 << int(place % 8)


WRONG = {
    "step": [1e9, 10**9, 31, -1, True, None, "20", 20.0, [], {}, 10**400],
    "seconds": [-1.0, True, None, "1", {}],
    "first_loss": [True, "1", [], {}],
    "last_loss": [False, "1"],
    "best_step": [21, -2, -1, True, None, 1.5],
    "best_loss": [True, "inf", []],
    "misses": [-1, 21, True, None, 0.5],
    "lowest_loss": [True, "inf", []],
    "looks": [-1, 21, True, None, 0.5],
}
LATER = {"lowest_loss": 0.5, "looks": 2}
"""What states of earlier versions lack, and what it is taken for."""


@pytest.mark.parametrize("name", WRONG)
def test_every_number_has_a_type_and_a_range(file, name):
    whole = file.path.read_bytes()
    for value in WRONG[name]:
        file.path.write_bytes(whole)
        changed(file, lambda h: h | {"progress": h["progress"] | {name: value}})  # noqa: B023 (called at once)
        with pytest.raises(FileError, match=f"field '{name}': got"):
            file.load(beginning())
    file.path.write_bytes(whole)
    changed(file, lambda h: h | {"progress": {n: v for n, v in h["progress"].items() if n != name}})
    if name in LATER:
        assert getattr(file.load(beginning())[1], name) == LATER[name]
        return
    with pytest.raises(FileError, match=f"field '{name}' is missing"):
        file.load(beginning())


@pytest.mark.parametrize("name", ["progress", "settings", "has_best", "purpose"])
def test_every_part_has_a_type(file, name):
    whole = file.path.read_bytes()
    for value in (None, 1, "x", [], not read_file(file.path).header["has_best"]):
        file.path.write_bytes(whole)
        changed(file, lambda h: h | {name: value})  # noqa: B023 (called at once)
        with pytest.raises(FileError):
            file.load(beginning())


def test_other_arrays_are_refused(file):
    whole = file.path.read_bytes()
    for change in (
        lambda a: a | {"best.other": np.ones(1)},
        lambda a: {n: v for n, v in a.items() if n != "state.model.slope"},
        lambda a: a | {"state.model.slope": np.ones(4, np.float32)},
    ):
        file.path.write_bytes(whole)
        changed(file, arrays=change)
        with pytest.raises(FileError, match="m\\.run/state"):
            file.load(beginning())


def test_of_other_data(file):
    other = ml.RunFile(file.folder, SETTINGS | {"data_digest": "abd"})
    with pytest.raises(FileError, match="digest of the data: got abd, expected abc"):
        other.load(beginning())


def test_of_an_earlier_version_without_a_checksum(file):
    changed(file, lambda h: h | {"schema": 1})
    with pytest.raises(FileError, match="has no checksum: an earlier version of ginjax wrote it") as caught:
        file.load(beginning())
    assert "`force=True`" in caught.value.hint


def test_of_an_earlier_version_that_knew_no_changes(file):
    changed(file, lambda h: {name: value for name, value in h.items() if name != "changes"})
    _, progress = file.load(beginning())
    assert (progress.step, file.changes) == (20, ())
    whole = file.path.read_bytes()
    for value in (1, {}, [1], "x"):
        file.path.write_bytes(whole)
        changed(file, lambda h: h | {"changes": value})  # noqa: B023 (called at once)
        with pytest.raises(FileError, match="changes"):
            file.load(beginning())


def test_only_files_of_ours_are_removed(file):
    (file.folder / ".ginjax-00-00-1-00.tmp").write_text("half")
    (file.folder / "notes.txt").write_text("mine")
    (file.folder / "pictures").mkdir()
    file.remove()
    assert sorted(path.name for path in file.folder.iterdir()) == ["notes.txt", "pictures"]
    file.save(beginning(), ml.Progress())
    for path in (file.folder / "notes.txt", file.folder / "pictures"):
        path.unlink() if path.is_file() else path.rmdir()
    file.remove()
    file.remove()
    assert not file.folder.exists()
