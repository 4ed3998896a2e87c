import logging

import pytest

from ginjax.errors import ArgumentError
from ginjax.ml import AnyStop, EpochStop, TrainLoss, ValLoss


def run(condition, losses):
    """Feed `(train, validation)` losses epoch by epoch; the epoch it stops at, or None, and the model kept."""
    if condition.stop("model 0", 0, None, None, 0.0):
        return 0, condition.best_model
    for epoch, (train, val) in enumerate(losses, start=1):
        if condition.stop(f"model {epoch}", epoch, train, val, 0.1):
            return epoch, condition.best_model
    return None, condition.best_model


def both(*values):
    return [(value, value) for value in values]


def test_epoch_stop_keeps_the_last_model():
    assert run(EpochStop(3), both(1, 2, 3, 4)) == (3, "model 3")
    assert run(EpochStop(0), both(1)) == (0, "model 0")


@pytest.mark.parametrize("condition", [TrainLoss, ValLoss])
def test_plateau_keeps_the_best_model_and_waits_for_patience(condition):
    assert run(condition(patience=0), both(3, 2, 2.5, 1)) == (3, "model 2")
    assert run(condition(patience=1), both(3, 2, 2.5, 1, 1.5, 1.2)) == (6, "model 4")
    assert run(condition(patience=5), both(3, 2, 2.5)) == (None, "model 2")


def test_min_delta_is_the_smallest_improvement_that_counts():
    assert run(TrainLoss(patience=0, min_delta=0.5), both(3, 2, 1.8)) == (3, "model 2")
    assert run(TrainLoss(patience=0, min_delta=0.1), both(3, 2, 1.8)) == (None, "model 3")


def test_each_watches_its_own_loss():
    falling_train = [(3, 1), (2, 2), (1, 3)]
    assert run(TrainLoss(), falling_train) == (None, "model 3")
    assert run(ValLoss(patience=1), falling_train) == (3, "model 1")
    assert run(ValLoss(), [(1, None), (2, None)]) == (None, "model 0")
    assert ValLoss().patience == 20


def test_any_stop_takes_the_model_of_the_condition_that_stopped():
    losses = both(1, 2, 3, 4)
    assert run(AnyStop(EpochStop(3), TrainLoss(patience=9)), losses) == (3, "model 3")
    assert run(AnyStop(EpochStop(9), TrainLoss(patience=1)), losses) == (3, "model 1")
    # Both at once: the first given decides.
    assert run(AnyStop(TrainLoss(patience=1), EpochStop(3)), losses) == (3, "model 1")
    with pytest.raises(ArgumentError, match="conditions"):
        AnyStop()


def test_verbose_logs_and_silence_is_the_default(caplog):
    with caplog.at_level(logging.INFO, logger="ginjax.ml"):
        run(EpochStop(1), both(0.5))
        run(TrainLoss(patience=1), both(0.5))
        assert not caplog.records
        run(TrainLoss(patience=3, verbose=1), both(0.5, 0.7))
        assert [record.getMessage() for record in caplog.records] == [
            "epoch 1: train 0.5, validation 0.5, 0.10 s"
        ]
    with pytest.raises(ArgumentError, match="verbose"):
        EpochStop(1, verbose=3)
