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
    assert ValLoss().patience == TrainLoss().patience == 0


def test_any_stop_stops_with_any_and_keeps_the_model_of_the_first():
    losses = both(1, 2, 3, 4)
    for build in (AnyStop, lambda *conditions: AnyStop(list(conditions))):
        assert run(build(EpochStop(3), TrainLoss(patience=9)), losses) == (3, "model 3")
        # The second stops, the first chooses the model; the other way round it is another one.
        assert run(build(EpochStop(9), TrainLoss(patience=1)), losses) == (3, "model 3")
        assert run(build(TrainLoss(patience=1), EpochStop(9)), losses) == (3, "model 1")
    assert run(AnyStop([EpochStop(9)], EpochStop(2)), losses) == (2, "model 2")
    assert run(AnyStop(stop_conditions=[EpochStop(2)]), losses) == (2, "model 2")
    for none in (lambda: AnyStop([]), lambda: AnyStop(())):
        with pytest.raises(ArgumentError, match="stop_conditions"):
            none()


def logged(caplog, condition, losses):
    """The epochs that the logger "ginjax" was told about."""
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="ginjax"):
        run(condition, losses)
    assert all(record.name == "ginjax" and record.levelno == logging.INFO for record in caplog.records)
    return [int(record.getMessage().split()[1]) for record in caplog.records]


def test_verbose_logs_and_silence_is_the_default(caplog, capsys):
    rising = both(*range(25))
    for quiet in (EpochStop(25), TrainLoss(patience=30), ValLoss(patience=30), AnyStop([EpochStop(25)])):
        assert logged(caplog, quiet, rising) == []
    assert logged(caplog, EpochStop(25, verbose=1), rising) == list(range(2, 25, 2))
    assert logged(caplog, EpochStop(3, verbose=1), rising) == [1, 2, 3]
    assert logged(caplog, EpochStop(25, verbose=2), rising) == list(range(1, 26))
    assert logged(caplog, TrainLoss(patience=9, verbose=1), both(3, 4, 2, 2)) == [1, 3]
    assert logged(caplog, ValLoss(patience=9, verbose=2), both(3, 4, 2, 2)) == [1, 2, 3, 4]
    assert caplog.records[-1].getMessage() == "Epoch 4 Train: 2.0000000 Val: 2.0000000 Epoch time: 0.10000"
    logged(caplog, EpochStop(1, verbose=2), [(0.5, None)])
    assert caplog.records[-1].getMessage() == "Epoch 1 Train: 0.5000000 Val: - Epoch time: 0.10000"
    assert capsys.readouterr() == ("", "")
    with pytest.raises(ArgumentError, match="verbose"):
        EpochStop(1, verbose=3)
