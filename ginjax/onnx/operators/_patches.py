"""Patches of a grid, made by a Reshape: if points are combined along the neighbour of the new axis, they are along it, too."""

from __future__ import annotations

from .._layout import Axes, old_sizes, place_of_new, without_new
from .._sizes import ONE, Size, product
from .._values import Value
from .._walk import Walk


def patch_length(walk: Walk, x: Value, axes: list[int]) -> int:
    """Points of the neighbour of the new axis in these old axes, if it was split into patches of that size; else 1."""
    if not x.alone or x.unit:
        return 1
    inside, left = _lengths(x, axes, walk.side.anchor)
    found = product(inside).value if left else None
    return int(found) if found is not None and found.denominator == 1 else 1


def is_patch(x: Value, axis: int) -> bool:
    """Whether an old axis holds the points of patches, with many patches along each spatial axis involved."""
    spaces = {f.space for f in without_new(x.known)[axis] if f.space is not None and f.size != ONE}
    return x.alone and bool(spaces) and all(_lengths(x, [axis], space)[1] for space in spaces)


def _lengths(x: Value, axes: list[int], space: int) -> tuple[list[Size], bool]:
    """The lengths of a spatial axis within some old axes, and whether it has others outside."""
    inside, left = [], False
    for i, axis in enumerate(without_new(x.known)):
        own = [f.size for f in axis if f.space == space and f.size is not None and f.size != ONE]
        if i in axes:
            inside += own
        elif own:
            left = True
    return inside, left


def taken_together(
    walk: Walk, near: str, tensor: str, axes: Axes, count: int, kind: str = "ReduceMean"
) -> str:
    """A tensor of this layout with every `count` neighbouring slices combined: to their largest or smallest value or mean."""
    place = place_of_new(axes)
    walk.blind = False
    rest = [walk.lengths.part(size) for size in old_sizes(axes)[place:]]
    shape = walk.graph.vector([*[0] * place, -1, count, *rest])
    parted = walk.graph.add("Reshape", [tensor, shape], near)
    kind = kind if kind in ("ReduceMax", "ReduceMin") else "ReduceMean"
    return walk.graph.reduce(kind, parted, [place + 1], near, keep=False)
