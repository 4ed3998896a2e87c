"""Data for a model's own task: what `convert-d` and `verify` measure errors and calibrate on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._evaluate_data import HeldOut, dimension_of, from_files, simulated
from ._output import Output

if TYPE_CHECKING:
    from ginjax.checkpoint import ModelRecord
    from ginjax.ml import Forecaster, OwnTask

DEFAULT_SAMPLES = 16
_SIMULATED = {"count": 4, "steps": 4}

Samples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=1,
        help="Samples of the data to use, spread evenly.",
        show_default=str(DEFAULT_SAMPLES),
        rich_help_panel="Reading data",
    ),
]


def forecaster_of(record: "ModelRecord", path: Path | None) -> "Forecaster":
    """What a model says about its data, without its network; a file of pairs is read without that too."""
    from ginjax.data import is_pairs
    from ginjax.ml import Forecaster

    silent = not (record.data or {}).get("normalisation")
    bare = silent and path is not None and is_pairs(path)
    return Forecaster.unscaled(None, record) if bare else Forecaster.of(None, record)


def own_task(
    out: Output,
    record: "ModelRecord",
    D: int,
    path: Path | None,
    *,
    pde: str | None = None,
    default: str = "test",
    samples: int | None = None,
    seed: int = 0,
    split: str | None = None,
    **options: Any,
) -> "tuple[OwnTask, str]":
    """Samples in dimension `D` of the task that a model was trained for, and what to call them.

    - `path`: the data; without it `pde` is simulated.
    - `default`: the part of the data to use unless `split` says so.
    - `samples`: how many.
    - `options`: `field`, `parity` and `periodic`, see `open_from_options`.
    """
    from ginjax.errors import ArgumentError
    from ginjax.ml import OwnTask

    forecaster = forecaster_of(record, path)
    if D != forecaster.D:
        forecaster = forecaster.in_dimension(D)
    held_out: HeldOut
    if path is None:
        held_out = simulated(out, forecaster, record, pde, size=None, seed=seed, **_SIMULATED)
    else:
        found = dimension_of(path, **options)
        if found != D:
            what = "the dimension converted to" if D != record.D else "that of the model"
            raise ArgumentError("dimension of the data", got=found, expected=f"{D}, {what}")
        held_out = from_files(record, forecaster, path, split=split, count=None, default=default, **options)
    if held_out.note:
        out.note(held_out.note)
    task = OwnTask.of(
        forecaster, held_out.source, held_out.trajectories, DEFAULT_SAMPLES if samples is None else samples
    )
    return task, held_out.name


def refuse_unread(given: "dict[str, Any]", needed: str) -> None:
    """Refuse options about data where none are read."""
    from ginjax.errors import ArgumentError

    for name, value in given.items():
        if value:
            raise ArgumentError(f"--{name}", got="no data to read", expected=needed)
