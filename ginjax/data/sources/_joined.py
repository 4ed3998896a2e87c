"""Several files as one source."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np

from ginjax.checkpoint import Field, axes_of, ends_in_words
from ginjax.data._planes_in_words import told_planes
from ginjax.data.sources._source import Box, Source
from ginjax.data.sources._spacing import spacings_in_words
from ginjax.errors import ArgumentError

OPEN_FILES = 32


def _fields(fields: Sequence[Field]) -> str:
    return ", ".join(each.kind for each in fields) or "none"


def _unit(unit: str | None) -> str:
    return "not stated" if unit is None else unit


def _number(value: float | None) -> str:
    return "not stated" if value is None else f"{value:.7g}"


_SAME: dict[str, tuple[str, Callable[[Any], str]]] = {
    "D": ("dimension", str),
    "spatial": ("grid", lambda sides: "x".join(map(str, sides))),
    "schema": ("fields", _fields),
    "constants": ("constants", _fields),
    "is_torus": ("boundaries", lambda flags: ends_in_words(axes_of(tuple(flags)))),
    "length_unit": ("unit of length", _unit),
    "time_unit": ("unit of time", _unit),
}
"""What all files of a data set have in common: by attribute, its name in messages and how to write it."""

_CLOSE = {"spacing": "grid spacing", "time_step": "time step"}
"""Numbers that all files have in common, except for rounding."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class JoinedSource(Source):
    """The trajectories of several sources, one after the other; build it with `join`."""

    sources: tuple[Source, ...]
    ends: tuple[int, ...]
    used: OrderedDict[int, None] = field(default_factory=OrderedDict, repr=False)

    def frames_of(self, trajectory: int) -> int:
        """Number of frames of one trajectory."""
        which, local = self._locate(trajectory)
        return self.sources[which].frames_of(local)

    def close(self) -> None:
        """Close open files."""
        for source in self.sources:
            source.close()

    def _locate(self, trajectory: int) -> tuple[int, int]:
        which = bisect_right(self.ends, trajectory)
        return which, trajectory - (self.ends[which - 1] if which else 0)

    def _use(self, trajectory: int) -> tuple[Source, int]:
        """The source of a trajectory. If many are open, the one that was not used for longest is closed."""
        which, local = self._locate(trajectory)
        self.used[which] = None
        self.used.move_to_end(which)
        if len(self.used) > OPEN_FILES:
            self.sources[self.used.popitem(last=False)[0]].close()
        return self.sources[which], local

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        source, local = self._use(trajectory)
        return source.read(local, start, stop, precise=True)

    def _read_box(self, trajectory: int, start: int, stop: int, box: Box) -> dict[str, np.ndarray]:
        source, local = self._use(trajectory)
        return source.read(local, start, stop, precise=True, box=box)

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        source, local = self._use(trajectory)
        return source.read_constants(local, precise=True)

    def _read_constants_box(self, trajectory: int, box: Box) -> dict[str, np.ndarray]:
        source, local = self._use(trajectory)
        return source.read_constants(local, precise=True, box=box)


def _same(a: float | None, b: float | None) -> bool:
    return (a is None) == (b is None) and (a is None or b is None or math.isclose(a, b, rel_tol=1e-3))


def same_spacings(a: tuple[float, ...] | None, b: tuple[float, ...] | None) -> bool:
    """Whether two grids have the same spacing along each axis, or neither has one spacing for each axis."""
    if a is None or b is None:
        return a is b
    return len(a) == len(b) and all(
        math.isclose(one, other, rel_tol=1e-3) for one, other in zip(a, b, strict=True)
    )


def _another(
    what: str, name: str, got: str, first: str, expected: str, condition: str | None = None
) -> ArgumentError:
    told = f" `conditions=['{condition}']` makes it an input of the network, and then it may differ."
    return ArgumentError(
        f"{name}: {what}",
        got=got,
        expected=f"{expected}, as in {first}",
        hint="Only files with the same fields on the same grid, at the same steps, make one set of data."
        + (told if condition is not None else ""),
    )


def join(sources: Sequence[Source], names: Sequence[str] | None = None, split: str | None = None) -> Source:
    """Join several sources of the same fields on the same grid into one.

    **Arguments:**

    - `sources`: at least one.
    - `names`: name of each in messages; their own names if None.
    - `split`: the split that all of them belong to, if any.

    **Raises:** `ArgumentError` that names the first source that does not fit the first one. Spacing and time step may differ if
    they are conditions of both, see `with_conditions`.
    """
    first = sources[0]
    names = [source.name for source in sources] if names is None else names
    told = set.intersection(*(set(source.conditions) for source in sources))
    if len(sources) == 1:
        return first
    for source, name in zip(sources[1:], names[1:], strict=True):
        for what, (words, in_words) in _SAME.items():
            a, b = getattr(source, what), getattr(first, what)
            if a != b:
                raise _another(words, name, in_words(a), names[0], in_words(b))
        if not same_spacings(source.spacings, first.spacings):
            mine, others = (
                "equal along all axes" if each is None else spacings_in_words(each)
                for each in (source.spacings, first.spacings)
            )
            raise _another("grid spacing", name, mine, names[0], others)
        for what, words in _CLOSE.items():
            a, b = getattr(source, what), getattr(first, what)
            if what not in told and not _same(a, b):
                known = what if a is not None and b is not None else None
                raise _another(words, name, _number(a), names[0], _number(b), known)
    together: dict[str, Any] = {
        "conditions": tuple(name for name in first.conditions if name in told),
        **{
            what: None
            for what in _CLOSE
            if any(not _same(getattr(source, what), getattr(first, what)) for source in sources)
        },
        "trajectories": sum(source.trajectories for source in sources),
        "frames": min(source.frames for source in sources),
        "split": split,
        "origin": {"files": len(sources), "first": dict(first.origin), **_no_planes(sources)},
        "notes": tuple(dict.fromkeys(note for source in sources for note in source.notes)),
    }
    return JoinedSource(
        **first.described() | together,
        sources=tuple(sources),
        ends=tuple(accumulate(source.trajectories for source in sources)),
    )


def _no_planes(sources: Sequence[Source]) -> dict[str, None]:
    """What the origin of several sources says of planes, if only some of them are: that together they are none."""
    told = {told_planes(source.origin) for source in sources}
    return {"planes": None} if len(told) > 1 else {}
