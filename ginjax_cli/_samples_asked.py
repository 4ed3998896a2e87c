"""The samples on which rules are compared or a conversion is calibrated."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ._output import Output
from ._read_as import say_how_read

if TYPE_CHECKING:
    from ginjax.checkpoint import ModelRecord
    from ginjax.data import DataReading
    from ginjax.ml import OwnTask


@dataclass(frozen=True)
class SamplesAsked:
    """The samples that the options describe: from a file, or simulated.

    **Arguments:**

    - `path`, `reading`, `split`: the data, and how to read them. Without a path, `pde` is simulated with `seed`.
    - `count`: the number of samples.
    - `new_boundary`, `new_axis`: what happens at the ends of the new axes, see `ginjax.checkpoint.new_boundaries`, and
      which axes are new.
    """

    path: Path | None
    reading: "DataReading"
    pde: str | None
    count: int | None
    split: str | None
    seed: int
    new_boundary: "str | dict[str, str] | None"
    new_axis: str | None

    def of(
        self, out: Output, record: "ModelRecord", D: int | tuple[int, ...], default: str = "test"
    ) -> "tuple[OwnTask, str]":
        """The samples in dimension `D` for a model, and a name for them."""
        from ginjax.ml import samples_for

        task, held_out = samples_for(
            record,
            D,
            self.path,
            self.reading,
            pde=self.pde,
            default=default,
            samples=self.count,
            seed=self.seed,
            split=self.split,
            new_boundary=self.new_boundary,
            new_axis=self.new_axis,
        )
        if self.path is not None:
            say_how_read(out, held_out.source, record.contract)
        if held_out.note:
            out.note(held_out.note)
        return task, held_out.name
