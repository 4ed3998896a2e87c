"""Access to the files of a training, all named after its output."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from ginjax.checkpoint import Claim, ModelRecord, check_target, read_model, refuse_claimed, remove_left_behind
from ginjax.errors import FileError
from ginjax.ml.training._going_on import CHANGEABLE, as_json, difference_from_model
from ginjax.ml.training._saved_state import RunFile
from ginjax.runs import RunNames


class RunFiles(RunNames):
    """The files of a run, all named after its output, such as `model.safetensors`.

    **Arguments:**

    - `output`: the file of the model.
    - `picture`: the file type of the learning curve, such as "png".
    """

    def run_file(self, settings: Mapping[str, object]) -> RunFile:
        """The saved state in the folder `state`, for a training with these settings."""
        return RunFile(self.state, settings)

    def check(self, *, force: bool, resume: bool, writes: bool = True) -> None:
        """Check that the run may begin, before any work.

        With `resume`, an existing output is accepted here; `finished` checks it.

        **Arguments:**

        - `force`, `resume`: whether to begin anew over an earlier run, or to continue it.
        - `writes`: whether this process writes the files. One of several that does not may find that the main process has
          claimed them already.

        **Raises:** `FileError` if another process writes these files, the output exists, the state of a run would be lost, or
        the path of its folder is something other than a folder.
        """
        if writes:  # before its state is mistaken for that of an interrupted run
            refuse_claimed(self.stem, self.log)
        check_target(self.output, force=force or resume)
        if self.state.is_symlink() or (self.state.exists() and not self.state.is_dir()):
            raise FileError(
                f"{self.state}: is not a folder",
                expected="the folder of a run, or nothing",
                hint="Remove it, or choose another output.",
            )
        if self.state.exists() and not resume and not force:
            raise FileError(
                f"{self.state}: holds the state of a run",
                hint="Go on with it (`resume=True`), or begin anew (`force=True`).",
            )

    def claim(self, *, force: bool, resume: bool) -> Claim:
        """Claim the files for this run, before any work.

        A run that was killed before it saved its state leaves a log, which the next run may replace.

        **Raises:** `FileError` if another process writes the files, or an existing file must not be replaced.
        """
        beside = (self.log, self.curve, self.last)
        for file in beside:
            # These names are derived from the output, so nobody has chosen the target of a link there.
            check_target(file, force=True, links=False)
        remove_left_behind(self.output)
        waiting = resume and (self.run_file({}).exists() or self.output.exists())
        return Claim(self.stem, beside, force=force or waiting)

    def finished(self, identity: Mapping[str, object], *, force: bool = False) -> ModelRecord | None:
        """Return the model if a run that is to be resumed has finished before.

        Resuming never begins anew over a model. The model is that of the run asked for; or an earlier model of this run, which
        the longer run will replace; or it belongs to another run and stays.

        **Arguments:**

        - `identity`: identity of the run, see `run_identity`.
        - `force`: whether a run with a saved state may replace a model of another run.

        **Returns:** the model; None if there is none, or if its run continues.

        **Raises:** `FileError` for a model of another run, or one whose run cannot be extended because its state is gone.
        """
        if not self.output.exists():
            return None
        asked, state = as_json(identity), self.run_file(identity)
        record = read_model(self.output)
        found = difference_from_model(record, asked)
        if found is None:
            return record
        if state.exists() and (force or state.belongs(record)):
            return None
        name, known, got = found
        changes = difference_from_model(record, asked, without=tuple(CHANGEABLE)) is None
        what = (
            "the state of its run is not there, so that it cannot be extended" if changes else "another run"
        )
        raise FileError(
            f"{self.output}: {what}: {name}",
            got=got,
            expected=f"{known}, as in the model's",
            hint="Choose another output; or begin anew in its place (`force=True` alone, without going on)."
            if not changes
            else "Train on from its weights into another output, or begin anew in its place (`force=True` alone).",
        )

    def curve_is_due(self) -> bool:
        """Whether the learning curve is missing, or older than the model because the run ended before it was drawn."""
        try:
            return self.curve.stat().st_mtime_ns < self.output.stat().st_mtime_ns
        except OSError:
            return self.output.exists()

    def tidy(self, *, last: bool = False, curve: bool = False) -> None:
        """Remove files that an earlier run of this name left and that this run has not written.

        **Arguments:**

        - `last`, `curve`: which of these files to remove.
        """
        for file, remove in ((self.last, last), (self.curve, curve)):
            if remove and file.is_file() and not file.is_symlink():
                with contextlib.suppress(OSError):
                    file.unlink()
