import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.ml import Deviations, Metric, deviations


def metrics(prediction, truth, D):
    found = deviations(np.asarray(prediction, np.float32), np.asarray(truth, np.float32), D).metrics()
    return {name: float(value) for name, value in found.items()}


def test_by_hand():
    # |e|^2 = 4 and 9; |y|^2 = 20 and 36; about their means 2 and 3: 4 * 1 and 0
    truth = [[1, 3, 1, 3], [3, 3, 3, 3]]
    guess = [[1, 3, 3, 3], [3, 0, 3, 3]]
    found = deviations(np.array(guess, float), np.array(truth, float), 1)
    np.testing.assert_allclose(found.error * 4, [4, 9])
    np.testing.assert_allclose(found.size * 4, [20, 36])
    np.testing.assert_allclose(found.variance * 4, [4, 0])
    values = found.metrics()
    assert values["nrmse"] == pytest.approx((np.sqrt(4 / 20) + np.sqrt(9 / 36)) / 2)
    assert values["relative_l2"] == pytest.approx(np.sqrt(13 / 56))
    assert values["vrmse"] == np.inf  # the second truth does not vary


def test_each_component_has_its_own_mean():
    # a vector on two pixels: (1, 5), (3, 5); the second component does not vary although it is large
    truth, guess = [[[1, 5], [3, 5]]], [[[1, 6], [3, 6]]]
    found = metrics(guess, truth, 1)
    assert found["vrmse"] == pytest.approx(1.0)  # |e|^2 = 2, varies by 1 + 1
    assert found["nrmse"] == pytest.approx(np.sqrt(2 / 60))


def test_the_mean_scores_a_vrmse_of_one_and_nothing_else_does():
    truth = np.random.default_rng(0).normal(2.0, 1.0, (1, 5, 4)).astype(np.float32)
    mean = np.full_like(truth, truth.mean())
    assert metrics(mean, truth, 2)["vrmse"] == pytest.approx(1.0, rel=1e-5)
    assert metrics(mean + 1, truth, 2)["vrmse"] > 1.2


def test_nothing_wrong_counts_as_nothing_and_a_lost_roll_out_as_no_number():
    zeros = np.zeros((1, 3), np.float32)
    assert metrics(zeros, zeros, 1) == {"nrmse": 0.0, "vrmse": 0.0, "relative_l2": 0.0}
    lost = np.full((1, 3), np.nan, np.float32)
    assert all(np.isnan(value) for value in metrics(lost, zeros + 1, 1).values())
    huge = np.full((1, 3), 1e38, np.float32)  # its square leaves float32
    assert metrics(huge, zeros + 1, 1)["nrmse"] == pytest.approx(1e38, rel=1e-5)


def test_shapes_that_would_broadcast_are_refused(wrong_arrays):
    with pytest.raises(ArgumentError, match="shape of the prediction"):
        deviations(np.zeros((1, 4)), np.zeros((2, 4)), 1)


def test_a_metric_averages_samples_out():
    found = Deviations(*np.ones((3, 4, 2)))
    assert Metric("m", "M", lambda found: found.error.mean(axis=0))(found).shape == (2,)
    for wrong in (lambda found: found.error, lambda found: found.error.mean()):
        with pytest.raises(ArgumentError, match=r"metric 'm': got values of shape .*, expected shape \(2,\)"):
            Metric("m", "M", wrong)(found)


def test_steps_as_a_second_axis():
    found = Deviations(*(np.array(each, float) for each in ([[1, 4]], [[4, 4]], [[1, 1]]))).metrics()
    np.testing.assert_allclose(found["nrmse"], [0.5, 1.0])
