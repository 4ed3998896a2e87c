"""Calibrating on fields that memory has no room for: in parts, or refused before anything is computed."""

import jax
import numpy as np
import pytest

from ginjax.data import simulate
from ginjax.errors import MemoryLimitError
from ginjax.geometric import Signature
from ginjax.ml import calibrate, make_task
from ginjax.ml.task import OwnTask
from ginjax.ml.training import _step_memory
from ginjax.ml.transfer import _sample_errors
from ginjax.ml.transfer._mixtures import Mixtures
from ginjax.ml.transfer._sample_errors import SampleErrors
from ginjax.models import ModelDesign, to_record

SCALAR = Signature([((0, 0), 1)])


@pytest.fixture(scope="module")
def low():
    return to_record(ModelDesign("SimpleConvSeries", SCALAR, SCALAR, channels=2, blocks=1).build(1, seed=0))


@pytest.fixture(scope="module")
def task():
    return make_task("diffusion", 2, trajectories=2, frames=2, side=6, seed=5)


@pytest.mark.parametrize(("samples", "fit", "count"), [(4, 1, 4), (3, 2, 2), (4, 3, 2)])
def test_samples_in_parts_are_as_good_as_all_at_once(low, task, monkeypatch, samples, fit, count):
    """As few parts as there can be, all of one size, whatever the number of samples is divided by."""
    mixtures, t = Mixtures.of(low, 2, "isotropic"), np.array([0.3])
    X, Y = jax.tree.map(lambda block: block[:samples], (task.X, task.Y))
    whole, parts = (SampleErrors(mixtures, X, Y, (slice(1, 5),) * 2) for _ in range(2))
    at_once = whole.loss(t), *whole.quadratic(t)
    monkeypatch.setattr(_sample_errors, "POINTS", fit * 6 * 6)
    in_parts = parts.loss(t), *parts.quadratic(t)
    assert X.get_L() == samples and len(list(parts._parts)) == count
    assert len({x.get_L() for x, _, _ in parts._parts}) == 1
    for a, b in zip(at_once, in_parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    # The control: the derivative is that of the loss.
    ahead, back = whole.loss(t + 0.01), whole.loss(t - 0.01)
    assert (ahead - back) / 0.02 == pytest.approx(2 * at_once[2][0], rel=1e-2)


def test_fields_too_large_to_be_differentiated_are_refused(low, task, monkeypatch):
    calibrate(low, 2, task.X, task.Y, evaluations=1)  # the control
    monkeypatch.setattr(_step_memory, "free_memory", lambda: 1000)
    with pytest.raises(
        MemoryLimitError,
        match=r"fields of 6 x 6 grid points: got .*, expected at most 0.977 KiB.*smaller fields",
    ):
        calibrate(low, 2, task.X, task.Y, evaluations=1)


def test_samples_that_do_not_fit_are_not_read(task, monkeypatch):
    source = simulate("diffusion", 2, trajectories=2, steps=4, side=6, seed=1)
    own = OwnTask.of(task.contract, source, samples=5)
    monkeypatch.setattr("ginjax.ml.task._contract_samples.free_memory", lambda: 3 * 2 * (36 + 36) * 4)
    with pytest.raises(MemoryLimitError, match=r"5 samples of 6 x 6 grid points: got about .*`samples=3`"):
        own.pairs()
    assert OwnTask.of(task.contract, source, samples=3).pairs()[0].get_L() == 3
