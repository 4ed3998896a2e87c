"""Loggers for experiment trackers; each library is imported only when its logger is made."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ginjax._registry import Registry
from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.ml.training._log import Logger, Row
from ginjax.ml.training._optional import how_to_install

_NUMBERS = ("loss", "validation", "learning_rate", "rate")


class TensorBoard:
    """Scalars for TensorBoard, in the folder `<name>.tensorboard` beside the model."""

    def __init__(self, name: Path, settings: Mapping[str, Any]):
        library = _library("tensorboardX", "tensorboard")
        self._writer = library.SummaryWriter(str(name.with_name(f"{name.name}.tensorboard")))
        self._writer.add_text(
            "settings", "\n".join(f"    {key} = {value}" for key, value in settings.items())
        )

    def write(self, row: Row) -> None:
        """Log the numbers of a row at its step."""
        for key, value in _numbers(row).items():
            self._writer.add_scalar(key, value, row["step"])

    def close(self) -> None:
        """End the run."""
        self._writer.close()


class WandB:
    """A run of Weights & Biases named after the model, in the project `ginjax`."""

    def __init__(self, name: Path, settings: Mapping[str, Any]):
        library = _library("wandb", "wandb")
        self._run = library.init(project="ginjax", name=name.name, config=dict(settings))

    def write(self, row: Row) -> None:
        """Log the numbers of a row at its step."""
        self._run.log(_numbers(row), step=row["step"])

    def close(self) -> None:
        """End the run."""
        self._run.finish()


class MLflow:
    """A run of MLflow named after the model, in its current experiment."""

    def __init__(self, name: Path, settings: Mapping[str, Any]):
        self._library = _library("mlflow", "mlflow")
        self._library.start_run(run_name=name.name)
        self._library.log_params(dict(settings))

    def write(self, row: Row) -> None:
        """Log the numbers of a row at its step."""
        self._library.log_metrics(_numbers(row), step=row["step"])

    def close(self) -> None:
        """End the run."""
        self._library.end_run()


MakeLogger = Callable[[Path, Mapping[str, Any]], Logger]
"""`(output file without its suffix, settings) -> Logger`."""


def _check(name: str, make: MakeLogger) -> None:
    if not callable(make):
        raise ArgumentError(
            f"logger {name!r}", got=type(make).__name__, expected="a function (name, settings) -> Logger"
        )


LOGGERS: Registry[MakeLogger] = Registry(
    "logger",
    {"tensorboard": TensorBoard, "wandb": WandB, "mlflow": MLflow},
    home="ginjax.ml.training._loggers:LOGGERS",
    group="ginjax.loggers",
    check=_check,
)
"""Makers of loggers by name: the library's own, then those of `register_logger` and of installed packages."""


def register_logger(name: str, make: MakeLogger) -> MakeLogger:
    """Register a logger for another experiment tracker, until the program ends.

    **Arguments:**

    - `name`: name of the logger, by which it is chosen.
    - `make`: `(output file without its suffix, settings) -> Logger`, called when a training begins.

    **Returns:** `make`.

    **Raises:** `ArgumentError` for a name that is taken.
    """
    return LOGGERS.add(name, make)


def make_logger(kind: str, name: Path, settings: Mapping[str, Any]) -> Logger:
    """Make a logger by name.

    **Arguments:**

    - `kind`: a name in `LOGGERS`.
    - `name`: the output without its suffix; the run is named after it.
    - `settings`: settings of the training.

    **Raises:** `ArgumentError` for an unknown name, `UnsupportedError` if the library is not installed.
    """
    return LOGGERS.find(kind)(name, settings)


def _library(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnsupportedError(
            f"logger {extra!r}",
            got=f"no library {module!r}",
            expected="that library to be installed",
            hint=how_to_install(module),
        ) from error


def _numbers(row: Row) -> dict[str, float]:
    return {key: row[key] for key in _NUMBERS if row.get(key) is not None}
