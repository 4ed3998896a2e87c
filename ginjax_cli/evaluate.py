"""`ginjax evaluate`: roll a model out on trajectories it has not seen."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ._data_options import DataFields, DataParity, DataPeriodic, reading_of
from ._options import EQUATIONS, Debug, Force, Json, Quiet, Seed
from ._output import Output
from ._text import json_line

if TYPE_CHECKING:
    from ginjax.ml import RolloutStudy

_MODEL, _SCRATCH = "model", "from scratch"
_SHOWN_STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_NUMBERS = "evaluation.json"


def evaluate(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(help="The model.", metavar="MODEL")],
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
            help="Predictions, each made from the ones before it.",
            show_default="16, or as many as the data have",
        ),
    ] = None,
    trajectories: Annotated[
        int | None,
        typer.Option(
            "--trajectories",
            min=1,
            help="Trajectories to evaluate on.",
            show_default="16 simulations, or all of the part",
        ),
    ] = None,
    from_scratch: Annotated[
        bool,
        typer.Option(
            "--from-scratch",
            help="Train the same network from random weights, on the data and for the steps of the model's last "
            "training, and show it beside.",
        ),
    ] = False,
    field: DataFields = None,
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
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Predict many steps ahead on trajectories that were held out, and measure how far that is from the truth.

    Beside the model stands the prediction that nothing changes. nRMSE is the size of the error relative to that of the
    field, VRMSE relative to how much the field varies in space (1 is what its mean would score), relative L2 takes all
    trajectories as one. The folder gets the numbers (evaluation.json) and pictures of fields, errors and energy spectra.
    """
    from ginjax.checkpoint import atomic_write, check_target

    _check_together(ctx)
    out = Output(json=json, quiet=quiet)
    folder = model.with_suffix(".evaluation") if folder is None else folder
    if folder.exists():
        check_target(folder / _NUMBERS, force=force)

    from ginjax.errors import ArgumentError
    from ginjax.ml import (
        PICTURES,
        Forecaster,
        draw_picture,
        held_out_in_files,
        last_training,
        simulated_held_out,
        study_rollouts,
        train_again,
        training_task,
    )
    from ginjax.models import load_model

    # Looked up one by one, so that a picture that cannot be imported is an error before the work.
    pictures = {name: folder / f"{name}.png" for name, _ in PICTURES.items()}
    if folder.exists():
        for target in pictures.values():
            check_target(target, force=force)
    loaded = load_model(model)
    record = loaded.record
    forecaster = Forecaster.of(loaded.model, record)
    contract, reading = forecaster.contract, reading_of(field, parity, periodic)
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
    past, source = contract.past_steps, held_out.source
    forecaster.check(source, past + (steps or 1))
    steps = steps or source.frames - past
    if not held_out.trajectories:
        raise ArgumentError("trajectories to evaluate on", got="none", expected="at least one")
    if held_out.note:
        out.note(held_out.note)
    _make(folder)
    forecasters = {_MODEL: forecaster}
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

    payload = {
        "model": str(model),
        "data": held_out.name,
        "dimension": record.D,
        "grid": list(source.spatial),
        "time_step": contract.time_step,
    } | study_payload(study)
    title = f"{model.name}: {held_out.name}"
    for name, target in pictures.items():
        draw_picture(target, name, title, study, source.D, force=force)
    atomic_write(folder / _NUMBERS, (json_line(payload) + "\n").encode(), force=force)
    _show(out, f"{model} on {held_out.name}", study)
    files = {"json": folder / _NUMBERS} | pictures
    out.result(folder, payload | {"files": {what: str(path) for what, path in files.items()}})
    given = model if data is None else data
    if data is not None and held_out.source.layout != "pairs":  # which hold nothing to go on from
        out.next_step(
            f"ginjax predict {quote(str(model))} {quote(str(given))} --steps {steps} -o forecast.h5"
        )
    elif data is None and record.D < 3 and loaded.model.spec.equivariant:
        out.next_step(f"ginjax convert-d {quote(str(model))} --to-dim 3 --rescale compatibility")
    else:
        out.next_step(f"ginjax inspect {quote(str(model))}")


def study_payload(study: "RolloutStudy") -> dict[str, Any]:
    """The result as plain values."""
    return {
        "steps": study.steps,
        "trajectories": study.trajectories,
        "errors": {name: _plain(curves) for name, curves in study.errors.items()},
        "lost_at": dict(study.lost_at),
        "spectra": _plain(study.spectra),
        "spectra_step": study.shown_step,
    }


def _plain(curves: Any) -> dict[str, dict[str, list[float]]]:
    return {
        field: {name: values.tolist() for name, values in lines.items()} for field, lines in curves.items()
    }


def _make(folder: Path) -> None:
    """Make the folder before the work, which may take long."""
    from ginjax.errors import FileError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"{folder}: cannot be made: {error.strerror}", hint="Choose another folder."
        ) from error


def _show(out: Output, title: str, study: "RolloutStudy") -> None:
    """The errors at a few steps, and what has to be said about them."""
    from ginjax.ml import METRICS, PERSISTENCE

    others = [(PERSISTENCE, "no change"), (_SCRATCH, _SCRATCH)]
    others = [(name, words) for name, words in others if name in study.errors]
    shown = sorted({each for each in _SHOWN_STEPS if each < study.steps} | {study.steps})
    rows = []
    for step in shown:
        for field, curves in study.errors[_MODEL].items():
            mine = [_number(curves[metric][step - 1]) for metric in METRICS]
            beside = [_number(study.errors[name][field]["nrmse"][step - 1]) for name, _ in others]
            rows.append((step, field, *mine, *beside))
    columns = (
        "step",
        "field",
        *(metric.label for metric in METRICS.values()),
        *(f"nRMSE of {words}" for _, words in others),
    )
    out.table(f"{title}: {study.trajectories} trajectories", columns, rows)
    for name, lost in study.lost_at.items():
        if lost is not None:
            out.warn(f"the roll-out of {name} blows up: NaN or infinity at step {lost}")
    first = [(curves["nrmse"][0], study.errors[PERSISTENCE][field]["nrmse"][0])
             for field, curves in study.errors[_MODEL].items()]  # fmt: skip
    if all(mine >= unchanged for mine, unchanged in first):
        out.warn("the model does no better than predicting no change, from the first step on")


def _number(value: float) -> float | None:
    from math import isfinite

    return float(value) if isfinite(value) else None


def _check_together(ctx: typer.Context) -> None:
    """Refuse options that would be ignored."""
    from ginjax.errors import ArgumentError

    read = ("field", "parity", "periodic", "split")
    wrong = [n for n in (("pde", "size") if ctx.params["data"] else read) if ctx.params[n]]
    if wrong:
        given = ctx.params["data"] is not None
        raise ArgumentError(
            f"--{wrong[0]}",
            got="--data" if given else "no --data",
            expected="one of them" if given else "--data PATH",
        )
