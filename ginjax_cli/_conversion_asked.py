"""What `convert-d` was asked to do."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ginjax._text import shell_line

from ._by_axis import by_axis


@dataclass(frozen=True)
class ConversionAsked:
    """The options of `convert-d` about one conversion, of a model of ginjax or a network of another library.

    **Arguments:** as the options.

    - `rescale`: None where no rule was asked for.
    - `ends`: the texts of --new-boundary.
    - `words`: the options that were given, as the command after a dry run takes them.
    """

    source: Path
    to_dim: int
    rescale: str | None
    flex: float | None
    lift_parity: bool
    ends: tuple[str, ...]
    new_axis: str | None
    dtype: str | None
    tol: float | None
    verify: bool
    allow_inexact: bool
    dry_run: bool
    size: int | None
    output: Path | None
    force: bool
    seed: int
    words: tuple[str, ...]

    @cached_property
    def new_boundary(self) -> str | dict[str, str] | None:
        """What the new axes do at their ends, as the library takes it.

        **Raises:** `ArgumentError` for texts that say it twice.
        """
        return by_axis("--new-boundary", self.ends)

    def command(self, *more: str) -> str:
        """The command that does what was asked for, with some more options."""
        return shell_line(["ginjax", "convert-d", str(self.source), *self.words, *more])
