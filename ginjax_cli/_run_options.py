"""Options of a training run: memory, checkpoints, logs, devices."""

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
        help="Train on random parts of the grid, to save memory: this many pixels along every axis, or along "
        "the named axes (x=64,z=32), with the points around them on which predictions depend. Validation and "
        "errors cover the whole grid, part by part.",
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
        help="Gradient accumulation: compute each mini-batch in this many parts, to save memory. The "
        "training steps stay the same.",
        rich_help_panel=_RUN,
    ),
]
Remat = Annotated[
    bool,
    typer.Option(
        "--remat",
        help="Gradient checkpointing: recompute activations in the backward pass. This saves memory and "
        "takes time.",
        rich_help_panel=_RUN,
    ),
]
PrecisionName = Annotated[
    Literal["float32", "bfloat16"],
    typer.Option(
        "--precision",
        help="Precision of the activations. bfloat16 is mixed precision: parameters, norms and loss stay in "
        "float32.",
        rich_help_panel=_RUN,
    ),
]
CheckpointEvery = Annotated[
    str,
    typer.Option(
        "--checkpoint-every",
        help="Interval between two checkpoints of the run: a number of steps (500), a time (30s, 10m), or "
        "never.",
        metavar="INTERVAL",
        rich_help_panel=_RUN,
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Continue a run from its saved state, or begin one if there is none. You may change --steps, "
        "--epochs, --time-budget, --learning-rate, --schedule, --warmup, --validate-every, --patience, "
        "--accumulate and --remat. A finished run is extended with these changes; without changes it stays "
        "as it is.",
        rich_help_panel=_RUN,
    ),
]
KeepState = Annotated[
    bool,
    typer.Option(
        "--keep-state/--no-keep-state",
        help="Keep the state of a finished run, so that --resume --steps MORE can extend it.",
        rich_help_panel=_RUN,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Do the first steps, say how much time and memory the run will take, and write nothing.",
        rich_help_panel=_RUN,
    ),
]
PrintConfig = Annotated[
    bool,
    typer.Option(
        "--print-config",
        help="Print every option with its final value, as TOML that --config reads, and train nothing.",
        rich_help_panel=_RUN,
    ),
]
Seeds = Annotated[
    str | None,
    typer.Option(
        "--seeds",
        help="Train one model for each of these seeds (0,1,2 or 0-4), and show mean and spread. Each model "
        "is the same as with --seed.",
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
        help="Log to this experiment tracker too. May be repeated.",
        rich_help_panel=_RUN,
    ),
]
Devices = Annotated[
    int | None,
    typer.Option(
        "--devices",
        min=1,
        help="Number of devices that share each mini-batch: GPUs, or cores of the processor. 1: not divided.",
        show_default="as many as divide it evenly; cores only if there is enough for each",
        rich_help_panel=_DEVICES,
    ),
]
Distributed = Annotated[
    bool,
    typer.Option(
        "--distributed",
        help="Train in several processes. Start each of them with the same command and its own --process. On "
        "a cluster that JAX recognises, such as SLURM, this option alone is enough.",
        rich_help_panel=_DEVICES,
    ),
]
Coordinator = Annotated[
    str | None,
    typer.Option(
        "--coordinator",
        help="With --distributed: the address at which process 0 listens.",
        metavar="HOST:PORT",
        rich_help_panel=_DEVICES,
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(
        "--processes", min=1, help="With --distributed: the number of processes.", rich_help_panel=_DEVICES
    ),
]
Process = Annotated[
    int | None,
    typer.Option(
        "--process",
        min=0,
        help="With --distributed: the number of this process, counted from 0.",
        rich_help_panel=_DEVICES,
    ),
]


def parse_seconds(option: str, text: str) -> float:
    """A time such as `90s`, `30m` or `8h`, in seconds."""
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
    """An interval such as `500`, `10m` or `never`, as a number of steps or of seconds."""
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
