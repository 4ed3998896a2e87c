"""`ginjax evaluate`: roll a model out on trajectories it has not seen."""

from pathlib import Path
from shlex import join, quote
from typing import Annotated, Literal

import typer

from ._config_file import asked_for
from ._data_options import DataAxes, DataFields, DataParity, DataPeriodic, reading_of, reading_words
from ._options import EQUATIONS, Debug, Force, Json, Quiet, Seed
from ._output import Output
from ._picture_options import PictureFormat, PictureWidth
from ._read_as import say_how_read
from ._way_to_convert import names_conversion

_SCRATCH = "from scratch"


@names_conversion("data")
def evaluate(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(help="The model file.", metavar="MODEL")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Data to evaluate on: a file or a folder; see 'ginjax data inspect'.",
            metavar="PATH",
        ),
    ] = None,
    pde: Annotated[
        str | None,
        typer.Option(
            "--pde",
            parser=EQUATIONS,
            metavar=EQUATIONS.metavar,
            help="An equation to simulate, with other initial fields than in training.",
            show_default="that of the training",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=4,
            max=512,
            help="Grid points along each axis of simulations.",
            show_default="64, 32, 16 in 1D, 2D, 3D",
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            min=1,
            help="Length of the rollout: predictions, each made from those before it.",
            show_default="16, or as many as the data have",
        ),
    ] = None,
    trajectories: Annotated[
        int | None,
        typer.Option(
            "--trajectories",
            min=1,
            help="Number of trajectories to evaluate on.",
            show_default="16 simulations, or all of the data",
        ),
    ] = None,
    from_scratch: Annotated[
        bool,
        typer.Option(
            "--from-scratch",
            help="Baseline: train the same network from random weights, on the data and for the steps of the model's "
            "last training, and show its errors too.",
        ),
    ] = False,
    field: DataFields = None,
    axes: DataAxes = None,
    parity: DataParity = None,
    periodic: DataPeriodic = None,
    split: Annotated[
        Literal["train", "valid", "test"] | None,
        typer.Option(
            "--split",
            help="The part of the data to evaluate on.",
            show_default="test, or everything if the data have no parts",
            rich_help_panel="Reading data",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The folder for numbers and pictures; made if it is missing.",
            metavar="DIR",
            show_default="the model's name with .evaluation",
        ),
    ] = None,
    picture_format: PictureFormat = "png",
    width: PictureWidth = "two",
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Predict many steps ahead on trajectories that were held out, and measure how far that is from the truth.

    Beside the model stands the prediction that nothing changes. nRMSE is the size of the error relative to that of the
    field, VRMSE relative to how much the field varies in space (1 is what its mean would score), relative L2 takes all
    trajectories as one. Where there is a velocity, energy, divergence and enstrophy (half the mean square of the vorticity)
    of truth and prediction stand below, with the means of other fields. The folder gets the numbers (evaluation.json) and pictures of fields, errors and energy spectra.
    """
    _check_together(ctx)
    out = Output(json=json, quiet=quiet)
    folder = model.with_suffix(".evaluation") if folder is None else folder

    from ginjax.checkpoint import Claim, folder_for_work
    from ginjax.errors import ArgumentError
    from ginjax.ml import (
        Forecaster,
        held_out_in_files,
        last_training,
        simulated_held_out,
        study_rollouts,
        train_again,
        training_task,
    )
    from ginjax.models import load_model
    from ginjax.workflow import MODEL, Evaluation, evaluation_files

    loaded = load_model(model)
    record = loaded.record
    forecaster = Forecaster.of(loaded.model, record)
    contract, reading = forecaster.contract, reading_of(field, parity, periodic, axes)
    ctx.with_resource(folder_for_work(folder))
    targets = evaluation_files(folder, picture_format)
    claim = ctx.with_resource(
        Claim(folder / "evaluation", tuple(targets.values()), work=asked_for(ctx), force=force)
    )
    if data is None:
        with out.progress(trajectories or 1, "simulating") as progress:
            held_out = simulated_held_out(
                contract,
                pde=pde,
                side=size,
                trajectories=trajectories,
                steps=steps,
                seed=seed,
                progress=progress.follow,
            )
    else:
        held_out = held_out_in_files(record, contract, data, reading, split=split, count=trajectories)
        say_how_read(out, held_out.source, contract)
    past, source = contract.past_steps, held_out.source
    forecaster.check(source, past + (steps or 1))
    steps = steps or source.frames - past
    if not held_out.trajectories:
        raise ArgumentError("trajectories to evaluate on", got="none", expected="at least one")
    if held_out.note:
        out.note(held_out.note)
    forecasters = {MODEL: forecaster}
    if from_scratch:
        last = last_training(record)
        if last["step"] == "train":
            out.note("the model was itself trained from random weights: the baseline repeats its training")
        with out.progress(1, "simulating the training data") as progress:
            task = training_task(record, last, data, reading, progress.follow)
        with out.progress(last["steps_done"], "training from scratch") as progress:
            again = train_again(
                record,
                task,
                last,
                progress=lambda done, loss: progress.update(done, f"loss {loss:.2e}"),
            )
        forecasters[_SCRATCH] = Forecaster.of(again.model, record)
    with source, out.progress(len(held_out.trajectories) * steps, "rolling out") as progress:
        study = study_rollouts(
            forecasters, source, held_out.trajectories, steps=steps, progress=progress.follow
        )

    found = Evaluation(
        model=loaded.model.spec.architecture,
        data=held_out.name,
        study=study,
        D=source.D,
        grid=source.spatial,
        time_step=contract.time_step,
    )
    found.save(
        folder,
        about={"model": str(model)},
        format=picture_format,
        width=width,
        force=any(map(claim.replaces, targets.values())),
    )
    claim.done()
    out.table(f"{model} on {held_out.name}: {study.trajectories} trajectories", *found.table())
    columns, rows = found.quantities_table()
    if rows:
        out.table("Physical quantities, averaged over the trajectories", columns, rows)
    for each in found.warnings:
        out.warn(each)
    files = {what: str(path) for what, path in targets.items()}
    out.result(folder, {"model": str(model)} | found.to_json() | {"files": files})
    given = model if data is None else data
    if data is not None and held_out.source.layout != "pairs":  # which hold nothing to go on from
        words = [str(model), str(given), "--steps", str(steps), *reading_words(ctx), "-o", "forecast.h5"]
        out.next_step(join(["ginjax", "predict", *words]))
    elif data is None and record.D < 3 and loaded.model.spec.equivariant:
        out.next_step(f"ginjax convert-d {quote(str(model))} --to-dim 3 --rescale compatibility")
    else:
        out.next_step(f"ginjax inspect {quote(str(model))}")


def _check_together(ctx: typer.Context) -> None:
    """Refuse options that would be ignored."""
    from ginjax.errors import ArgumentError

    read = ("field", "axes", "parity", "periodic", "split")
    wrong = [n for n in (("pde", "size") if ctx.params["data"] else read) if ctx.params[n]]
    if wrong:
        given = ctx.params["data"] is not None
        raise ArgumentError(
            f"--{wrong[0]}",
            got="--data as well" if given else "no --data",
            expected="one of the two" if given else "--data PATH",
        )
