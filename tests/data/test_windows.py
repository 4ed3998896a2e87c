"""Samples cut out of a source."""

import dataclasses

import numpy as np
import pytest
from data.layouts import by_seed, numbers, well_file

from ginjax.data import (
    Field,
    FieldScale,
    MemorySource,
    Normalisation,
    Trajectories,
    Windows,
    measure_normalisation,
    one_step_pairs,
    open_data,
    split_trajectories,
)
from ginjax.errors import ArgumentError, FileError

SCALAR, VECTOR = ((), 0), ((False,), 0)
BOTH = (True, True)


def random_trajectories(frames=6):
    rng = np.random.default_rng(0)
    fields = (Field("a", 0, 0), Field("v", 1, 0), Field("b", 0, 0))
    shapes = {"a": (), "v": (2,), "b": ()}
    arrays = {name: rng.standard_normal((3, frames, 4, 4, *tail)) for name, tail in shapes.items()}
    arrays = {name: (2 + 3 * array).astype(np.float32) for name, array in arrays.items()}
    return Trajectories(fields, arrays, 2, 0.1, 0.5, (True, False))


def with_constants(path):
    """One field that counts upward in time, a number by trajectory, and a vector that is the same everywhere."""
    fields = {
        "p": (0, numbers(3, 5, 4, 6), True, True, BOTH),
        "wind": (1, np.float32([1.0, 2.0]), False, False, (False, False)),
    }
    return open_data(well_file(path, fields, scalars={"nu": (np.float32([1, 2, 6]), True, False)}))


def test_windows_over_memory_are_the_pairs_that_the_whole_would_give():
    data = random_trajectories()
    scale = measure_normalisation(data)
    windows = Windows(MemorySource.of(data), scale, past_steps=2)
    X, Y = (scale.apply(image) for image in one_step_pairs(data, 2))
    x, y = windows.take(np.arange(len(windows)))
    assert len(windows) == 12 and x.is_torus == (True, False)
    for key in (SCALAR, VECTOR):
        # JAX and NumPy may round a quotient differently
        np.testing.assert_allclose(x[key], X[key], rtol=3e-7)
        np.testing.assert_allclose(y[key], Y[key], rtol=3e-7)
        assert x[key].dtype == np.float32 and isinstance(x[key], np.ndarray)
    assert windows.input_signature == x.get_signature()
    assert windows.target_signature == y.get_signature()


def test_several_targets_and_changes_by_hand(tmp_path):
    source = with_constants(tmp_path / "a")
    scale = Normalisation(
        (FieldScale(Field("p", 0, 0), 2.0, 10.0, increment=4.0),),
        (FieldScale(Field("wind", 1, 0), 0.5), FieldScale(Field("nu", 0, 0), 1.0, 3.0)),
    )
    windows = Windows(source, scale, past_steps=2, future_steps=3, trajectories=[2])
    x, y = windows.take([0])
    first = 2 * 120 + 24 * np.arange(5)
    # channels: the frames of the field, oldest first, then the constants
    np.testing.assert_array_equal(x[SCALAR][0, :, 0, 0], [*(first[:2] - 10) / 2, 3.0])
    np.testing.assert_array_equal(x[VECTOR][0, 0, 3, 5], [2.0, 4.0])
    np.testing.assert_array_equal(y[SCALAR][0, :, 0, 0], (first[2:] - 10) / 2)
    assert list(y) == [SCALAR]
    assert windows.input_signature == x.get_signature() and windows.target_signature == y.get_signature()
    changes = Windows(source, scale, past_steps=2, future_steps=3, residual=True).take([0])[1]
    np.testing.assert_array_equal(changes[SCALAR][0], np.full((3, 4, 6), 24 / 4))
    absolute = Normalisation((dataclasses.replace(scale.scales[0], increment=None),), scale.constants)
    with pytest.raises(ArgumentError, match="increments of field 'p'"):
        Windows(source, absolute, residual=True)


def test_trajectories_of_different_lengths_give_the_windows_they_hold(tmp_path):
    source = open_data(by_seed(tmp_path / "a", lengths=(5, 3, 6)), fields=["a:0+=data.0"])
    scale = Normalisation((FieldScale(Field("a", 0, 0), 1.0),))
    windows = Windows(source, scale, past_steps=3, trajectories=[0, 1, 2])
    assert [windows.locate(i) for i in range(len(windows))] == [(0, 0), (0, 1), (2, 0), (2, 1), (2, 2)]
    assert windows.take([4])[1][SCALAR][0, 0, 0, 0] == 2000 + 5 * 32
    with pytest.raises(ArgumentError, match=r"at most 6 in each of 3 .*at least 8"):
        Windows(source, scale, past_steps=7)
    with pytest.raises(ArgumentError, match="window: got 5"):
        windows.take([5])
    with pytest.raises(ArgumentError, match="trajectory: got 3"):
        Windows(source, scale, trajectories=[3])
    with pytest.raises(ArgumentError, match="field to normalise: got 'a'"):
        Windows(source, Normalisation(()))


def test_no_frame_outside_of_the_windows_is_read(tmp_path):
    source = with_constants(tmp_path / "a")
    asked = []

    class Watched(type(source)):
        def _read(self, trajectory, start, stop):
            asked.append((trajectory, start, stop))
            return super()._read(trajectory, start, stop)

    values = {field.name: getattr(source, field.name) for field in dataclasses.fields(source)}
    windows = Windows(Watched(**values), measure_normalisation(source), past_steps=2)
    assert asked == []
    windows.take([0, 7])
    assert asked == [(0, 0, 3), (2, 1, 4)]


def test_gaps_are_named_and_not_trained_on():
    data = random_trajectories()
    scale = measure_normalisation(data)
    data.fields["v"][1, 3, 0, 0, 0] = np.nan
    windows = Windows(MemorySource.of(data), scale)
    windows.take([0])
    with pytest.raises(FileError, match="field 'v' of trajectory 1 holds NaN"):
        windows.take([0, 7])


def test_a_split_leaves_no_trajectory_in_two_parts():
    parts = split_trajectories(20, valid=0.1, test=0.2, seed=3)
    assert {name: len(part) for name, part in parts.items()} == {"train": 14, "valid": 2, "test": 4}
    assert sorted(np.concatenate([*parts.values()])) == list(range(20))
    again, other = (split_trajectories(20, valid=0.1, test=0.2, seed=seed) for seed in (3, 4))
    assert all((parts[name] == again[name]).all() for name in parts)
    assert (parts["test"] != other["test"]).any()
    assert [len(part) for part in split_trajectories(3).values()] == [1, 1, 1]
    assert [len(part) for part in split_trajectories(1, valid=0, test=0).values()] == [1, 0, 0]
    with pytest.raises(
        ArgumentError,
        match="number of trajectories: got 2, expected at least 3: 1 for validation, 1 for testing and 1 to train on",
    ):
        split_trajectories(2)
    with pytest.raises(ArgumentError, match="fraction 'valid': got 1"):
        split_trajectories(9, valid=1.0)
