"""What the user states about a network that its file does not; nothing of it is guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ginjax.errors import ArgumentError

from ._layouts import Place
from ._modules import Module


@dataclass(frozen=True)
class Description:
    """What a file of weights does not state about the network.

    Patterns are written like those of file names (`up*.weight`); the first one that matches counts.

    **Arguments:**

    - `layout`: the library whose kernels these are, a name in `LAYOUTS`.
    - `modules`: all layers, see `read_modules`; of the network in either dimension.
    - `like`: shapes by name of a network in the new dimension, if there is one; its names are used.
    - `transposed`: patterns of all transposed convolutions, with `:STRIDE[:PADDING[:OUTPUT_PADDING]]`. An empty sequence states
      that there are none; None states nothing.
    - `stride`: patterns, with `:STRIDE`, of all other convolutions whose stride is not 1; empty and None as for `transposed`.
    - `padding`: patterns with `:PADDING`, a number of points or `same` (chosen by the depth). A further `:repeats` states that
      the padding continues the field instead of zeros.
    - `keep`, `drop`: patterns of arrays to keep as they are, or to leave out.
    - `new_axis`: whether new axes come before (`first`) or after (`last`) the existing ones. None means first, unless `like`
      shows otherwise.
    - `from_dim`: dimension of the network; None if its kernels show it.
    """

    layout: str = "pytorch"
    modules: Sequence[Module] | None = None
    like: Mapping[str, tuple[int, ...]] | None = None
    transposed: Sequence[str] | None = None
    stride: Sequence[str] | None = None
    padding: Sequence[str] = ()
    keep: Sequence[str] = ()
    drop: Sequence[str] = ()
    new_axis: Place | None = None
    from_dim: int | None = None


class Patterns:
    """Patterns of names, in order, with a record of those that matched.

    **Arguments:**

    - `argument`: the argument that they were given in, for messages.
    - `texts`: `PATTERN` or `PATTERN:VALUE:...`.
    - `values`: the largest number of values after a pattern; if it is not 0, at least one is required.
    """

    def __init__(self, argument: str, texts: Sequence[str], values: int = 0):
        self._argument = argument
        self._rows: list[tuple[str, list[str]]] = []
        self._unused: dict[str, None] = {}
        for text in texts:
            pattern, *rest = text.split(":")
            if not pattern or (values and not rest) or len(rest) > values:
                form = "PATTERN" + ":VALUE" * min(values, 1) + "[:...]" * (values > 1)
                raise ArgumentError(f"`{argument}`", got=repr(text), expected=form)
            self._rows.append((pattern, rest))
            self._unused[text] = None
        self._texts = list(texts)

    def find(self, name: str) -> list[str] | None:
        """The values of the first pattern that matches a name, empty if it has none; None if no pattern matches."""
        for text, (pattern, values) in zip(self._texts, self._rows, strict=True):
            if fnmatchcase(name, pattern):
                self._unused.pop(text, None)
                return values
        return None

    def refuse_unused(self) -> None:
        """Refuse a pattern that matched nothing.

        **Raises:** `ArgumentError` that names it.
        """
        if self._unused:
            raise ArgumentError(
                f"`{self._argument}`",
                got=f"{next(iter(self._unused))!r}, which fits no array, or none that an earlier pattern leaves",
                expected="patterns of names in the file",
            )


def whole_number(argument: str, text: str, least: int) -> int:
    """Read a number after a pattern.

    **Raises:** `ArgumentError` for anything else.
    """
    if not text.isdecimal() or len(text) > 6 or int(text) < least:
        raise ArgumentError(f"`{argument}`", got=repr(text), expected=f"a whole number from {least}")
    return int(text)


def without_wrapper(names: Sequence[str], wanted: Mapping[str, Any]) -> str:
    """The prefix that all names of a file have and those of the network lack, such as `module.`.

    **Returns:** the prefix; empty if the names fit without one, or if no usual wrapper explains the difference.
    """
    if any(name in wanted for name in names):
        return ""
    prefix = ""
    while True:
        found = next((each for each in _WRAPPERS if all(n.startswith(prefix + each) for n in names)), None)
        if found is None:
            return ""
        prefix += found
        if any(name.removeprefix(prefix) in wanted for name in names):
            return prefix


_WRAPPERS = ("module.", "model.", "_orig_mod.", "state_dict.", "ema.", "network.", "net.")
"""Prefixes that training programs put before all names of a network."""
