"""`ginjax compare`: how trainings differ, and how good they are."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ginjax._text import shell_line

from ._in_words import in_words
from ._model_options import said
from ._names import names_of
from ._options import Debug, Force, Json, Quiet
from ._output import Output
from ._picture_options import PictureWidth, picture_path

if TYPE_CHECKING:
    from ginjax.runs import Run


def compare(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(help="Two or more models, or folders of trainings (model.run).", metavar="RUN..."),
    ],
    picture: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Draw the training and validation losses of all runs into this picture. Its ending sets the "
            "format: .png, .pdf or .svg.",
            metavar="FILE",
            show_default="no picture",
        ),
    ] = None,
    width: PictureWidth = "two",
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show how trainings differ in network, data and settings, and how good they are.

    Settings that are equal are left out. With -o the command also draws the losses in one picture. It reads them from
    the logs (model.log.jsonl beside model.safetensors).
    """
    from ginjax.checkpoint import check_target
    from ginjax.errors import ArgumentError
    from ginjax.runs import compare_runs, read_run

    out = Output(json=json, quiet=quiet)
    if len(files) < 2:
        raise ArgumentError("runs to compare", got="one", expected="two or more")
    if picture is None and said(ctx, "width"):
        raise ArgumentError("--width", got="no picture", expected="--output FILE as well")
    runs = [read_run(file) for file in files]
    if picture is not None:
        logs = [run.log for run in runs if run.log is not None]
        read = {"a run to compare": files, "the log of a run": logs}
        check_target(picture_path(picture, "comparison", None, read), force=force)
    names = names_of(files)
    out.table(
        "Results",
        ("file", "state", "D", "step", "validation", "one-step error", "of no change", "certificate"),
        [(name, *_results(run)) for name, run in zip(names, runs, strict=True)],
    )
    differences = compare_runs(runs)
    if differences:
        out.table(
            "Differences",
            ("", "name", *names),
            [(each.aspect, each.name, *map(in_words, each.values)) for each in differences],
        )
    else:
        out.line("no difference in network, data and settings")
    if any(each.aspect == "data" and each.name == "digest" for each in differences):
        out.note("the data differ: errors of one and another are not of the same fields")
    rows = {name: run.rows() for name, run in zip(names, runs, strict=True)}
    silent = [name for name, own in rows.items() if not own]
    if picture is not None:
        from ginjax.ml import draw_compared_curves

        for name in silent:
            out.warn(f"{name} has no log beside it: there is no curve of it")
        drawn = {name: own for name, own in rows.items() if own}
        title = f"{len(drawn)} trainings{_on(runs)}"
        draw_compared_curves(picture, title, drawn, width=width, force=force)
    payload = {
        "runs": [run.to_json() for run in runs],
        "differences": [
            {"aspect": each.aspect, "name": each.name, "values": list(each.values)} for each in differences
        ],
    }
    out.result(picture, payload)
    if picture is None and len(silent) < len(rows):
        out.next_step(shell_line(["ginjax", "compare", *files, "-o", "comparison.png"]))
    elif models := [run.path for run in runs if run.path.is_file()]:
        out.next_step(shell_line(["ginjax", "evaluate", *models]))


def _on(runs: "list[Run]") -> str:
    """The data of some trainings as text, if all have the same data."""
    data = {run.trained_on for run in runs}
    return f" on {data.pop()}" if len(data) == 1 and None not in data else ""


def _results(run: "Run") -> tuple[object, ...]:
    from ginjax.runs import plus_minus

    error = run.error or {}
    shown = [
        None if error.get(name) is None else plus_minus(error[name], error.get(spread))
        for name, spread in (("model", "deviation"), ("persistence", "persistence_deviation"))
    ]
    return run.state, run.D, run.step, run.validation, *shown, run.certificate
