"""`ginjax train`: train a network to predict the next frame of a simulated equation."""

from pathlib import Path
from shlex import quote
from typing import Annotated, Literal

import typer

from ._model_options import (
    Activation,
    Architecture,
    Bias,
    Blocks,
    Channels,
    FilterFile,
    Levels,
    Norm,
    Plain,
    Side,
    Support,
    Upsample,
    design_model,
)
from ._options import Debug, Force, Json, OutputPath, Quiet, Seed
from ._output import Output
from ._tuning import check_fields, read_start

Equation = Literal["diffusion", "fisher-kpp", "allen-cahn", "burgers", "gray-scott"]
_DATA = "Data"
_TRAINING = "Training"


def train(
    pde: Annotated[
        Equation, typer.Option("--pde", help="The equation to simulate.", rich_help_panel=_DATA)
    ] = "diffusion",
    dim: Annotated[
        int | None,
        typer.Option(
            "--dim",
            min=1,
            max=3,
            help="Dimension of space.",
            show_default="1, or that of --init",
            rich_help_panel=_DATA,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=4,
            max=512,
            help="Grid points along each axis.",
            show_default="64, 32, 16 in 1D, 2D, 3D",
            rich_help_panel=_DATA,
        ),
    ] = None,
    trajectories: Annotated[
        int | None,
        typer.Option(
            "--trajectories",
            min=2,
            help="Simulations to train on.",
            show_default="256, 48, 16 in 1D, 2D, 3D",
            rich_help_panel=_DATA,
        ),
    ] = None,
    frames: Annotated[
        int, typer.Option("--frames", min=1, help="Time steps in each.", rich_help_panel=_DATA)
    ] = 8,
    architecture: Annotated[
        Architecture, typer.Option("--arch", help="Architecture.", rich_help_panel="Network")
    ] = "resnet",
    channels: Channels = 16,
    blocks: Blocks = 2,
    levels: Levels = 2,
    side: Side = 3,
    support: Support = "full",
    filters: FilterFile = None,
    activation: Activation = "tanh",
    norm: Norm = False,
    bias: Bias = "auto",
    upsample: Upsample = "repeat",
    plain: Plain = False,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            min=1,
            help="Training steps.",
            show_default="1200, 300, 100 in 1D, 2D, 3D",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            min=1,
            help="Samples in a step.",
            show_default="32, 8, 4 in 1D, 2D, 3D",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    learning_rate: Annotated[
        float,
        typer.Option("--learning-rate", min=1e-9, max=10.0, help="Its peak.", rich_help_panel=_TRAINING),
    ] = 3e-3,
    init: Annotated[
        Path | None,
        typer.Option(
            "--init",
            help="Go on from this model (a converted one, say); the network options then do not apply.",
            metavar="FILE",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    keep_compatible: Annotated[
        bool,
        typer.Option(
            "--keep-compatible",
            help="With --init FILE of a converted model: train only what leaves its behaviour on "
            "lower-dimensional fields unchanged.",
            rich_help_panel=_TRAINING,
        ),
    ] = False,
    output: OutputPath = Path("model.safetensors"),
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Simulate an equation, train a network to predict its next frame, and write the model.

    The simulations are periodic and spectrally accurate. Grid spacing and time step are the same in every
    dimension, so that a model trained here can be converted and used in a higher one. Training takes a fixed
    number of steps: the same seed gives the same file.
    """
    from ginjax.checkpoint import check_target
    from ginjax.errors import ArgumentError

    out = Output(json=json, quiet=quiet)
    check_target(output, force=force)
    previous = None if init is None else read_start(init, dim, keep_compatible)
    if keep_compatible and previous is None:
        raise ArgumentError("--keep-compatible", got="no --init", expected="--init FILE of a converted model")
    dim = (1 if dim is None else dim) if previous is None else previous.record.D
    steps = steps or {1: 1200, 2: 300, 3: 100}[dim]
    batch_size = batch_size or {1: 32, 2: 8, 3: 4}[dim]

    from ginjax._version import __version__
    from ginjax.data import DEFAULT_SIDES, find_pde
    from ginjax.ml import HELD_OUT_OFFSET, TRAIN_TRAJECTORIES, fit_one_step, make_task, one_step_error
    from ginjax.models import count_params, save_model

    fields = find_pde(pde).fields
    size = size or DEFAULT_SIDES[dim]
    if previous is None:
        design = design_model(
            architecture,
            fields,
            fields,
            channels=channels,
            blocks=blocks,
            levels=levels,
            side=side,
            support=support,
            activation=activation,
            norm=norm,
            bias=bias,
            upsample=upsample,
            plain=plain,
            filters=filters,
        )
        design.check_grid(size)
        # Built before the simulations: what does not fit is answered at once.
        model, normalisation, free = design.build(dim, seed), None, None
    else:
        model, normalisation, free = previous.model, previous.normalisation, previous.free
        check_fields(model.spec.inputs, fields)
    count = trajectories or TRAIN_TRAJECTORIES[dim]
    with out.progress(count, f"simulating {pde} in {dim}D") as progress:
        task = make_task(
            pde,
            dim,
            trajectories=count,
            frames=frames,
            side=size,
            seed=seed,
            normalisation=normalisation,
            progress=lambda done, total: progress.update(done),
        )
    held_out = make_task(
        pde,
        dim,
        trajectories=8,
        frames=frames,
        side=size,
        seed=seed + HELD_OUT_OFFSET,
        normalisation=task.normalisation,
    )
    before = one_step_error(model, held_out) if previous is not None else None
    with out.progress(steps, "training") as progress:
        model, losses = fit_one_step(
            model,
            task,
            steps=steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
            on_step=lambda done, loss: progress.update(done, f"loss {loss:.2e}"),
            free=free,
        )
    certificate = None
    if previous is not None and free is not None:
        model, certificate = previous.settle(model)
    error = one_step_error(model, held_out)
    settings = {
        "equation": pde,
        "dim": dim,
        "size": task.trajectories.spatial[0],
        "trajectories": count,
        "frames": frames,
        "steps": steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    measured = {"error": error.model, "persistence": error.persistence, "loss": losses[-1]}
    step = {"step": "train" if previous is None else "tune", "version": __version__} | settings
    if previous is not None:
        step |= {"source": previous.record.digest, "kept_compatible": keep_compatible}
    history = () if previous is None else previous.record.provenance
    sha256 = save_model(
        output,
        model,
        data=task.about(),
        provenance=[*history, step],
        certificate=certificate,
        force=force,
    )
    out.fields(
        f"{model.spec.architecture} on {pde} in {dim}D",
        {
            "parameters": count_params(model),
            "training loss": f"{losses[0]:.3g} -> {losses[-1]:.3g}",
            "error on held-out fields": f"{error.model:.4f}  (one-step nRMSE)",
        }
        | ({} if before is None else {"error before tuning": f"{before.model:.4f}"})
        | {"error of predicting no change": f"{error.persistence:.4f}"}
        | (
            {}
            if certificate is None
            else {"compatible with": f"{certificate.from_dim}D, residual {certificate.residual:.1e}"}
        ),
    )
    if error.model >= error.persistence:
        out.warn(
            "the network does no better than predicting no change: train longer, or lower --learning-rate"
        )
    if before is not None:
        measured["error_before"] = before.model
    payload = {"settings": settings, "parameters": count_params(model), "sha256": sha256} | measured
    out.result(output, payload)
    if dim < 3:
        rule = "compatibility" if model.spec.equivariant else "centre"
        out.next_step(f"ginjax convert-d {quote(str(output))} --to-dim 3 --rescale {rule}")
    else:
        out.next_step(f"ginjax inspect {quote(str(output))}")
