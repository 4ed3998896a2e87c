"""When training ends, and which model it ends with."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import Any

from ginjax.errors import ArgumentError

logger = logging.getLogger("ginjax.ml")


class StopCondition(ABC):
    """Decides after every epoch whether training ends; `best_model` is the model to keep.

    **Arguments:**

    - `verbose`: 0 silent, 1 logs every new best epoch, 2 every epoch (logger "ginjax.ml", level INFO).
    """

    def __init__(self, verbose: int = 0):
        if verbose not in (0, 1, 2):
            raise ArgumentError("verbose", got=verbose, expected="0, 1 or 2")
        self.verbose = verbose
        self.best_model: Any = None

    @abstractmethod
    def stop(
        self,
        model: Any,
        current_epoch: int,
        train_loss: float | None,
        val_loss: float | None,
        epoch_time: float,
    ) -> bool:
        """Look at an epoch.

        **Arguments:**

        - `model`: the model now; the condition may keep it.
        - `current_epoch`: epochs completed; 0 before the first.
        - `train_loss`, `val_loss`: the losses of the last epoch, None where there is none.
        - `epoch_time`: seconds the last epoch took.

        **Returns:** whether to stop.
        """

    def log(
        self, level: int, epoch: int, train_loss: float | None, val_loss: float | None, epoch_time: float
    ) -> None:
        """Log an epoch if `verbose` is at least `level`."""
        if self.verbose >= level:
            logger.info("epoch %d: train %s, validation %s, %.2f s", epoch, train_loss, val_loss, epoch_time)


class EpochStop(StopCondition):
    """Stops after a number of epochs and keeps the last model.

    **Arguments:**

    - `epochs`: the number of epochs.
    - `verbose`: as in `StopCondition`.
    """

    def __init__(self, epochs: int, verbose: int = 0):
        super().__init__(verbose)
        self.epochs = epochs

    def stop(self, model, current_epoch, train_loss, val_loss, epoch_time) -> bool:
        self.best_model = model
        self.log(2, current_epoch, train_loss, val_loss, epoch_time)
        return current_epoch >= self.epochs


class _Plateau(StopCondition):
    """Stops when a loss has not improved by `min_delta` for more than `patience` epochs."""

    def __init__(self, patience: int, min_delta: float, verbose: int):
        super().__init__(verbose)
        self.patience = patience
        self.min_delta = min_delta
        self.best_loss = float("inf")
        self.epochs_since_best = 0

    def _observe(self, loss: float | None, model, current_epoch, train_loss, val_loss, epoch_time) -> bool:
        if self.best_model is None:
            self.best_model = model
        self.log(2, current_epoch, train_loss, val_loss, epoch_time)
        if loss is None:
            return False
        if loss < self.best_loss - self.min_delta:
            self.best_loss = loss
            self.best_model = model
            self.epochs_since_best = 0
            if self.verbose == 1:
                self.log(1, current_epoch, train_loss, val_loss, epoch_time)
        else:
            self.epochs_since_best += 1
        return self.epochs_since_best > self.patience


class TrainLoss(_Plateau):
    """Stops when the training loss no longer falls and keeps the model of the lowest one.

    **Arguments:**

    - `patience`: epochs without improvement that are tolerated.
    - `min_delta`: smallest decrease that counts.
    - `verbose`: as in `StopCondition`.
    """

    def __init__(self, patience: int = 0, min_delta: float = 0, verbose: int = 0):
        super().__init__(patience, min_delta, verbose)

    def stop(self, model, current_epoch, train_loss, val_loss, epoch_time) -> bool:
        return self._observe(train_loss, model, current_epoch, train_loss, val_loss, epoch_time)


class ValLoss(_Plateau):
    """Stops when the validation loss no longer falls and keeps the model of the lowest one.

    Without validation data it never stops.

    **Arguments:**

    - `patience`: epochs without improvement that are tolerated.
    - `min_delta`: smallest decrease that counts.
    - `verbose`: as in `StopCondition`.
    """

    def __init__(self, patience: int = 20, min_delta: float = 0, verbose: int = 0):
        super().__init__(patience, min_delta, verbose)

    def stop(self, model, current_epoch, train_loss, val_loss, epoch_time) -> bool:
        return self._observe(val_loss, model, current_epoch, train_loss, val_loss, epoch_time)


class AnyStop(StopCondition):
    """Stops when any of several conditions does, and keeps the model of that condition.

    If several stop at once, the first in the order given decides; until one does, the first of all.

    **Arguments:**

    - `conditions`: the conditions; each sees every epoch.
    """

    def __init__(self, *conditions: StopCondition):
        super().__init__()
        if not conditions:
            raise ArgumentError("conditions", got="none", expected="at least one stop condition")
        self.conditions = conditions

    def stop(self, model, current_epoch, train_loss, val_loss, epoch_time) -> bool:
        # A list, not a generator: a condition that is not asked would miss the epoch.
        answers = [
            condition.stop(model, current_epoch, train_loss, val_loss, epoch_time)
            for condition in self.conditions
        ]
        deciding = answers.index(True) if True in answers else 0
        self.best_model = self.conditions[deciding].best_model
        return any(answers)
