"""Stop conditions and early stopping: when training ends, and which model it keeps."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence

from jaxtyping import PyTree

from ginjax._not_carried import refuse_methods
from ginjax.errors import ArgumentError

logger = logging.getLogger("ginjax")


@refuse_methods
class StopCondition(ABC):
    """A condition that decides after every epoch whether training ends; `best_model` is the model to keep.

    The library prints nothing. Messages that `verbose` asks for go to the logger "ginjax" at level INFO, which
    `logging.basicConfig(level=logging.INFO)` shows.

    **Arguments:**

    - `verbose`: 0 logs nothing. 1 logs some epochs: about ten if their number is known, otherwise every new best one. 2 logs
      every epoch.
    """

    def __init__(self, verbose: int = 0):
        if verbose not in (0, 1, 2):
            raise ArgumentError("verbose", got=verbose, expected="0, 1 or 2")
        self.verbose = verbose
        self.best_model: PyTree = None

    @abstractmethod
    def stop(
        self,
        model: PyTree,
        current_epoch: int,
        train_loss: float | None,
        val_loss: float | None,
        epoch_time: float,
    ) -> bool:
        """Decide after an epoch whether training ends.

        **Arguments:**

        - `model`: the current model; the condition may keep it.
        - `current_epoch`: number of completed epochs; 0 before the first.
        - `train_loss`, `val_loss`: the losses of the last epoch; None if there is none.
        - `epoch_time`: duration of the last epoch in seconds.

        **Returns:** whether to stop.
        """

    def log(
        self, notable: bool, epoch: int, train_loss: float | None, val_loss: float | None, epoch_time: float
    ) -> None:
        """Log an epoch if `verbose` is 2, or if it is 1 and the epoch is `notable`."""
        if epoch and (self.verbose == 2 or (self.verbose == 1 and notable)):
            losses = ("-" if loss is None else f"{loss:.7f}" for loss in (train_loss, val_loss))
            logger.info("Epoch %d Train: %s Val: %s Epoch time: %.5f", epoch, *losses, epoch_time)


class EpochStop(StopCondition):
    """Stop after a number of epochs, and keep the last model.

    **Arguments:**

    - `epochs`: the number of epochs.
    - `verbose`: as in `StopCondition`.
    """

    def __init__(self, epochs: int, verbose: int = 0):
        super().__init__(verbose)
        self.epochs = epochs

    def stop(self, model, current_epoch, train_loss, val_loss, epoch_time) -> bool:
        self.best_model = model
        tenth = current_epoch % max(self.epochs // 10, 1) == 0
        self.log(tenth, current_epoch, train_loss, val_loss, epoch_time)
        return current_epoch >= self.epochs


class _Plateau(StopCondition):
    """Stop when a loss has not improved by `min_delta` for more than `patience` epochs."""

    def __init__(self, patience: int, min_delta: float, verbose: int):
        super().__init__(verbose)
        self.patience = patience
        self.min_delta = min_delta
        self.best_loss = float("inf")
        self.epochs_since_best = 0

    def _observe(self, loss: float | None, model, current_epoch, train_loss, val_loss, epoch_time) -> bool:
        if self.best_model is None:
            self.best_model = model
        better = loss is not None and loss < self.best_loss - self.min_delta
        self.log(better, current_epoch, train_loss, val_loss, epoch_time)
        if loss is None:
            return False
        if better:
            self.best_loss = loss
            self.best_model = model
            self.epochs_since_best = 0
        else:
            self.epochs_since_best += 1
        return self.epochs_since_best > self.patience


class TrainLoss(_Plateau):
    """Stop when the training loss no longer falls, and keep the model with the lowest training loss.

    **Arguments:**

    - `patience`: number of epochs without improvement that are tolerated.
    - `min_delta`: smallest decrease that counts.
    - `verbose`: as in `StopCondition`.
    """

    def __init__(self, patience: int = 0, min_delta: float = 0, verbose: int = 0):
        super().__init__(patience, min_delta, verbose)

    def stop(self, model, current_epoch, train_loss, val_loss, epoch_time) -> bool:
        return self._observe(train_loss, model, current_epoch, train_loss, val_loss, epoch_time)


class ValLoss(_Plateau):
    """Stop when the validation loss no longer falls, and keep the model with the lowest validation loss.

    Without validation data it never stops.

    **Arguments:**

    - `patience`: number of epochs without improvement that are tolerated.
    - `min_delta`: smallest decrease that counts.
    - `verbose`: as in `StopCondition`.
    """

    def __init__(self, patience: int = 0, min_delta: float = 0, verbose: int = 0):
        super().__init__(patience, min_delta, verbose)

    def stop(self, model, current_epoch, train_loss, val_loss, epoch_time) -> bool:
        return self._observe(val_loss, model, current_epoch, train_loss, val_loss, epoch_time)


class AnyStop(StopCondition):
    """Stop when any of several conditions does, and keep the model of the first condition in the list.

    **Arguments:**

    - `stop_conditions`: a list of conditions, or one condition; each of them sees every epoch.
    - `more`: further conditions.
    """

    def __init__(self, stop_conditions: Sequence[StopCondition] | StopCondition, *more: StopCondition):
        super().__init__()
        first = [stop_conditions] if isinstance(stop_conditions, StopCondition) else stop_conditions
        self.stop_conditions = [*first, *more]
        if not self.stop_conditions:
            raise ArgumentError("stop_conditions", got="none", expected="at least one stop condition")

    def stop(self, model, current_epoch, train_loss, val_loss, epoch_time) -> bool:
        # A list, not a generator: a condition that is not called would miss the epoch.
        answers = [
            condition.stop(model, current_epoch, train_loss, val_loss, epoch_time)
            for condition in self.stop_conditions
        ]
        self.best_model = self.stop_conditions[0].best_model
        return any(answers)
