"""Samples of a model's own task, out of any data."""

import dataclasses

import jax
import numpy as np
import pytest

from ginjax.checkpoint import DataContract, axes_of
from ginjax.data import (
    Field,
    FieldScale,
    MemorySource,
    Normalisation,
    Trajectories,
    Windows,
    is_pairs,
    pairs_as_source,
    read_pairs,
    select_fields,
    write_pairs,
)
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.ml import OwnTask, frames_of

DENSITY, VELOCITY, DEPTH = Field("density", 0, 0), Field("velocity", 1, 0), Field("depth", 0, 0)
SCALES = (FieldScale(DENSITY, 2.0, 1.0, increment=0.5), FieldScale(VELOCITY, 4.0, increment=1.0))
STEADY = FieldScale(DEPTH, 3.0)
NORMALISATION = Normalisation(SCALES, (STEADY,))
SCALAR, VECTOR = DENSITY.key, VELOCITY.key


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class WithDepth(MemorySource):
    """A memory source with a constant field."""

    def _read_constants(self, trajectory):
        return {"depth": np.full(self.spatial, 3.0 + trajectory, np.float32)}


def straight(frames=5, seed=0, **changes):
    """Trajectories that change by the same amount from frame to frame."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames, dtype=np.float32)
    fields = {}
    for name, tail in (("density", ()), ("velocity", (2,))):
        start, slope = rng.normal(size=(2, 3, 1, 4, 4, *tail)).astype(np.float32)
        fields[name] = start + slope * time.reshape(1, -1, *(1,) * (2 + len(tail)))
    made = WithDepth.of(Trajectories((DENSITY, VELOCITY), fields, 2, 0.5, 0.1))
    return dataclasses.replace(made, constants=(DEPTH,), **changes)


def contract(schema=(DENSITY, VELOCITY), residual=True, is_torus=(True, True)):
    return DataContract(
        axes_of(is_torus),
        schema,
        (DEPTH,),
        scales=(*(NORMALISATION.of(each.name) for each in schema), STEADY),
        past_steps=2,
        residual=residual,
        spacing=0.5,
        time_step=0.1,
    )


def change_goes_on(x):
    """The change between the two past frames, in the scale of increments: exact on straight trajectories."""
    return MultiImage({key: 4 * (block[1:2] - block[:1]) for key, block in x.items()}, 2), None


def line_goes_on(x):
    return MultiImage({key: 2 * block[1:2] - block[:1] for key, block in x.items()}, 2), None


def nothing(x):
    return MultiImage({key: 0 * block[:1] for key, block in x.items()}, 2), None


@pytest.mark.parametrize(("residual", "model"), [(True, change_goes_on), (False, line_goes_on)])
def test_a_model_is_measured_in_its_own_terms(residual, model):
    task = OwnTask.of(contract(residual=residual), straight())
    assert len(task.indices) == 9
    found = task.error(jax.tree_util.Partial(model))
    assert found.model < 1e-5 < found.persistence
    # Control: a model that predicts nothing is no change for the one kind and zero for the other.
    other = task.error(jax.tree_util.Partial(nothing)).model
    assert other == pytest.approx(found.persistence if residual else 1.0, rel=1e-5)


def test_the_error_is_that_of_frames_in_normalised_units():
    source = straight()
    task = OwnTask.of(contract(), source, [1], samples=1)
    unchanged = task.error(jax.tree_util.Partial(nothing)).persistence
    read = source.read(1, 0, 3)
    before, after = ({n: NORMALISATION.of(n).normalise(v[t]) for n, v in read.items()} for t in (1, 2))
    ratios = [np.linalg.norm(after[n] - before[n]) / np.linalg.norm(after[n]) for n in read]
    assert unchanged == pytest.approx(np.mean(ratios), rel=1e-5)


def test_samples_are_spread_over_the_chosen_trajectories():
    task = OwnTask.of(contract(), straight(), [0, 2], samples=3)
    assert task.indices.tolist() == [0, 2, 5]
    assert [task.windows.locate(i)[0] for i in task.indices] == [0, 0, 2]
    X, Y = task.pairs()
    assert {key: block.shape[:2] for key, block in X.items()} == {SCALAR: (3, 3), VECTOR: (3, 2)}
    assert Y[SCALAR].shape[:2] == (3, 1)
    assert len(OwnTask.of(contract(), straight(), samples=100).indices) == 9


def test_fields_that_the_model_does_not_know_are_left_out():
    task = OwnTask.of(contract((VELOCITY,)), straight())
    X, Y = task.pairs()
    assert [(key, block.shape[1]) for key, block in X.items()] == [(SCALAR, 1), (VECTOR, 2)]
    assert list(Y) == [VECTOR]
    whole = straight()
    some = select_fields(whole, (VELOCITY,))
    np.testing.assert_array_equal(some.read(1, 0, 2)["velocity"], whole.read(1, 0, 2)["velocity"])
    assert list(some.read(0, 0, 1)) == ["velocity"] and some.read_constants(0) == {}
    with pytest.raises(ArgumentError, match="field 'velocity': got density, velocity, expected a field of"):
        select_fields(whole, (Field("velocity", 1, 1),))


def test_data_that_do_not_fit_are_refused():
    for changes, message in (
        ({"time_step": 0.2}, "time step of the data: got 0.2, expected 0.1"),
        ({"constants": ()}, "constant fields of the data: got none, expected depth"),
        ({"frames": 2}, "frames of the data: got 2, expected at least 3"),
    ):
        with pytest.raises(ArgumentError, match=message):
            OwnTask.of(contract(), dataclasses.replace(straight(), **changes))
    with pytest.raises(ArgumentError, match="dimension of the data: got 2, expected 3"):
        OwnTask.of(contract().in_dimension(3), straight())


def test_another_dimension_has_the_same_task():
    mixed = contract(is_torus=(False, True))
    up = mixed.in_dimension(3)
    assert up.is_torus == (False, True, True) and up.D == 3
    assert mixed.in_dimension(1).is_torus == (False,)
    here, there = frames_of(mixed), frames_of(up)
    assert (there.past_steps, there.constants) == (here.past_steps, here.constants) == (2, {SCALAR: 1})
    assert there.increments.keys() == here.increments.keys() == {SCALAR, VECTOR}
    for key, ratio in here.increments.items():
        np.testing.assert_array_equal(there.increments[key], ratio)
        np.testing.assert_array_equal(ratio, [0.25])


def test_pairs_are_short_trajectories(tmp_path):
    """Frames cut out of trajectories, written as pairs, read back as a source: the same samples."""
    source = straight()
    whole = Normalisation(
        tuple(FieldScale(s.field, 1.0, increment=1.0) for s in SCALES), (FieldScale(DEPTH, 1.0),)
    )
    X, Y = Windows(source, whole, past_steps=2).take(np.arange(9))
    write_pairs(tmp_path / "pairs", X, Y)
    assert is_pairs(tmp_path / "pairs")
    pairs = pairs_as_source(*read_pairs(tmp_path / "pairs"), (DENSITY, VELOCITY), (DEPTH,), 2)
    assert (pairs.trajectories, pairs.frames, pairs.spacing) == (9, 3, None)
    given, expected = (OwnTask.of(contract(), each).pairs() for each in (pairs, source))
    for ours, theirs in zip(given, expected, strict=True):
        for key, block in theirs.items():
            np.testing.assert_allclose(ours[key], block, rtol=1e-6, atol=1e-6)
    with pytest.raises(
        ArgumentError, match=r"inputs of the pairs: got 3 of order 0 even, 2 of order 1 even, exp"
    ):
        pairs_as_source(X, Y, (DENSITY, VELOCITY), (DEPTH,), 1)


def test_what_does_not_begin_as_pairs_do(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "text").write_text("[1, 2, 3, 4, 5, 6]")
    (tmp_path / "short").write_bytes(b"\0" * 8)
    assert not any(is_pairs(tmp_path / name) for name in ("array.npy", "text", "short", "absent", "."))
