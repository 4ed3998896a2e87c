"""Options of training: data, objective, optimiser, checkpoints, devices."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ._choices import Choice
from ._pixels import PIXELS

LOSSES = Choice(("smse", "nrmse", "normalized-smse"), "ginjax.losses")
OPTIMISERS = Choice(("adamw", "adam", "sgd", "momentum", "lion", "rmsprop"), "ginjax.optimisers")
SCHEDULES = Choice(("cosine", "linear", "constant"), "ginjax.schedules")
LOGGERS = Choice(("tensorboard", "wandb", "mlflow"), "ginjax.loggers")

_DATA = "Data"
_TRAINING = "Training"
_RUN = "Run: memory, checkpoints, logs"
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
        help="With --data: fraction of the trajectories in the validation set, unless the data are split already. 0 "
        "validates on nothing; with --init the last weights are then taken, of simulations too.",
        rich_help_panel=_DATA,
    ),
]
Test = Annotated[
    float | None,
    typer.Option(
        "--test",
        min=0.0,
        max=0.9,
        help="With --data: fraction of the trajectories held out as the test set, unless the data are split already.",
        show_default="0.1, or 0 with --init of a trained model and one or two trajectories",
        rich_help_panel=_DATA,
    ),
]
PastSteps = Annotated[
    int | None,
    typer.Option(
        "--past-steps",
        min=1,
        max=64,
        help="Number of past frames that the network sees.",
        show_default="1, or those of --init",
        rich_help_panel=_DATA,
    ),
]
Residual = Annotated[
    bool | None,
    typer.Option(
        "--residual/--no-residual",
        help="Predict the change to the next frame instead of the frame itself.",
        show_default="no, or as --init",
        rich_help_panel=_DATA,
    ),
]
Epochs = Annotated[
    float | None,
    typer.Option(
        "--epochs",
        min=1e-3,
        help="Passes over the training data, instead of --steps.",
        rich_help_panel=_TRAINING,
    ),
]
TimeBudget = Annotated[
    str | None,
    typer.Option(
        "--time-budget",
        help="Stop training after this time, such as 90s, 30m or 8h. Without --steps or --epochs the learning rate is "
        "then constant after the warm-up.",
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
        help="Training objective: the squared error (smse), the error relative to the norm of each sample (nrmse), or the "
        "squared error relative to the squared field at each pixel (normalized-smse).",
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
        help="Decay of the learning rate after the warm-up.",
        show_default="cosine",
        rich_help_panel=_TRAINING,
    ),
]
Warmup = Annotated[
    float,
    typer.Option(
        "--warmup",
        min=0.0,
        max=0.99,
        help="Warm-up: fraction of the steps over which the learning rate rises to its peak.",
        rich_help_panel=_TRAINING,
    ),
]
WeightDecay = Annotated[
    float,
    typer.Option(
        "--weight-decay",
        min=0.0,
        max=1.0,
        help="Weight decay (adamw and lion only).",
        rich_help_panel=_TRAINING,
    ),
]
Clip = Annotated[
    float,
    typer.Option(
        "--clip",
        min=0.0,
        help="Gradient clipping: largest global norm of the gradient; 0 for none.",
        rich_help_panel=_TRAINING,
    ),
]
NoiseSize = Annotated[
    float,
    typer.Option(
        "--noise",
        min=0.0,
        max=10.0,
        help="Standard deviation of white noise added to the normalised inputs, for stable rollouts.",
        rich_help_panel=_TRAINING,
    ),
]
Unroll = Annotated[
    int,
    typer.Option(
        "--unroll",
        min=1,
        max=64,
        help="Length of the rollout in the training objective: predictions, each made from those before it.",
        rich_help_panel=_TRAINING,
    ),
]
Patience = Annotated[
    int | None,
    typer.Option(
        "--patience",
        min=0,
        help="Early stopping: stop after more than this many validations without improvement.",
        show_default="never",
        rich_help_panel=_TRAINING,
    ),
]
ValidateEvery = Annotated[
    int | None,
    typer.Option(
        "--validate-every",
        min=1,
        help="Training steps between two validations; the model of the lowest validation loss is kept, with --init of a "
        "trained model the one that roll-outs judge best, which may be the one it began with.",
        show_default="20 times in a run with validation data or --patience, 10 times with --init",
        rich_help_panel=_TRAINING,
    ),
]
Adapt = Annotated[
    list[str] | None,
    typer.Option(
        "--adapt",
        help="With --init: adapt the model to data that differ in this from those it was trained on; may be repeated.",
        metavar="boundary|spacing|time-step",
        rich_help_panel=_TRAINING,
    ),
]
DropField = Annotated[
    list[str] | None,
    typer.Option(
        "--drop-field",
        help="With --init: a field that the model is not to have, its own or one of the data; may be repeated.",
        metavar="NAME",
        show_default="the model takes over the fields of the data",
        rich_help_panel=_TRAINING,
    ),
]
Freeze = Annotated[
    list[str] | None,
    typer.Option(
        "--freeze",
        help="Parameters that are not trained: a group such as encoder or blocks.0, or a pattern such as "
        "`*.bias.*`; may be repeated.",
        metavar="GROUP",
        rich_help_panel=_TRAINING,
    ),
]
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
