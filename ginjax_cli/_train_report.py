"""What `ginjax train` prints about a run: where it continues, its result, and the command that comes next."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ginjax._text import plural, shell_line, shell_word

from ._config_file import given_options
from ._conversion_step import conversion_command
from ._output import Output

if TYPE_CHECKING:
    from collections.abc import Collection

    from ginjax.checkpoint import ModelRecord
    from ginjax.ml import (
        OneStepError,
        PreparedTraining,
        Progress,
        RunFile,
        RunFiles,
        Trained,
        TrainedModel,
        TrainingRequest,
        TrainSettings,
    )
    from ginjax.ml.draw import Width

LEAST_POINTS = 10
"""A learning curve with fewer points is not drawn."""


def say_request(out: Output, request: "TrainingRequest", adapt: "Collection[str]") -> None:
    """Print notes on a training before it is prepared. `adapt` are the values of `--adapt`."""
    for said in (*request.fields, request.walls, request.cropped):
        if said is not None:
            out.note(said)
    for aspect in sorted({*adapt} - {each.aspect for each in request.adapted}):
        out.note(f"--adapt {aspect}: the data do not differ in it from those of the model")
    for each in request.adapted:
        out.note(f"{each.subject}: {each.got}; adapting from {each.expected}")


def curve_title(request: "TrainingRequest") -> str:
    """The title of a learning curve: the network, the dimension and the fields."""
    contract = request.material.contract
    fields = ", ".join(each.name for each in contract.predicted)
    return f"{request.model.spec.architecture}, {contract.D}D: {fields}"


def say_where(out: Output, progress: "Progress", run_file: "RunFile", settings: "TrainSettings") -> None:
    """Say where a run continues, and which settings change there."""
    if not progress.step:  # the notes on a new run were printed before the data were read
        return
    of = f" of {settings.steps}" if settings.steps else ""
    out.note(f"going on after step {progress.step}{of}")
    newest = run_file.changes[-1] if run_file.changes else {}
    if newest.get("after") != progress.step:
        return
    for name, values in newest.items():
        if isinstance(values, list):
            old, new = ("none" if value is None else value for value in values)
            out.note(f"changed from here on: {name.replace('_', ' ')} {old} -> {new}")
    out.note(f"learning rate at this step: {settings.rate_at(progress.step):.3g}")


def show_finished(
    out: Output,
    files: "RunFiles",
    record: "ModelRecord",
    run_file: "RunFile",
    ctx: typer.Context,
    title: str | None,
    width: "Width",
) -> None:
    """Report that a run which should continue is already finished.

    **Arguments:**

    - `title`, `width`: of its learning curve, which is drawn if it is missing. The title is None in a process that
      writes nothing.
    """
    output = files.output
    if title is not None:
        draw_learning_curve(out, files, title, _best_step_of(record), width, finished=True)
    step = record.provenance[-1]
    done, steps, seconds = (step.get(name) for name in ("steps_done", "steps", "seconds"))
    out.note(f"finished already, after {done} steps: {output} stays as it is")
    out.result(output, {"finished_already": True, "steps_done": done}, written=False)
    longer = ["--steps", str(2 * steps)] if isinstance(steps, int) else []
    if isinstance(seconds, int | float):
        longer += ["--time-budget", f"{2 * seconds:g}s"]
    if run_file.exists() and longer:
        left_out = ("force", "resume", "steps", "epochs", "time_budget", "json", "quiet")
        out.next_step(
            shell_line(["ginjax", "train", *given_options(ctx, without=left_out), *longer, "--resume"])
        )
    else:
        out.next_step(f"ginjax inspect {shell_word(output)}")


def following_command(
    ctx: typer.Context,
    output: Path,
    record: "ModelRecord",
    error: "OneStepError | None",
    settings: "TrainSettings",
    *,
    keep_state: bool,
) -> str:
    """The command that usually comes next. For a network that has learnt nothing, it is more training."""
    name, data = shell_word(output), ctx.params["data"]
    converts = record.D < 3
    if error is not None and not error.learned and (converts or ctx.params["init"] is None):
        longer = [] if settings.steps is None else ["--steps", str(4 * settings.steps)]
        if settings.seconds is not None:
            longer += ["--time-budget", f"{4 * settings.seconds:g}s"]
        changed = ("steps", "epochs", "time_budget", "resume", "force", "json", "quiet", "dry_run")
        words = [*given_options(ctx, without=changed), *longer, "--resume" if keep_state else "--force"]
        return shell_line(["ginjax", "train", *words])
    if converts:
        return conversion_command(output, record, 3)
    source = "" if data is None else f" --data {shell_word(data)}"
    if source and "test" not in record.contract.parts:
        source += " --split train"  # nothing was held out, and without this option `evaluate` refuses
    return f"ginjax evaluate {name}{source}"


def show_result(
    out: Output,
    output: Path,
    title: str,
    prepared: "PreparedTraining",
    made: "TrainedModel",
    trained: "Trained",
    sha256: str,
) -> None:
    """Show the result of a training, with warnings about it."""
    from ginjax.runs import plus_minus

    before, judged = prepared.before, prepared.task.judged
    progress, error, certificate = trained.progress, made.error, made.record.certificate
    rows: dict[str, object] = {
        "parameters": made.record.parameters,
        "training loss": f"{progress.first_loss:.3g} -> {progress.last_loss:.3g}  (of the first and the last batch alone)",
    }
    if progress.best_step >= 0:
        what = "lowest validation loss" if judged is None else "lowest error by which it is judged"
        rows[what] = f"{progress.best_loss:.3g}  (step {progress.best_step})"
    if judged is not None:
        rows["judged by"] = str(judged)
    if error is not None:
        shown = plus_minus(error.model, error.deviation)
        rows["one-step error"] = (
            f"{shown}  (nRMSE of every next frame, {plural(error.trajectories, 'trajectory')} held out)"
        )
    if before is not None:
        rows["one-step error before tuning"] = plus_minus(before.model, before.deviation)
    if error is not None:
        rows["error of predicting no change"] = plus_minus(error.persistence, error.persistence_deviation)
    if certificate is not None:
        rows["compatible with"] = f"{certificate.from_dim}D, residual {certificate.residual:.1e}"
    out.fields(title, rows)
    said = prepared.to_hear(trained, made)
    if said is not None:
        out.warn(said)
    measured: dict[str, Any] = {"loss": progress.last_loss, "steps_done": progress.step}
    if error is not None:
        measured |= {
            "error": error.model,
            "persistence": error.persistence,
            "one_step_error": error.to_json(),
        }
    if before is not None:
        measured["error_before"] = before.model
    if progress.best_step >= 0:
        measured |= {"validation": progress.best_loss, "best_step": progress.best_step}
    if judged is not None:
        measured |= {"judged": str(judged), "kept_start": trained.kept_start}
    settings = {
        name: value
        for name, value in made.record.provenance[-1].items()
        if name
        not in (
            "step",
            "version",
            "source",
            "kept_compatible",
            "adapted",
            "trained_before",
            "steps_done",
            "best_step",
            "best_loss",
            "one_step_error",
            "judged",
        )
    }
    if "adapted" in made.record.provenance[-1]:
        measured["adapted"] = made.record.provenance[-1]["adapted"]
    payload = {"settings": settings, "parameters": made.record.parameters, "sha256": sha256} | measured
    out.result(output, payload)


def draw_learning_curve(
    out: Output, files: "RunFiles", title: str, best_step: int, width: "Width", *, finished: bool = False
) -> None:
    """Draw the log if it is long enough. For a run that had finished before, draw it only if the picture is missing."""
    from ginjax.ml import draw_curve, read_log

    if finished and not files.curve_is_due():
        return
    rows = read_log(files.log)
    if len(rows) >= LEAST_POINTS:
        draw_curve(files.curve, title, rows, best_step=best_step, width=width)
        return
    if finished:
        return
    files.tidy(curve=True)
    out.note(
        f"no learning curve is drawn: of the {LEAST_POINTS} points that it needs {files.log} has {len(rows)}"
    )


def _best_step_of(record: "ModelRecord") -> int:
    """The step whose model a finished training kept; -1 for the last step."""
    step = record.provenance[-1].get("best_step")
    return step if isinstance(step, int) else -1
