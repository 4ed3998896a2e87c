"""The files of a training, all named after its output."""

from __future__ import annotations

from collections.abc import Mapping

from ginjax.checkpoint import Claim, check_target, refuse_claimed
from ginjax.errors import FileError
from ginjax.ml.training._saved_state import RunFile
from ginjax.runs import RunNames


class RunFiles(RunNames):
    """The files of a run, all named after its output, such as `model.safetensors`.

    **Arguments:**

    - `output`: the model.
    - `picture`: the ending of the picture of its log.
    """

    def run_file(self, settings: Mapping[str, object]) -> RunFile:
        """The state in that folder, of a training with these settings."""
        return RunFile(self.state, settings)

    def check(self, *, force: bool, resume: bool) -> None:
        """Ask whether the run may begin, before any work.

        **Raises:** `FileError` if another process writes these files, the output exists, an interrupted run would be lost, or its folder is none of ours.
        """
        refuse_claimed(self.stem, self.log)  # before its state is taken for that of an interrupted run
        check_target(self.output, force=force)
        if self.state.is_symlink() or (self.state.exists() and not self.state.is_dir()):
            raise FileError(
                f"{self.state}: is not a folder",
                expected="the folder of an interrupted run, or nothing",
                hint="Remove it, or choose another output.",
            )
        if self.state.exists() and not resume and not force:
            raise FileError(
                f"{self.state}: an interrupted run is waiting here",
                hint="Go on with it (`resume=True`), or begin anew (`force=True`).",
            )

    def claim(self, *, force: bool, resume: bool) -> Claim:
        """Claim the files for this run, before any work.

        A run that was killed before its state was saved leaves a log, which the next one may replace.

        **Raises:** `FileError` if another process writes them, or what stands in the place of one must not be replaced.
        """
        beside = (self.log, self.curve, self.last)
        for file in beside:
            # Their names follow from that of the output: nobody has chosen where a link there leads.
            check_target(file, force=True, links=False)
        waiting = resume and self.run_file({}).exists()
        return Claim(self.stem, beside, force=force or waiting)
