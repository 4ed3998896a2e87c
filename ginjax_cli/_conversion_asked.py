"""The options of one call of `convert-d`."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ginjax._text import shell_line

from ._by_axis import by_axis


@dataclass(frozen=True)
class ConversionAsked:
    """The options of `convert-d` for one conversion, of a model of ginjax or of a network of another library.

    **Arguments:** as the options, and

    - `rescale`: None if the user named no rule.
    - `ends`: the values of `--new-boundary`.
    - `words`: the options to repeat in the command that is suggested after a dry run.
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
        """What happens at the ends of the new axes, as the library takes it.

        **Raises:** `ArgumentError` if it is stated twice for an axis.
        """
        return by_axis("--new-boundary", self.ends)

    def command(self, *more: str) -> str:
        """The same command, with some more options."""
        return shell_line(["ginjax", "convert-d", str(self.source), *self.words, *more])
