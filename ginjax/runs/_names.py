"""The names of the files of a training, all made from that of its output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ginjax.checkpoint import LOG_ENDING, with_name_of_its_own

STATE_PURPOSE = "state of a training"
"""What the header of a saved state says that it is."""

MODEL_ENDING, FOLDER_ENDING, LAST_ENDING = ".safetensors", ".run", ".last"
STATE_FILE = "state.safetensors"


@dataclass(frozen=True)
class RunNames:
    """The files of a run, all named after its output, such as `model.safetensors`.

    **Arguments:**

    - `output`: the model.
    - `picture`: the ending of the picture of its log.
    """

    output: Path
    picture: str = "png"

    @property
    def stem(self) -> Path:
        """The output without its suffix, from which the other names are made.

        **Raises:** `FileError` for an output without a name, such as `.` or `/`.
        """
        name = with_name_of_its_own(self.output).name
        return self.output.with_name(name.removesuffix(MODEL_ENDING) or name)

    @property
    def log(self) -> Path:
        """Losses and rates while the training lasts, one JSON object a line."""
        return self._named(LOG_ENDING)

    @property
    def curve(self) -> Path:
        """The picture of the log."""
        return self._named(f".curve.{self.picture}")

    @property
    def last(self) -> Path:
        """The last model, where another one was best."""
        return self._named(f"{LAST_ENDING}{MODEL_ENDING}")

    @property
    def state(self) -> Path:
        """The folder that an interrupted run goes on from."""
        return self._named(FOLDER_ENDING)

    @property
    def state_file(self) -> Path:
        """The saved state, in that folder."""
        return self.state / STATE_FILE

    def _named(self, ending: str) -> Path:
        return self.stem.with_name(f"{self.stem.name}{ending}")
