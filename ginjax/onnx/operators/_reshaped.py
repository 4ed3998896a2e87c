"""Operators that change the number of axes."""

from __future__ import annotations

from collections.abc import Sequence

from .._layout import (
    NEW,
    Axes,
    Factor,
    axis_of,
    has_new,
    is_new_axis,
    new_index,
    new_place,
    old_axes_of_space,
    old_size,
    permuted,
    place_of_new,
    regrouped,
    shape_words,
    without_new,
)
from .._sizes import ONE, Length, Size, product
from .._values import Value
from .._walk import Node, Walk
from ._registry import operator


@operator("Transpose", without_space=True)
def transpose(walk: Walk, node: Node) -> None:
    """Permute the old axes; the new one stays beside its neighbour."""
    x = node.value(0)
    order = list(node.get("perm") or range(x.rank)[::-1])
    if sorted(order) != list(range(x.rank)):
        raise node.refusal(f"perm = {str(order)[:60]}", f"an order of {x.rank} axes")
    made = permuted(x.known, order, walk.side) if x.alone else tuple(x.known[i] for i in order)
    rest = iter(order)
    place = new_place(x.known)
    moved = [place if is_new_axis(axis) else new_index(x.known, next(rest)) for axis in made]
    walk.graph.copy(node.proto, walk.names(node), node.outputs, perm=moved)
    walk.declare(node.outputs[0], made, unit=x.unit, diluted=x.diluted, stride=x.stride)


@operator("Reshape", without_space=True)
def reshape(walk: Walk, node: Node) -> None:
    """Merge and split axes; the new one goes with space."""
    x = node.value(0)
    entries = walk.entries_or_copy(node, 1, "a shape that is")
    if entries is None:
        return
    sizes = x.sizes
    target: list[Size | None] = []
    for i, entry in enumerate(entries):
        if entry.number == 0 and not int(node.get("allowzero", 0)):
            if i >= len(sizes):
                raise node.refusal(f"a copy of axis {i}, which is not there", "a shape that fits")
            target.append(sizes[i])
        else:
            target.append(None if entry.number == -1 else entry)
    _to_shape(walk, node, x, target)


@operator("Flatten", without_space=True)
def flatten(walk: Walk, node: Node) -> None:
    """Merge all axes before one, and all axes from it on."""
    x = node.value(0)
    axis = int(node.get("axis", 1))
    if not -x.rank <= axis <= x.rank:
        raise node.refusal(f"axis {axis}", f"{-x.rank} to {x.rank}")
    axis = axis % x.rank if axis < x.rank else axis
    _to_shape(walk, node, x, [product(x.sizes[:axis]), product(x.sizes[axis:])])


def _to_shape(walk: Walk, node: Node, x: Value, target: list[Size | None]) -> None:
    made = regrouped(x.known, target, walk.side, unit=x.unit)
    if made is None and x.spatial:  # it only runs if the lengths divide without a remainder
        wanted = [None if size is None else size.without_rests for size in target]
        made = regrouped(_without_rests(x.known), wanted, walk.side, unit=x.unit, divides=True)
    output = node.outputs[0]
    if made is None:
        if not x.spatial:
            walk.copied(node)
            if node.kind == "Reshape":
                known = [
                    Size.symbol(Length(output, i)) if size is None else size for i, size in enumerate(target)
                ]
                walk.declare(output, tuple(axis_of(size) for size in known))
            return
        wanted = "x".join("?" if s is None or s.value is None else str(s.value) for s in target)
        raise node.refusal(
            f"a shape {wanted} of {shape_words(x.known)}, whose lengths do not fit together",
            "axes merged or parted whole",
        )
    if not x.spatial:
        walk.graph.copy(node.proto, walk.names(node), node.outputs)
        walk.declare(output, made, diluted=x.diluted)
        return
    free = next((i for i, axis in enumerate(made) if has_new(axis)), None)
    old_free = target.index(None) if None in target else None
    parts: list[str | int] = []
    old = 0
    for i, axis in enumerate(made):
        is_old = not is_new_axis(axis)
        if i == free and x.unit:
            parts.append(1)
        elif i == free or (free is None and is_old and old == old_free):
            parts.append(-1)
        else:
            parts.append(walk.lengths.part(old_size(axis)))
        old += is_old
    if x.unit and free is not None and old_free is not None:
        parts[new_index(made, old_free)] = -1
    walk.graph.add("Reshape", [walk.tensor(x), walk.graph.vector(parts)], node.label, outputs=[output])
    unit = x.unit and any(map(is_new_axis, made))
    walk.declare(output, made, unit=unit, diluted=x.diluted, stride=x.stride)


def _without_rests(axes: Axes) -> Axes:
    return tuple(
        tuple(Factor(f.space, None if f.size is None else f.size.without_rests) for f in axis)
        for axis in axes
    )


@operator("Squeeze", without_space=True)
def squeeze(walk: Walk, node: Node) -> None:
    """Remove axes of length 1; the new one goes with the last spatial axis."""
    x = node.value(0)
    listed = node.integers(1, "axes")
    old = [axis for axis in x.known if not is_new_axis(axis)]
    if listed is None:
        listed = [i for i, axis in enumerate(old) if old_size(axis).same(ONE) and not has_new(axis)]
    gone = {node.axis(each, x.rank) for each in listed}
    if any(has_new(old[i]) for i in gone):
        raise node.refusal("an axis into which space was flattened", "one of length 1")
    left = tuple(axis for i, axis in enumerate(old) if i not in gone)
    removed = [new_index(x.known, i) for i in sorted(gone)]
    place = new_place(x.known)
    made: Axes = left
    unit = x.unit
    if x.alone and place is not None:
        if x.unit and not old_axes_of_space(left) and any(i in gone for i in old_axes_of_space(x.known)):
            removed, unit = sorted([*removed, place]), False
        else:
            before = sum(1 for i in range(place) if i not in gone)
            made = (*left[:before], (NEW,), *left[before:])
    _with_axes(walk, node, x, removed)
    walk.declare(node.outputs[0], made, unit=unit, diluted=x.diluted, stride=x.stride)


@operator("Unsqueeze", without_space=True)
def unsqueeze(walk: Walk, node: Node) -> None:
    """Insert axes of length 1; the new one stays beside its neighbour."""
    x = node.value(0)
    listed = node.integers(1, "axes")
    if not listed:
        raise node.refusal("no axes", "those to put in")
    rank = x.rank + len(listed)
    put = sorted({node.axis(each, rank) for each in listed})
    if len(put) < len(listed):
        raise node.refusal(f"axes {listed}", "each axis once")
    rest = iter(axis for axis in x.known if not is_new_axis(axis))
    old = [axis_of(ONE) if i in put else next(rest) for i in range(rank)]
    place = new_place(x.known)
    made: Axes = tuple(old)
    if x.alone and place is not None:
        kept = [i for i in range(rank) if i not in put]
        if walk.side.last:
            at = kept[place - 1] + 1 if place else 0
        else:
            at = kept[place] if place < len(kept) else rank
        made = (*old[:at], (NEW,), *old[at:])
    where = [new_index(made, i) for i in put]
    _with_axes(walk, node, x, where)
    walk.declare(node.outputs[0], made, unit=x.unit, diluted=x.diluted, stride=x.stride)


def _with_axes(walk: Walk, node: Node, x: Value, axes: Sequence[int]) -> None:
    """The node with other axes, which are an attribute before version 13 and an input from then on."""
    old = walk.opset < 13
    inputs = [walk.tensor(x)] if old else [walk.tensor(x), walk.graph.numbers(list(axes))]
    walk.graph.copy(node.proto, inputs, node.outputs, axes=list(axes) if old else None)


@operator("ConstantOfShape", without_space=True)
def filled(walk: Walk, node: Node) -> None:
    """One number everywhere, in a shape without the new axis."""
    entries = node.entries(0)
    walk.graph.copy(node.proto, walk.names(node), node.outputs)
    walk.declare(node.outputs[0], None if entries is None else tuple(axis_of(size) for size in entries))


@operator("Expand", without_space=True)
def expand(walk: Walk, node: Node) -> None:
    """Repeat a single point of space, along the new axis as along its neighbour."""
    x = node.value(0)
    entries = walk.entries_or_copy(node, 1, "a shape that is")
    if entries is None:
        return
    rank = max(x.rank, len(entries))
    old = [axis for axis in x.known if not is_new_axis(axis)]
    sizes = [ONE] * (rank - len(entries)) + entries
    added = rank - x.rank
    result = [axis_of(size) for size in sizes]
    for i, axis in enumerate(old):
        if sizes[added + i].same(ONE) or not old_size(axis).same(ONE):
            result[added + i] = axis
        else:
            space = next((f.space for f in axis if f.space is not None), None)
            result[added + i] = axis_of(sizes[added + i], space)
    if not x.spatial:
        walk.graph.copy(node.proto, walk.names(node), node.outputs)
        walk.declare(node.outputs[0], tuple(result), diluted=x.diluted)
        return
    parts: list[str | int] = [walk.lengths.part(size) if not has_new(axis) else 1 for size, axis in zip(sizes, result, strict=True)]  # fmt: skip
    made: Axes = tuple(result)
    unit = x.unit
    place = new_place(x.known)
    if x.alone and place is not None:
        at = place + added
        anchor = walk.side.anchor_axis(x.known)
        grown = x.unit and anchor is not None and result[added + anchor] != old[anchor]
        deep: str | int = 1
        if grown and anchor is not None:
            wanted = old_size(result[added + anchor])
            if wanted.number is not None or wanted.value is not None:
                grown = wanted.number is None
            deep = walk.lengths.formula(wanted, twin=True) if grown else 1
        parts.insert(at, deep)
        made = (*result[:at], (NEW,), *result[at:])
        unit = x.unit and not grown
    walk.graph.add("Expand", [walk.tensor(x), walk.graph.vector(parts)], node.label, outputs=node.outputs[:1])
    walk.declare(node.outputs[0], made, unit=unit, diluted=x.diluted, stride=x.stride)


@operator("Tile")
def tile(walk: Walk, node: Node) -> None:
    """Repeat, along the new axis as often as along its neighbour, unless it has a single point."""
    x = node.value(0)
    entries = node.entries(1)
    if entries is None or len(entries) != x.rank or not x.alone:
        raise node.refusal(
            "repeats that are not one number an axis", "numbers, of a field with axes of space"
        )
    place, anchor = place_of_new(x.known), walk.side.anchor_axis(x.known)
    parts = [walk.lengths.part(each) for each in entries]
    parts.insert(place, 1 if x.unit or anchor is None else walk.lengths.part(entries[anchor], twin=True))
    axes = [
        axis if n.same(ONE) else axis_of(old_size(axis) * n, next((f.space for f in axis if f.space is not None), None))
        for axis, n in zip(without_new(x.known), entries, strict=True)
    ]  # fmt: skip
    walk.graph.copy(node.proto, [walk.tensor(x), walk.graph.vector(parts)], node.outputs)
    walk.declare(node.outputs[0], (*axes[:place], (NEW,), *axes[place:]), unit=x.unit, stride=x.stride)
