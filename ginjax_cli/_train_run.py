"""A training as `ginjax train` carries it out: estimate it, follow it, stop it in order, and write its files."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Never

import typer

from ginjax._text import in_bytes, shell_line, shell_word

from ._config_file import given_options
from ._interrupt import Interrupt, Interrupted
from ._output import Output
from ._train_report import curve_title, draw_learning_curve, following_command, say_where, show_result
from ._train_seeds import as_asked

if TYPE_CHECKING:
    from ginjax.checkpoint import Claim, ModelRecord
    from ginjax.ml import (
        PreparedTraining,
        Progress,
        Report,
        RunFile,
        RunFiles,
        Saving,
        StepMemory,
        Trained,
        TrainedModel,
    )
    from ginjax.ml.draw import Width


def rehearse(out: Output, ctx: typer.Context, prepared: "PreparedTraining") -> None:
    """Do the first steps. Show what the whole training will take, and the command that begins it."""
    with out.progress(1, "compiling and measuring the first steps"):
        estimate = prepared.rehearse()
    request = prepared.request
    out.fields(f"{request.model.spec.architecture} on {request.material.title}", estimate.rows())
    if estimate.warning is not None:
        out.warn(estimate.warning)
    out.result(None, {"dry_run": True, "estimate": estimate.to_json()})
    words = given_options(as_asked(ctx), without=("dry_run", "json", "quiet"))
    out.next_step(shell_line(["ginjax", "train", *words]))


@dataclass
class TrainRun:
    """One run of a training.

    **Arguments:**

    - `out`: the output of the command.
    - `ctx`: the context of the command.
    - `prepared`: the training.
    - `files`, `run_file`, `saving`: its files, the file of its state, and when that file is written.
    - `log`: trackers to which it is logged too.
    """

    out: Output
    ctx: typer.Context
    prepared: "PreparedTraining"
    files: "RunFiles"
    run_file: "RunFile"
    saving: "Saving"
    log: tuple[str, ...]
    _told: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.measuring = self.prepared.measuring()

    def carry_out(self) -> "Trained":
        """Train until the training is finished or is asked to end."""
        from ginjax.ml import COMPILING, RunLog, time_left

        out, prepared, measuring = self.out, self.prepared, self.measuring
        settings, resume = prepared.settings, self.saving.resume
        with (
            RunLog(self.files, settings, prepared.placement, self.log, prepared.identity) as book,
            out.progress(settings.steps or 0, "training", "steps") as bar,
            Interrupt() as interrupt,
        ):

            def begin(progress: "Progress") -> None:
                if resume:
                    say_where(out, progress, self.run_file, settings)
                measuring.begin(progress)
                book.begin(progress, resumed=resume)
                bar.begin(progress.step)
                bar.say(prepared.begins_with(progress.step))

            def compiled(memory: "StepMemory", seconds: float) -> None:
                bar.say("")
                measuring.compiled(memory, seconds)

            def follow(report: "Report") -> None:
                book.note(report)
                measuring.note(report)
                if measuring.is_enough():
                    self._tell_estimate()
                if report.validation is None:
                    bar.update(report.step, f"loss {report.losses[-1]:.2e}", **time_left(report, settings))
                elif report.step == 0:
                    bar.say(COMPILING)

            trained = prepared.train(
                saving=self.saving,
                on_begin=begin,
                on_report=follow,
                interrupted=interrupt.asked,
                on_compiled=compiled,
                on_growth=out.warn,
            )
            if trained.progress.step > measuring.estimate().done:
                self._tell_estimate()
        if trained.reason == "patience":
            progress = trained.progress
            out.note(f"early stopping after step {progress.step}: no better in {progress.misses} validations")
        return trained

    def _tell_estimate(self) -> None:
        """Show the estimate once, as soon as the time of a step is known."""
        if self._told:
            return
        self._told, estimate = True, self.measuring.estimate()
        self.out.notes(estimate.rows())
        if estimate.warning is not None:
            self.out.warn(estimate.warning)

    def stop(self, trained: "Trained", *, replaces: bool) -> Never:
        """Say how to continue a run that was asked to end.

        **Arguments:**

        - `replaces`: whether this run may replace an existing model. Then a given `--force` also holds for the run
          that continues.

        **Raises:** `Interrupted`.
        """
        left_out = ("resume",) if replaces else ("force", "resume")
        words = ["ginjax", "train", *given_options(self.ctx, without=left_out), "--resume"]
        step, state = trained.progress.step, self.files.state
        self.out.interrupted(
            f"interrupted after step {step}; its state is in {state}",
            shell_line(words),
            {"steps_done": step, "state": str(state)},
        )
        raise Interrupted

    def finish(
        self, output: Path, trained: "Trained", claim: "Claim", *, force: bool, width: "Width"
    ) -> None:
        """Write the model, and show what came of the training and which command comes next.

        **Arguments:**

        - `output`: the file of the model.
        - `claim`: the claim on the files, which ends here.
        - `force`: whether an existing model is replaced.
        - `width`: the width of the learning curve.
        """
        from ginjax.checkpoint import write_model

        out, prepared, files, keep_state = self.out, self.prepared, self.files, self.saving.keep
        made = prepared.finish(trained)
        if made.last is not None:
            write_model(files.last, made.last, force=True)
            kept = "the model of --init" if trained.kept_start else "the best model"
            out.note(f"{kept} is kept; the last one is {files.last}")
        output, sha256 = self._written(output, made.record, force=force)
        files.tidy(last=made.last is None)
        if not keep_state:
            self.run_file.remove()
        claim.done()
        request = prepared.request
        title = f"{request.model.spec.architecture} on {request.material.title}"
        show_result(out, output, title, prepared, made, trained, sha256)
        draw_learning_curve(out, files, curve_title(request), trained.progress.best_step, width)
        self._say_next(output, made)

    def _written(self, output: Path, record: "ModelRecord", *, force: bool) -> tuple[Path, str]:
        """Write the model. If its file has come to exist meanwhile and may not be replaced, use a numbered name.

        **Returns:** the file, and its SHA-256.
        """
        from ginjax.checkpoint import write_model
        from ginjax.errors import FileError

        path, stem, number = output, output.name.removesuffix(".safetensors"), 0
        while True:
            try:
                sha256 = write_model(path, record, force=force)
            except FileError:
                if force or not os.path.lexists(path):
                    raise
                number += 1
                path = output.with_name(f"{stem}.{number}.safetensors")
                continue
            if path != output:
                by = f"{shell_word(output)} was made by another program meanwhile"
                self.out.warn(f"{by}: the model is {shell_word(path)}")
            return path, sha256

    def _say_next(self, output: Path, made: "TrainedModel") -> None:
        out, keep_state = self.out, self.saving.keep
        if keep_state:
            size, state = in_bytes(self.run_file.size), self.files.state
            out.note(
                f"the state of the run ({size}) is kept in {state}: --resume with more steps or time goes on from it"
            )
        following = following_command(
            self.ctx, output, made.record, made.error, self.prepared.settings, keep_state=keep_state
        )
        is_torus = self.prepared.request.material.contract.is_torus
        if not all(is_torus) and " convert-d " in following:
            out.note(
                "axes that a conversion adds wrap around; with --new-boundary mirror or edge they end at walls"
            )
        out.next_step(following)
