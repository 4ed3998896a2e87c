import numpy as np
import pytest

from ginjax.data import Field, Trajectories, frame_image, one_step_pairs, persistence
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage

SCHEMA = (Field("a", 0, 0), Field("v", 1, 0, "m/s"), Field("b", 0, 0))
SCALAR, VECTOR = ((), 0), ((False,), 0)


def numbered():
    """Every value tells its field, trajectory, time and pixel: 1000 field + 100 trajectory + 10 time + pixel."""
    lead = 100 * np.arange(2)[:, None, None] + 10 * np.arange(4)[None, :, None] + np.arange(3)
    lead = lead.astype(np.float32)
    return Trajectories(
        SCHEMA, {"b": 3000 + lead, "v": 2000 + lead[..., None], "a": 1000 + lead}, 1, 0.1, 0.5, True
    )


def test_pairs_stack_fields_then_frames_with_time_fastest():
    X, Y = one_step_pairs(numbered(), past_steps=2)
    assert X[SCALAR].shape == (4, 4, 3) and Y[SCALAR].shape == (4, 2, 3)
    assert X[VECTOR].shape == (4, 2, 3, 1) and Y[VECTOR].shape == (4, 1, 3, 1)
    np.testing.assert_array_equal(X[SCALAR][:, :, 0], [
        [1000, 1010, 3000, 3010],
        [1010, 1020, 3010, 3020],
        [1100, 1110, 3100, 3110],
        [1110, 1120, 3110, 3120],
    ])  # fmt: skip
    np.testing.assert_array_equal(
        Y[SCALAR][:, :, 2], [[1022, 3022], [1032, 3032], [1122, 3122], [1132, 3132]]
    )
    np.testing.assert_array_equal(X[VECTOR][2, :, 1, 0], [2101, 2111])
    assert X.D == 1 and X.is_torus == (True,)


def test_persistence_is_the_newest_frame():
    X, Y = one_step_pairs(numbered(), past_steps=2)
    last = persistence(X, past_steps=2)
    np.testing.assert_array_equal(last[SCALAR], Y[SCALAR] - 10)
    np.testing.assert_array_equal(last[VECTOR], Y[VECTOR] - 10)
    with pytest.raises(ArgumentError, match="multiple of past_steps"):
        persistence(MultiImage({SCALAR: np.zeros((1, 3, 4))}, 1), past_steps=2)


def test_frame_image_is_one_time_of_all_trajectories():
    np.testing.assert_array_equal(frame_image(numbered(), -1)[SCALAR][:, :, 0], [[1030, 3030], [1130, 3130]])
    with pytest.raises(ArgumentError, match="time: got 4"):
        frame_image(numbered(), 4)


def test_split_separates_whole_trajectories():
    first, rest = numbered().split(1)
    assert first.fields["a"][0, 0, 0] == 1000 and rest.fields["a"][0, 0, 0] == 1100
    assert (first.count, rest.count) == (1, 1)
    with pytest.raises(ArgumentError, match="split: got 2"):
        numbered().split(2)


def test_too_many_past_steps_are_refused():
    with pytest.raises(ArgumentError, match="past_steps: got 4, expected 1 to 3"):
        one_step_pairs(numbered(), past_steps=4)


def test_shapes_are_checked():
    good = numbered()
    with pytest.raises(ArgumentError, match="shape of field 'v'"):
        Trajectories(SCHEMA, {**good.fields, "v": good.fields["a"]}, 1, 0.1, 0.5)
    with pytest.raises(ArgumentError, match="fields of the trajectories"):
        Trajectories(SCHEMA, {"a": good.fields["a"]}, 1, 0.1, 0.5)
    with pytest.raises(ArgumentError, match="parity of field 'a'"):
        Field("a", 0, 2)
