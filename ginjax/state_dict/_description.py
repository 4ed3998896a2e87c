"""What is said of a network beside its file: nothing in it is guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ginjax.errors import ArgumentError

from ._layouts import Place
from ._modules import Module


@dataclass(frozen=True)
class Description:
    """What a file of weights does not tell of the network.

    Patterns are those of file names (`up*.weight`), and the first that fits counts.

    **Arguments:**

    - `layout`: whose the kernels are, a name of `LAYOUTS`.
    - `modules`: all layers, see `read_modules`; of the network in either dimension.
    - `like`: shapes of a network in the new dimension by name, if there is one; its names count.
    - `transposed`: patterns of all transposed convolutions with `:STRIDE[:PADDING[:OUTPUT_PADDING]]`; empty says that there are
      none, None says nothing.
    - `stride`: patterns of all other convolutions whose stride is not 1, with `:STRIDE`; as `transposed`.
    - `padding`: patterns with `:PADDING`, a number of points or `same` (chosen by the depth), and `:repeats` where the padding
      continues the field in place of zeros.
    - `keep`, `drop`: patterns of arrays that are passed on as they are, or left out.
    - `new_axis`: whether new axes come before those that are there or after; None is before, unless `like` says otherwise.
    - `from_dim`: dimension of the network; None if its kernels tell.
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
    """Patterns of names, in order, and which of them was of use.

    **Arguments:**

    - `argument`: the argument they were given as, for messages.
    - `texts`: `PATTERN` or `PATTERN:VALUE:...`.
    - `values`: the most values that may follow a pattern; the fewest is 1 if there may be any.
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
        """The values of the first pattern that fits a name; an empty list where it has none; None if none fits."""
        for text, (pattern, values) in zip(self._texts, self._rows, strict=True):
            if fnmatchcase(name, pattern):
                self._unused.pop(text, None)
                return values
        return None

    def refuse_unused(self) -> None:
        """Refuse a pattern that fitted nothing.

        **Raises:** `ArgumentError` naming it.
        """
        if self._unused:
            raise ArgumentError(
                f"`{self._argument}`",
                got=f"{next(iter(self._unused))!r}, which fits no array, or none that an earlier pattern leaves",
                expected="patterns of names in the file",
            )


def whole_number(argument: str, text: str, least: int) -> int:
    """A number that stands behind a pattern.

    **Raises:** `ArgumentError` for anything else.
    """
    if not text.isdecimal() or len(text) > 6 or int(text) < least:
        raise ArgumentError(f"`{argument}`", got=repr(text), expected=f"a whole number from {least}")
    return int(text)


def without_wrapper(names: Sequence[str], wanted: Mapping[str, Any]) -> str:
    """What stands before all names of a file and not before those of the network, such as `module.`.

    **Returns:** the prefix, empty where names fit as they are or none of the usual wrappers is the reason.
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
"""What training programs put before the names of a network, all of which must have it."""
