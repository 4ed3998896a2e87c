"""A training loss that grows is noticed while there is still time to be saved."""

import numpy as np
import pytest

import ginjax
from ginjax import Network
from ginjax.errors import GinjaxWarning
from ginjax.ml import Report, TrainSettings
from ginjax.ml.training._growing_loss import GROWTH, WINDOW, GrowingLoss, watching_growth


def noted(losses, portion=7):
    """What is said of losses that come in portions, and after how many steps."""
    growing, said = GrowingLoss(3e-3), []
    for start in range(0, len(losses), portion):
        part = np.asarray(losses[start : start + portion])
        found = growing.note(Report(start + len(part), part, 0.0))
        if found is not None:
            said.append((start + len(part), found))
    return said


def test_a_loss_that_grows_is_told_once_and_early():
    falling = np.geomspace(2.0, 0.8, 3 * WINDOW)
    growing = np.geomspace(1.0, 4000.0, 6 * WINDOW)
    ((step, said),) = noted([*falling, *growing])
    assert step < 3 * WINDOW + 5 * WINDOW
    assert f"since step {3 * WINDOW}: " in said and "`learning_rate=0.001`" in said


def test_a_loss_that_was_zero_may_grow():
    ((_, said),) = noted([*np.zeros(WINDOW), *np.ones(3 * WINDOW)])
    assert f"has grown from 0 to 1 since step {WINDOW}: " in said


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (1.0, np.inf, "become infinite"),
        (1e-300, 1e30, "grown from 1e-300 to 1e+30"),
        (0.5, 20.0, "grown 40-fold"),
        (1.0, 3e30, "grown 3e+30-fold"),
    ],
)
def test_how_much_it_grew_is_a_number_or_a_word(before, after, words):
    ((_, said),) = noted([*np.full(WINDOW, before), *np.full(3 * WINDOW, after)])
    assert f"the training loss has {words} since step {WINDOW}: " in said


@pytest.mark.parametrize(
    "losses",
    [
        np.geomspace(2.0, 1e-4, 200),
        np.where(np.arange(200) % 5 == 0, 100.0, 1.0),  # a batch in five is hard
        np.r_[np.ones(60), np.full(WINDOW, 2 * GROWTH), np.ones(60)],  # a jump that heals by itself
        np.r_[np.ones(60), np.full(60, 0.9 * GROWTH)],
    ],
    ids=["falls", "single batches", "heals", "not far enough"],
)
def test_other_losses_are_let_be(losses):
    assert noted(losses) == []


def test_reports_are_passed_on_and_a_validation_is_no_step():
    seen, told = [], []
    watched = watching_growth(TrainSettings(learning_rate=1e-2), seen.append, told.append)
    for losses in ([1.0] * WINDOW, [], [50.0] * 2 * WINDOW):
        step = sum(len(each.losses) for each in seen) + len(losses)
        watched(Report(step, np.array(losses), 0.0, validation=None if losses else 1e9))
    assert len(seen) == 3 and len(told) == 1 and "`learning_rate=0.003`" in told[0]


def test_a_training_warns_while_it_goes_on():
    data = {"train": ginjax.simulate("diffusion", 1, trajectories=2, steps=4, side=8)}
    settings = TrainSettings(steps=160, learning_rate=5.0, warmup=0.9)
    with pytest.warns(GinjaxWarning) as told:
        ginjax.train(data, settings, network=Network("series", channels=2, blocks=1), progress=False)
    grown = [str(each.message) for each in told if "has grown" in str(each.message)]
    assert len(grown) == 1 and "`learning_rate=2`" in grown[0]
