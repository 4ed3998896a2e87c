"""`ginjax evaluate`: roll out a model on trajectories that it has not seen."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from ginjax._text import plural, shell_line, shell_word

from ._config_file import asked_for
from ._conversion_step import conversion_command
from ._data_options import (
    DataAxes,
    DataConditions,
    DataFields,
    DataParity,
    DataPeriodic,
    reading_of,
    reading_words,
)
from ._names import names_of
from ._options import EQUATIONS, Debug, Force, Json, Quiet, Seed
from ._output import Output
from ._picture_options import PictureFormat, PictureWidth
from ._pixels import Tile, pixels, say_tiles
from ._read_as import say_how_read
from ._way_to_convert import names_conversion

_SCRATCH = "from scratch"


@names_conversion("data")
def evaluate(
    ctx: typer.Context,
    models: Annotated[
        list[Path],
        typer.Argument(
            help="A model file, or several for the same fields, which are then compared on the same "
            "trajectories.",
            metavar="MODEL...",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Data to evaluate on: a file or a folder, see 'ginjax data inspect'.",
            metavar="PATH",
        ),
    ] = None,
    pde: Annotated[
        str | None,
        typer.Option(
            "--pde",
            parser=EQUATIONS,
            metavar=EQUATIONS.metavar,
            help="The equation to simulate. The initial fields differ from those of the training.",
            show_default="that of the training",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=4,
            max=512,
            help="Grid points along each axis of the simulations.",
            show_default="64, 32, 16 in 1D, 2D, 3D",
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            min=1,
            help="Length of the rollout: the number of predictions, each made from the previous ones.",
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
            help="Train the same network from random weights too, as a baseline, and show its errors. It "
            "gets the data and the number of steps of the model's last training.",
        ),
    ] = False,
    tile: Tile = None,
    field: DataFields = None,
    axes: DataAxes = None,
    parity: DataParity = None,
    periodic: DataPeriodic = None,
    condition: DataConditions = None,
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
            help="The folder for numbers and pictures. It is made if it does not exist.",
            metavar="DIR",
            show_default="the name of the model with .evaluation, or evaluation for several models",
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            help="Write all numbers to this file too, as comma-separated values. It has one row for each "
            "forecast, field, metric and step, with mean, standard deviation and number of trajectories.",
            metavar="FILE",
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
    """Predict many steps of held-out trajectories, and measure how far the predictions are from the truth.

    A table compares the model with predicting no change. nRMSE is the size of the error relative to the field. VRMSE is
    the size of the error relative to the variation of the field in space; predicting the mean of the field scores 1.
    Relative L2 is the nRMSE with all trajectories taken as one.

    If there is a velocity, a second table has energy, divergence and enstrophy (half the mean square of the vorticity)
    of truth and prediction, and the means of scalars. The folder gets all numbers (evaluation.json) and pictures of
    fields, errors and energy spectra.
    """
    _check_together(ctx)
    out = Output(json=json, quiet=quiet)
    model, several = models[0], len(models) > 1

    from ginjax.checkpoint import Claim, atomic_write, check_output, folder_for_work
    from ginjax.errors import ArgumentError
    from ginjax.ml import (
        PERSISTENCE,
        Forecaster,
        OwnTask,
        check_together,
        condition_remarks,
        held_out_together,
        last_training,
        most_past,
        simulated_held_out,
        study_rollouts,
        train_again,
        training_task,
    )
    from ginjax.ml.forecast import NO_CHANGE
    from ginjax.models import load_model
    from ginjax.workflow import MODEL, Evaluation, evaluation_files

    if folder is not None:
        check_output(folder, "folder")
    if table is not None:
        check_output(table, "table", {"the model": models, "the data": data}, argument="--csv")
    if several and from_scratch:
        raise ArgumentError("--from-scratch", got="several models", expected="one model")
    taken = {MODEL, PERSISTENCE, NO_CHANGE, "truth", _SCRATCH}
    called, *others = (f"./{name}" if name in taken else name for name in names_of(models))
    names = [MODEL, *others]
    if len({called, *others}) < len(names):
        raise ArgumentError("models", got="one of them twice", expected="each once")
    every = {name: load_model(each) for name, each in zip(names, models, strict=True)}
    check_together({names_of(models)[i]: each.record for i, each in enumerate(every.values())})
    loaded = every[MODEL]
    record = loaded.record
    if folder is None:
        folder = Path("evaluation") if several else model.with_suffix(".evaluation")
    sides = pixels("--tile", tile)
    forecaster = Forecaster.of(loaded.model, record, sides)
    contract, reading = forecaster.contract, reading_of(field, parity, periodic, axes, condition)
    ctx.with_resource(folder_for_work(folder))
    targets = evaluation_files(folder, picture_format)
    named = () if table is None else (table,)
    written = (*targets.values(), *named)
    claim = ctx.with_resource(
        Claim(folder / "evaluation", written, named=named, work=asked_for(ctx), force=force)
    )
    if data is None:
        with out.progress(trajectories or 1, "simulating") as progress:
            held_out = simulated_held_out(
                replace(contract, past_steps=max(each.record.contract.past_steps for each in every.values())),
                pde=pde,
                side=size,
                trajectories=trajectories,
                steps=steps,
                seed=seed,
                progress=progress.follow,
            )
    else:
        held_out = held_out_together(
            {str(path): each.record for path, each in zip(models, every.values(), strict=True)},
            data,
            reading,
            split=split,
            count=trajectories,
        )
        say_how_read(out, held_out.source, contract)
    forecasters = {MODEL: forecaster} | {
        name: Forecaster.of(each.model, each.record, sides) for name, each in every.items() if name != MODEL
    }
    past, source = most_past(forecasters), held_out.source
    forecaster.check(source, past + (steps or 1))
    steps = steps or source.frames - past
    if not held_out.trajectories:
        raise ArgumentError("trajectories to evaluate on", got="none", expected="at least one")
    if held_out.note:
        out.note(held_out.note)
    say_tiles(out, forecaster, source)
    with source:
        remarks = condition_remarks(contract, source, held_out.trajectories)
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
        forecasters[_SCRATCH] = Forecaster.of(again.model, record, sides)
    with source, out.progress(len(held_out.trajectories) * steps, "rolling out") as progress:
        study = study_rollouts(
            forecasters, source, held_out.trajectories, steps=steps, progress=progress.follow
        )
    one_step = {}
    with source:
        for name, each in every.items():
            own = OwnTask.of(each.record.contract, source, held_out.trajectories)
            with out.progress(len(own.indices), "predicting every next frame") as progress:
                one_step[name] = own.error(each.model, progress=progress.follow, tile=sides)

    found = Evaluation(
        model=loaded.model.spec.architecture,
        data=held_out.name,
        study=study,
        D=source.D,
        grid=source.spatial,
        one_step=one_step,
        called=called,
        remarks=remarks,
    )
    paths = {name: str(each) for name, each in zip(names, models, strict=True)}
    found.save(
        folder,
        about={"model": str(model), "models": paths},
        format=picture_format,
        width=width,
        force=any(map(claim.replaces, targets.values())),
    )
    if table is not None:
        atomic_write(table, found.to_csv().encode(), force=claim.replaces(table))
    claim.done()
    title = f"{shell_word(model)} on {held_out.name}: rollouts from the first frames of {plural(study.trajectories, 'trajectory')}"
    out.table(
        title if study.trajectories == 1 else f"{title}, mean ± standard deviation over them", *found.table()
    )
    for line in found.one_step_lines():
        out.line(line)
    columns, rows = found.quantities_table()
    if rows:
        out.table("Physical quantities, averaged over the trajectories", columns, rows)
    for each in found.warnings:
        out.warn(each)
    files = {what: str(path) for what, path in targets.items()}
    if table is not None:
        files["csv"] = str(table)
        out.note(f"wrote {shell_word(table)}")
    out.result(folder, {"model": str(model), "models": paths} | found.to_json() | {"files": files})
    given = model if data is None else data
    if data is not None and held_out.source.layout != "pairs":  # which hold nothing to go on from
        words = [str(model), str(given), "--steps", str(steps), *reading_words(ctx), "-o", "forecast.h5"]
        out.next_step(shell_line(["ginjax", "predict", *words]))
    elif data is None and record.D < 3:
        out.next_step(conversion_command(model, record, 3))
    else:
        out.next_step(f"ginjax inspect {shell_word(model)}")


def _check_together(ctx: typer.Context) -> None:
    """Refuse options that would be ignored."""
    from ginjax.errors import ArgumentError

    read = ("field", "axes", "parity", "periodic", "condition", "split")
    wrong = [n for n in (("pde", "size") if ctx.params["data"] else read) if ctx.params[n]]
    if wrong:
        given = ctx.params["data"] is not None
        raise ArgumentError(
            f"--{wrong[0]}",
            got="--data as well" if given else "no --data",
            expected="one of the two" if given else "--data PATH",
        )
