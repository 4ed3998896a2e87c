"""Data that are planes, laid out in space by `simulate`: what they say of themselves, and what they are for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

PLANES_WORDS: Mapping[str, str] = {
    "flat": "constant along the last axis",
    "oblique": "constant along (1, -1, 0)",
    "both": "constant along the last axis and along (1, -1, 0) in turn",
}
"""Each of `PLANES_NAMES` in words."""

_DEEPEST = 8


def told_planes(origin: Mapping[str, object]) -> str | None:
    """The name of the planes that data are, as `simulate` and the files it is written to say; None for all other data.

    **Arguments:**

    - `origin`: of the data, see `Source`; of data that were converted or joined it holds that of the data before.
    """
    for each in _origins(origin, _DEEPEST):
        name = each.get("planes")
        if isinstance(name, str) and name in PLANES_WORDS:
            return name
    return None


def planes_notes(origin: Mapping[str, object]) -> tuple[str, ...]:
    """What has to be said of data that are planes, and nothing of others.

    **Arguments:**

    - `origin`: as in `told_planes`.
    """
    name = told_planes(origin)
    if name is None:
        return ()
    return (
        f"planes ({name}): fields in 3D that are {PLANES_WORDS[name]}. They are for tuning a network that was converted to 3D; one that "
        "is trained on them from scratch does not learn how fields vary in all directions at once",
    )


def _origins(origin: Mapping[str, object], deep: int) -> Iterator[Mapping[str, object]]:
    """An origin, and those that it holds: of the file itself, of what it was converted from, of the first of several."""
    yield origin
    for key in ("about", "of", "first"):
        inner = origin.get(key)
        if isinstance(inner, Mapping) and deep:
            yield from _origins(inner, deep - 1)
