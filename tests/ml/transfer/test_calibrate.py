"""Choosing among exact solutions on samples."""

import numpy as np
import pytest

from ginjax.checkpoint import convert_record
from ginjax.data import Normalisation
from ginjax.errors import ArgumentError
from ginjax.geometric import Signature
from ginjax.ml import Calibration, calibrate, make_task, predict
from ginjax.ml.transfer._calibrate import FLEX_RANGE
from ginjax.models import ModelDesign, from_record, to_record
from ginjax.transfer import condition_residual, make_rule

SCALAR = Signature([((0, 0), 1)])


@pytest.fixture(scope="module")
def low():
    return to_record(ModelDesign("SimpleConvSeries", SCALAR, SCALAR, channels=3, blocks=2).build(1, seed=11))


@pytest.fixture(scope="module")
def samples():
    task = make_task("diffusion", 2, trajectories=2, frames=2, side=8, seed=5)
    assert isinstance(task.normalisation, Normalisation)
    return task


def test_a_known_choice_is_found_again(low, samples):
    # The targets are what the network gives at flex 0.4 in every layer: Gauss-Newton must find zero loss.
    wanted = from_record(convert_record(low, 2, make_rule("compat-flex", 0.4)).after)
    target = predict(wanted, samples.X)
    conversion, chosen = calibrate(low, 2, samples.X, target, evaluations=30)
    assert chosen.loss_before > 1e-4  # control: the starting point is not the answer
    assert chosen.loss_after < 1e-3 * chosen.loss_before
    assert conversion.certificate.exact
    np.testing.assert_allclose(list(chosen.flex.values()), 0.4, atol=0.1)


def test_it_never_gets_worse_and_stays_in_bounds(low, samples):
    conversion, chosen = calibrate(low, 2, samples.X, samples.Y, evaluations=4)
    assert chosen.loss_after <= chosen.loss_before
    assert chosen.evaluations <= 4
    assert all(FLEX_RANGE[0] <= t <= FLEX_RANGE[1] for t in chosen.flex.values())
    assert conversion.certificate.exact
    assert conversion.after.provenance[-1]["calibrated_flex"] == dict(chosen.flex)
    # The certificate is that of these weights against the old ones, not a bound on it.
    sides = [(record.arrays, record.layers, record.banks) for record in (low, conversion.after)]
    assert conversion.certificate.residual == condition_residual(*sides) < 1e-6
    # Rounded as conversions are: no further from (C) than the one it started from, within its own largest weights.
    assert conversion.certificate.residual < 3 * convert_record(low, 2, "compatibility").certificate.residual
    assert conversion.certificate.digest == conversion.after.digest
    again, _ = calibrate(low, 2, samples.X, samples.Y, evaluations=4)
    assert again.after.digest == conversion.after.digest


def test_a_choice_that_was_held_at_a_bound_is_known():
    held = Calibration({"a": FLEX_RANGE[1], "b": 0.3, "c": FLEX_RANGE[0]}, 1.0, 0.5, 4)
    assert held.at_bound == ("a", "c")


def test_where_there_is_nothing_to_choose(low, samples):
    high = convert_record(low, 3, "compatibility").after
    with pytest.raises(ArgumentError, match="dimension to calibrate in: got 2, expected more than 3"):
        calibrate(high, 2, samples.X, samples.Y)
    with pytest.raises(ArgumentError, match="dimension of the samples: got 2, expected 3"):
        calibrate(low, 3, samples.X, samples.Y)
