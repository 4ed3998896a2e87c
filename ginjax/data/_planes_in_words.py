"""Data that vary in a plane only and are laid out in 3D by `simulate`: how to recognise them, and their purpose."""

from __future__ import annotations

from collections.abc import Mapping

from ginjax.checkpoint import origins

PLANES_WORDS: Mapping[str, str] = {
    "flat": "constant along the last axis",
    "oblique": "constant along (1, -1, 0)",
    "both": "constant along the last axis and along (1, -1, 0) in turn",
}
"""A description of each of `PLANES_NAMES`."""

PLANES_ARE_FOR = (
    "planes are for tuning a network that was converted to 3D: one that is trained on them alone, from random weights, "
    "does not learn how fields vary in all directions at once"
)
"""The purpose of planes, for a user who may not know it."""


def told_planes(origin: Mapping[str, object]) -> str | None:
    """The name of the planes, from what `simulate` wrote into the data; None for all other data.

    **Arguments:**

    - `origin`: origin of the data, see `Source`. After a conversion or a join it contains the origin of the data before.
    """
    name = next((each["planes"] for each in origins(origin) if "planes" in each), None)
    return name if isinstance(name, str) and name in PLANES_WORDS else None


def planes_notes(origin: Mapping[str, object]) -> tuple[str, ...]:
    """A note for the user on what the data are, if they are planes; empty for other data.

    **Arguments:**

    - `origin`: as in `told_planes`.
    """
    name = told_planes(origin)
    if name is None:
        return ()
    return (f"planes ({name}): fields that are {PLANES_WORDS[name]}",)
