"""What the origin of data says, which grows by a layer with each file and each conversion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ._field import MAX_NAME

_DEEPEST = 8


def origins(origin: Mapping[str, object], deep: int = _DEEPEST) -> Iterator[Mapping[str, object]]:
    """Go through an origin and those inside it: of the file itself, of the data before a conversion, of the first of several sources.

    **Arguments:**

    - `origin`: origin of the data, see `DataContract`.
    - `deep`: how many origins inside one another are followed.
    """
    yield origin
    for key in ("about", "of", "first"):
        inner = origin.get(key)
        if isinstance(inner, Mapping) and deep:
            yield from origins(inner, deep - 1)


def simulated_equation(origin: Mapping[str, object]) -> str | None:
    """The name of the equation that data simulate; None for all other data.

    **Arguments:**

    - `origin`: as in `origins`.
    """
    names = (each.get("equation") for each in origins(origin))
    return next((name for name in names if isinstance(name, str) and len(name) <= MAX_NAME), None)


def is_simulation(origin: Mapping[str, object]) -> bool:
    """Whether data are simulated where they are used, so that no file is read.

    **Arguments:**

    - `origin`: as in `origins`.
    """
    return isinstance(origin.get("equation"), str)
