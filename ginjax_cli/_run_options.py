"""Options of a run of a training: memory, checkpoints, logs, devices."""

from typing import Annotated, Literal

import typer

from ._choices import Choice
from ._pixels import PIXELS

LOGGERS = Choice(("tensorboard", "wandb", "mlflow"), "ginjax.loggers")

_RUN = "Run: memory, checkpoints, logs"
_DEVICES = "Devices"

Crop = Annotated[
    str | None,
    typer.Option(
        "--crop",
        help="Train on parts of the grid of this many pixels along every axis, or along those named (x=64,z=32), drawn at random and "
        "read with what their predictions depend on, to save memory. Validation and errors go over the whole grid part by part.",
        metavar=PIXELS,
        show_default="the whole grid",
        rich_help_panel=_RUN,
    ),
]
Accumulate = Annotated[
    int,
    typer.Option(
        "--accumulate",
        min=1,
        help="Gradient accumulation: compute each mini-batch in this many parts, to save memory; the steps stay the same.",
        rich_help_panel=_RUN,
    ),
]
Remat = Annotated[
    bool,
    typer.Option(
        "--remat",
        help="Gradient checkpointing: recompute activations in the backward pass, which saves memory and takes time.",
        rich_help_panel=_RUN,
    ),
]
PrecisionName = Annotated[
    Literal["float32", "bfloat16"],
    typer.Option(
        "--precision",
        help="Precision of the activations; bfloat16 is mixed precision: parameters, norms and loss stay float32.",
        rich_help_panel=_RUN,
    ),
]
CheckpointEvery = Annotated[
    str,
    typer.Option(
        "--checkpoint-every",
        help="Interval between two checkpoints of the run: steps (500), time (30s, 10m), or never.",
        metavar="INTERVAL",
        rich_help_panel=_RUN,
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on from the state of a run, interrupted or finished; with another --steps, --epochs, --time-budget, --learning-rate, "
        "--schedule, --warmup, --validate-every, --patience, --accumulate or --remat the run is extended with these. A finished "
        "run that nothing is changed of stays as it is, and without a run one begins.",
        rich_help_panel=_RUN,
    ),
]
KeepState = Annotated[
    bool,
    typer.Option(
        "--keep-state/--no-keep-state",
        help="Keep the state of the optimiser of a finished run, from which --resume --steps MORE extends it.",
        rich_help_panel=_RUN,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Do the first steps, say what the run will take, and write nothing.",
        rich_help_panel=_RUN,
    ),
]
PrintConfig = Annotated[
    bool,
    typer.Option(
        "--print-config",
        help="Print every option as it will be used, as TOML that --config reads, and train nothing.",
        rich_help_panel=_RUN,
    ),
]
Seeds = Annotated[
    str | None,
    typer.Option(
        "--seeds",
        help="Train once for each of these seeds and show mean and spread: 0,1,2 or 0-4. Each model is that of --seed.",
        metavar="SEEDS",
        show_default="one training, with --seed",
        rich_help_panel=_RUN,
    ),
]
Log = Annotated[
    list[str] | None,
    typer.Option(
        "--log",
        parser=LOGGERS,
        metavar=LOGGERS.metavar,
        help="Experiment tracker to log to as well; may be repeated.",
        rich_help_panel=_RUN,
    ),
]
Devices = Annotated[
    int | None,
    typer.Option(
        "--devices",
        min=1,
        help="Number of devices that each mini-batch is divided over.",
        show_default="as many as divide the mini-batch",
        rich_help_panel=_DEVICES,
    ),
]
Distributed = Annotated[
    bool,
    typer.Option(
        "--distributed",
        help="Train in several processes, each started by the same command; on a cluster that JAX recognises, such as "
        "SLURM, nothing else is needed.",
        rich_help_panel=_DEVICES,
    ),
]
Coordinator = Annotated[
    str | None,
    typer.Option(
        "--coordinator",
        help="With --distributed: address at which process 0 listens.",
        metavar="HOST:PORT",
        rich_help_panel=_DEVICES,
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(
        "--processes", min=1, help="With --distributed: number of processes.", rich_help_panel=_DEVICES
    ),
]
Process = Annotated[
    int | None,
    typer.Option(
        "--process",
        min=0,
        help="With --distributed: number of this process, from 0.",
        rich_help_panel=_DEVICES,
    ),
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
