"""Options of training: its length, objective, optimiser and initial weights."""

from pathlib import Path
from typing import Annotated

import typer

from ._choices import Choice

LOSSES = Choice(("smse", "nrmse", "normalized-smse"), "ginjax.losses")
OPTIMISERS = Choice(("adamw", "adam", "sgd", "momentum", "lion", "rmsprop"), "ginjax.optimisers")
SCHEDULES = Choice(("cosine", "linear", "constant"), "ginjax.schedules")

_TRAINING = "Training"

Steps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=1,
        help="Number of training steps.",
        show_default="1200, 300, 100 in 1D, 2D, 3D",
        rich_help_panel=_TRAINING,
    ),
]
Epochs = Annotated[
    float | None,
    typer.Option(
        "--epochs",
        min=1e-3,
        help="Number of passes over the training data, instead of --steps.",
        rich_help_panel=_TRAINING,
    ),
]
TimeBudget = Annotated[
    str | None,
    typer.Option(
        "--time-budget",
        help="Stop training after this time, such as 90s, 30m or 8h. Without --steps and --epochs, the "
        "learning rate is constant after a warm-up of 100 steps.",
        metavar="TIME",
        rich_help_panel=_TRAINING,
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        "--batch-size",
        min=1,
        help="Number of samples in a mini-batch.",
        show_default="32, 8, 4 in 1D, 2D, 3D",
        rich_help_panel=_TRAINING,
    ),
]
LearningRate = Annotated[
    float | None,
    typer.Option(
        "--learning-rate",
        min=1e-9,
        max=10.0,
        help="Peak of the learning rate.",
        show_default="0.003, or 0.0003 with --init of a trained model",
        rich_help_panel=_TRAINING,
    ),
]
LossName = Annotated[
    str,
    typer.Option(
        "--loss",
        parser=LOSSES,
        metavar=LOSSES.metavar,
        help="Training objective: the squared error (smse), the error relative to the norm of each sample "
        "(nrmse), or the squared error relative to the squared field at each pixel (normalized-smse).",
        rich_help_panel=_TRAINING,
    ),
]
Optimiser = Annotated[
    str,
    typer.Option(
        "--optimiser",
        parser=OPTIMISERS,
        metavar=OPTIMISERS.metavar,
        help="Optimiser of the weights.",
        rich_help_panel=_TRAINING,
    ),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        "--schedule",
        parser=SCHEDULES,
        metavar=SCHEDULES.metavar,
        help="How the learning rate decays after the warm-up.",
        show_default="cosine, or constant with --time-budget alone",
        rich_help_panel=_TRAINING,
    ),
]
Warmup = Annotated[
    float,
    typer.Option(
        "--warmup",
        min=0.0,
        max=0.99,
        help="Warm-up: fraction of the steps during which the learning rate rises to its peak.",
        rich_help_panel=_TRAINING,
    ),
]
WeightDecay = Annotated[
    float,
    typer.Option(
        "--weight-decay",
        min=0.0,
        max=1.0,
        help="Weight decay, for adamw and lion only.",
        rich_help_panel=_TRAINING,
    ),
]
Clip = Annotated[
    float,
    typer.Option(
        "--clip",
        min=0.0,
        help="Gradient clipping: the largest global norm of the gradient. 0 switches clipping off.",
        rich_help_panel=_TRAINING,
    ),
]
NoiseSize = Annotated[
    float,
    typer.Option(
        "--noise",
        min=0.0,
        max=10.0,
        help="Standard deviation of white noise that is added to the normalised inputs, for stable rollouts.",
        rich_help_panel=_TRAINING,
    ),
]
Unroll = Annotated[
    int,
    typer.Option(
        "--unroll",
        min=1,
        max=64,
        help="Length of the rollout in the training objective: the number of predictions, each made from the "
        "previous ones.",
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
        help="Number of training steps between two validations. The model with the lowest validation loss is "
        "kept. With --init of a trained model, rollouts choose the model to keep, which may be the initial "
        "one.",
        show_default="20 validations with validation data or --patience, 10 with --init of a trained model",
        rich_help_panel=_TRAINING,
    ),
]
Init = Annotated[
    Path | None,
    typer.Option(
        "--init",
        help="Start from the weights of this model, such as a converted one. The options of the network, "
        "except --padding, are then refused.",
        metavar="FILE",
        rich_help_panel=_TRAINING,
    ),
]
KeepCompatible = Annotated[
    bool,
    typer.Option(
        "--keep-compatible",
        help="With --init of a converted model: train only weights that do not change what it does on "
        "lower-dimensional fields.",
        rich_help_panel=_TRAINING,
    ),
]
Adapt = Annotated[
    list[str] | None,
    typer.Option(
        "--adapt",
        help="With --init: adapt the model to data that differ in this respect from those of its training. "
        "May be repeated.",
        metavar="boundary|spacing|time-step",
        rich_help_panel=_TRAINING,
    ),
]
DropField = Annotated[
    list[str] | None,
    typer.Option(
        "--drop-field",
        help="With --init: leave out this field or condition of the model or of the data. May be repeated.",
        metavar="NAME",
        show_default="none: the model gets the fields of the data",
        rich_help_panel=_TRAINING,
    ),
]
Freeze = Annotated[
    list[str] | None,
    typer.Option(
        "--freeze",
        help="Do not train these parameters: a group such as encoder or blocks.0, or a pattern such as "
        "`*.bias.*`. May be repeated.",
        metavar="GROUP",
        rich_help_panel=_TRAINING,
    ),
]
