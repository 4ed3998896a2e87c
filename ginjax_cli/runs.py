"""`ginjax runs`: list the models and trainings in a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ginjax._text import shell_line, shell_word

from ._options import Debug, Json, Quiet
from ._output import Output

if TYPE_CHECKING:
    from ginjax.runs import Run

_WORDS = {
    "model": "model",
    "running": "running",
    "interrupted": "interrupted",
    "finished": "finished",
    "lost": "ended, nothing saved",
}
_COLUMNS = ("file", "state", "data", "D", "parameters", "step", "validation", "one-step error", "certificate")


def runs(
    folder: Annotated[
        Path, typer.Argument(help="The folder to list.", metavar="[DIR]", show_default="this one")
    ] = Path(),
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="List the folders inside this folder too.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List models and trainings (running or interrupted), with their data and errors.

    The validation loss is the lowest one of the training. For a tuning, it is the error of the rollouts that judged it.
    The one-step error is the error of the next frame on the held-out data. Files that cannot be read are named below
    the table.
    """
    from ginjax.runs import list_runs

    out = Output(json=json, quiet=quiet)
    found = list_runs(folder, recursive=recursive)
    if found.runs:
        rows = [_row(run) for run in found.runs]
        # Columns without values are left out, which makes room for names.
        told = [i for i in range(len(_COLUMNS)) if i < 3 or any(row[i] is not None for row in rows)]
        out.table(
            f"Runs in {shell_word(folder)}",
            [_COLUMNS[i] for i in told],
            [[row[i] for i in told] for row in rows],
            names=1,
        )
    for path, problem in found.unread:
        out.warn(f"{shell_word(path)}: {problem}")
    if not found.runs:
        out.note(f"no models or trainings in {shell_word(folder)}")
    for run in found.runs:
        who = run.claimant
        if run.state == "running" and who is not None:
            name = shell_word(run.names.output)
            out.note(f"{name} is being trained by process {who.process} on {who.host!r}, since {who.since}")
    out.result(
        None,
        {
            "runs": [run.to_json() for run in found.runs],
            "unread": [{"path": str(path), "problem": problem} for path, problem in found.unread],
        },
    )
    # A training that has only just begun has nothing to look at yet.
    known = [run for run in found.runs if run.path != run.names.log]
    alike = [run for run in known if known and (run.trained_on, run.D) == (known[0].trained_on, known[0].D)]
    if len(alike) > 1:
        out.next_step(shell_line(["ginjax", "compare", *(run.path for run in alike[:2])]))
    elif known:
        out.next_step(f"ginjax inspect {shell_word(known[0].path)}")


def _row(run: "Run") -> tuple[object, ...]:
    step = run.step
    done = step if run.steps is None or step == run.steps else f"{step} of {run.steps}"
    error = None if run.error is None else run.error.get("model")
    return (
        shell_word(run.path),
        _WORDS[run.state],
        run.trained_on,
        run.D,
        run.parameters,
        None if step is None else done,
        run.validation,
        error,
        run.certificate,
    )
