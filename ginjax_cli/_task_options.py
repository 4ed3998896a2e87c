"""Options about the training data: files or simulations, their parts, and what the network sees of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._model_options import said
from ._options import EQUATIONS

if TYPE_CHECKING:
    from ginjax.ml import Start

_DATA = "Data"

DataPath = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Train on these data instead of simulating: a file or a folder, see 'ginjax data inspect'.",
        metavar="PATH",
        rich_help_panel=_DATA,
    ),
]
Equation = Annotated[
    str,
    typer.Option(
        "--pde",
        parser=EQUATIONS,
        metavar=EQUATIONS.metavar,
        help="The equation to simulate.",
        show_default="diffusion, with --init the equation of the model",
        rich_help_panel=_DATA,
    ),
]
Dimension = Annotated[
    int | None,
    typer.Option(
        "--dim",
        min=1,
        max=3,
        help="Dimension of space.",
        show_default="the lowest of the equation, or that of the model of --init",
        rich_help_panel=_DATA,
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        "--size",
        min=4,
        max=512,
        help="Grid points along each axis of the simulations.",
        show_default="64, 32, 16 in 1D, 2D, 3D",
        rich_help_panel=_DATA,
    ),
]
Trajectories = Annotated[
    int | None,
    typer.Option(
        "--trajectories",
        min=2,
        help="Number of simulations to train on.",
        show_default="256, 48, 16 in 1D, 2D, 3D",
        rich_help_panel=_DATA,
    ),
]
Frames = Annotated[
    int,
    typer.Option(
        "--frames",
        min=1,
        help="Number of time steps in each simulation, after the initial frame.",
        rich_help_panel=_DATA,
    ),
]
Valid = Annotated[
    float,
    typer.Option(
        "--valid",
        min=0.0,
        max=0.9,
        help="With --data: fraction of the trajectories in the validation set, unless the data already have "
        "parts. 0 means no validation; a training from --init then keeps its last weights, on simulations "
        "too.",
        rich_help_panel=_DATA,
    ),
]
Test = Annotated[
    float | None,
    typer.Option(
        "--test",
        min=0.0,
        max=0.9,
        help="With --data: fraction of the trajectories held out as the test set, unless the data already "
        "have parts.",
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
        show_default="1, or as in the model of --init",
        rich_help_panel=_DATA,
    ),
]
Residual = Annotated[
    bool | None,
    typer.Option(
        "--residual/--no-residual",
        help="Predict the change to the next frame instead of the frame itself.",
        show_default="no, or as in the model of --init",
        rich_help_panel=_DATA,
    ),
]


def asked_simulation(ctx: typer.Context, start: "Start | None") -> tuple[str, int]:
    """The equation and the dimension of the simulations: those asked for, otherwise those of the model of --init.

    **Raises:** `ArgumentError` for another dimension than that of the model, or one that is not simulated.
    """
    from ginjax.data import PDES, find_pde
    from ginjax.errors import ArgumentError

    pde, dim = str(ctx.params["pde"]), ctx.params["dim"]
    if start is None:
        return pde, find_pde(pde).dimensions[0] if dim is None else dim
    trained_on, D = start.record.contract.origin.get("equation"), start.record.D
    if isinstance(trained_on, str) and trained_on in PDES and not said(ctx, "pde"):
        pde = trained_on
    if dim is not None and dim != D:
        hint = f"'ginjax convert-d' with --to-dim {dim} makes a model for {dim}D of it."
        raise ArgumentError(
            "--dim", got=dim, expected=f"{D}, the dimension of the model of --init", hint=hint
        )
    if D > 3:
        hint = "Train it on data in files: --data FILE"
        raise ArgumentError("dimension of the model", got=D, expected="1, 2 or 3, to be simulated", hint=hint)
    return pde, D
