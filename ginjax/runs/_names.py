"""The names of the files of a training, all derived from the name of its output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ginjax.checkpoint import LOG_ENDING, with_name_of_its_own

STATE_PURPOSE = "state of a training"
"""The purpose that the header of a saved state declares."""

MODEL_ENDING, FOLDER_ENDING, LAST_ENDING = ".safetensors", ".run", ".last"
STATE_FILE = "state.safetensors"


@dataclass(frozen=True)
class RunNames:
    """The names of the files of a run, all derived from its output, such as `model.safetensors`.

    **Arguments:**

    - `output`: the file of the model.
    - `picture`: the file type of the learning curve, such as "png".
    """

    output: Path
    picture: str = "png"

    @property
    def stem(self) -> Path:
        """The output without its suffix; the other names start with it.

        **Raises:** `FileError` for an output without a name, such as `.` or `/`.
        """
        name = with_name_of_its_own(self.output).name
        return self.output.with_name(name.removesuffix(MODEL_ENDING) or name)

    @property
    def log(self) -> Path:
        """The log of losses and rates, written during training, one JSON object per line."""
        return self._named(LOG_ENDING)

    @property
    def curve(self) -> Path:
        """The picture of the learning curve, drawn from the log."""
        return self._named(f".curve.{self.picture}")

    @property
    def last(self) -> Path:
        """The last model, if an earlier one was the best."""
        return self._named(f"{LAST_ENDING}{MODEL_ENDING}")

    @property
    def state(self) -> Path:
        """The folder from which an interrupted run resumes."""
        return self._named(FOLDER_ENDING)

    @property
    def state_file(self) -> Path:
        """The saved state in the folder `state`."""
        return self.state / STATE_FILE

    def _named(self, ending: str) -> Path:
        return self.stem.with_name(f"{self.stem.name}{ending}")
