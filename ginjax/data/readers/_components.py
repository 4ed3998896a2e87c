"""Scalars whose names show that they are the components of one vector."""

from __future__ import annotations

from collections.abc import Mapping

from ginjax.data._axis_order import SPACE
from ginjax.data._found import Variable

_VELOCITY = ("u", "v", "w")


def components_of(names: Mapping[str, Variable], D: int) -> dict[str, tuple[str, ...]]:
    """Find vectors whose components are scalars in `D > 1` dimensions, such as `Vx, Vy`, `b_x, b_y` or `u, v`.

    **Arguments:**

    - `names`: variables by name.
    - `D`: their dimension.

    **Returns:** by name of the vector, the names of its `D` components, which either all vary in time or all do not.
    """
    if D < 2:
        return {}
    scalars = {name.lower(): name for name, each in names.items() if each.k == 0 and each.problem is None}
    found: dict[str, tuple[str, ...]] = {}
    if all(name in scalars for name in _VELOCITY[:D]):
        found["velocity"] = tuple(scalars[name] for name in _VELOCITY[:D])
    for lower in scalars:
        stem = lower[:-1]
        parts = [stem + axis for axis in SPACE[:D]]
        if lower.endswith("x") and stem.strip("_-. ") and all(part in scalars for part in parts):
            base = scalars[lower][:-1].rstrip("_-. ")
            found["velocity" if base.lower() in ("v", "u") else base] = tuple(scalars[part] for part in parts)
    return {name: parts for name, parts in found.items() if len({names[part].varies for part in parts}) == 1}


def components_question(names: Mapping[str, Variable], D: int) -> str | None:
    """A question whether scalars are components of a vector, with the answer; None if none look like that."""
    vectors = components_of(names, D)
    if not vectors:
        return None
    name, parts = next(iter(vectors.items()))
    joined = ",".join(parts)
    return (
        f"whether {' and '.join(parts)} are the components of a vector (`fields=['{name}:1+={joined}']`) or scalars "
        f"(`fields={[f'{part}:0+' for part in parts]}`)"
    )
