"""Options that say how to train."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ._choices import Choice

LOSSES = Choice(("smse", "nrmse", "normalized-smse"), "ginjax.losses")
OPTIMISERS = Choice(("adamw", "adam", "sgd", "momentum", "lion", "rmsprop"), "ginjax.optimisers")
SCHEDULES = Choice(("cosine", "linear", "constant"), "ginjax.schedules")
LOGGERS = Choice(("tensorboard", "wandb", "mlflow"), "ginjax.loggers")

_DATA = "Data"
_TRAINING = "Training"
_RUN = "Course of the run"
_DEVICES = "Devices"

DataPath = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Train on these data (a file or a folder; see 'ginjax data inspect') instead of simulating.",
        metavar="PATH",
        rich_help_panel=_DATA,
    ),
]
Valid = Annotated[
    float,
    typer.Option(
        "--valid",
        min=0.0,
        max=0.9,
        help="With --data: fraction of the trajectories to validate on, unless the data are parted.",
        rich_help_panel=_DATA,
    ),
]
Test = Annotated[
    float,
    typer.Option(
        "--test",
        min=0.0,
        max=0.9,
        help="With --data: fraction of the trajectories for the error in the end, unless the data are parted.",
        rich_help_panel=_DATA,
    ),
]
PastSteps = Annotated[
    int | None,
    typer.Option(
        "--past-steps",
        min=1,
        max=64,
        help="Frames the network sees.",
        show_default="1, or those of --init",
        rich_help_panel=_DATA,
    ),
]
Residual = Annotated[
    bool | None,
    typer.Option(
        "--residual/--no-residual",
        help="Predict the change of the fields, not the fields.",
        show_default="no, or as --init",
        rich_help_panel=_DATA,
    ),
]
Epochs = Annotated[
    float | None,
    typer.Option(
        "--epochs",
        min=1e-3,
        help="Train as often on every sample, instead of --steps.",
        rich_help_panel=_TRAINING,
    ),
]
TimeBudget = Annotated[
    str | None,
    typer.Option(
        "--time-budget",
        help="Stop training after this time, such as 90s, 30m or 8h; alone, the schedule is constant.",
        metavar="TIME",
        rich_help_panel=_TRAINING,
    ),
]
LossName = Annotated[
    str,
    typer.Option(
        "--loss",
        parser=LOSSES,
        metavar=LOSSES.metavar,
        help="What training makes small: the squared error (smse), the error relative to each sample's size (nrmse), or "
        "the squared error relative to the field at each pixel (normalized-smse).",
        rich_help_panel=_TRAINING,
    ),
]
Optimiser = Annotated[
    str,
    typer.Option(
        "--optimiser",
        parser=OPTIMISERS,
        metavar=OPTIMISERS.metavar,
        help="Optimiser.",
        rich_help_panel=_TRAINING,
    ),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        "--schedule",
        parser=SCHEDULES,
        metavar=SCHEDULES.metavar,
        help="How the learning rate falls after its rise.",
        show_default="cosine",
        rich_help_panel=_TRAINING,
    ),
]
Warmup = Annotated[
    float,
    typer.Option(
        "--warmup", min=0.0, max=0.99, help="Share of the steps in which it rises.", rich_help_panel=_TRAINING
    ),
]
WeightDecay = Annotated[
    float,
    typer.Option(
        "--weight-decay", min=0.0, max=1.0, help="Weight decay of adamw and lion.", rich_help_panel=_TRAINING
    ),
]
Clip = Annotated[
    float,
    typer.Option(
        "--clip", min=0.0, help="Largest norm of the gradient; 0 for no limit.", rich_help_panel=_TRAINING
    ),
]
NoiseSize = Annotated[
    float,
    typer.Option(
        "--noise",
        min=0.0,
        max=10.0,
        help="Noise on the inputs, in standard deviations of each field, for stable rollouts.",
        rich_help_panel=_TRAINING,
    ),
]
Unroll = Annotated[
    int,
    typer.Option(
        "--unroll",
        min=1,
        max=64,
        help="Predictions fed back into each other in the loss, for stable rollouts.",
        rich_help_panel=_TRAINING,
    ),
]
Patience = Annotated[
    int | None,
    typer.Option(
        "--patience",
        min=0,
        help="Stop after more than this many validations without improvement.",
        show_default="never",
        rich_help_panel=_TRAINING,
    ),
]
ValidateEvery = Annotated[
    int | None,
    typer.Option(
        "--validate-every",
        min=1,
        help="Steps between two validations; the best model is kept.",
        show_default="20 times in a run with validation data or --patience",
        rich_help_panel=_TRAINING,
    ),
]
Adapt = Annotated[
    list[str] | None,
    typer.Option(
        "--adapt",
        help="With --init: train the network for data that differ in this from those it was trained on; may be repeated.",
        metavar="boundary|spacing|time-step",
        rich_help_panel=_TRAINING,
    ),
]
Freeze = Annotated[
    list[str] | None,
    typer.Option(
        "--freeze",
        help="Parameters to leave as they are: a group such as encoder or blocks.0, or a pattern such as "
        "'*.bias.*'; may be repeated.",
        metavar="GROUP",
        rich_help_panel=_TRAINING,
    ),
]
Accumulate = Annotated[
    int,
    typer.Option(
        "--accumulate",
        min=1,
        help="Parts of a batch to compute one after the other: less memory, the same steps.",
        rich_help_panel=_RUN,
    ),
]
Remat = Annotated[
    bool,
    typer.Option(
        "--remat",
        help="Compute activations twice instead of keeping them: less memory.",
        rich_help_panel=_RUN,
    ),
]
PrecisionName = Annotated[
    Literal["float32", "bfloat16"],
    typer.Option(
        "--precision",
        help="Of the activations, for devices that are fast in it; parameters, norms and loss are float32.",
        rich_help_panel=_RUN,
    ),
]
CheckpointEvery = Annotated[
    str,
    typer.Option(
        "--checkpoint-every",
        help="Steps (500) or time (30s, 10m) between two saved states, or 'never'.",
        metavar="INTERVAL",
        rich_help_panel=_RUN,
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on where an interrupted run stopped, if one did.", rich_help_panel=_RUN
    ),
]
Log = Annotated[
    list[str] | None,
    typer.Option(
        "--log",
        parser=LOGGERS,
        metavar=LOGGERS.metavar,
        help="Log to this program too; may be repeated.",
        rich_help_panel=_RUN,
    ),
]
Devices = Annotated[
    int | None,
    typer.Option(
        "--devices",
        min=1,
        help="Devices to divide each batch over.",
        show_default="those that divide the batch",
        rich_help_panel=_DEVICES,
    ),
]
Distributed = Annotated[
    bool,
    typer.Option(
        "--distributed",
        help="Train together with other processes, started alike; a cluster that JAX knows needs no more.",
        rich_help_panel=_DEVICES,
    ),
]
Coordinator = Annotated[
    str | None,
    typer.Option(
        "--coordinator", help="Where process 0 listens.", metavar="HOST:PORT", rich_help_panel=_DEVICES
    ),
]
Processes = Annotated[
    int | None,
    typer.Option("--processes", min=1, help="Number of processes.", rich_help_panel=_DEVICES),
]
Process = Annotated[
    int | None,
    typer.Option("--process", min=0, help="Number of this process, from 0.", rich_help_panel=_DEVICES),
]


def parse_seconds(option: str, text: str) -> float:
    """`90s`, `30m` or `8h` in seconds."""
    from ginjax.errors import ArgumentError

    unit = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(text[-1:], 0.0)
    try:
        seconds = float(text[:-1]) * unit
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise ArgumentError(option, got=repr(text), expected="a time such as 90s, 30m or 8h")
    return seconds


def parse_interval(option: str, text: str) -> tuple[int | None, float | None]:
    """`500`, `10m` or `never` as a number of steps or of seconds."""
    from ginjax.errors import ArgumentError

    if text == "never":
        return None, None
    if text.isdecimal() and int(text) > 0:
        return int(text), None
    try:
        return None, parse_seconds(option, text)
    except ArgumentError as error:
        raise ArgumentError(
            option, got=repr(text), expected="steps such as 500, a time such as 10m, or never"
        ) from error
