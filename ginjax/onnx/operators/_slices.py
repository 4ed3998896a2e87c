"""Parts of axes: a crop of the neighbour of the new axis is also a crop of the new axis."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .._graph import END
from .._layout import NEW, Axes, axis_of, has_new, new_index, new_place, old_size
from .._sizes import Size
from .._values import Value
from .._walk import Node, Walk
from ._registry import operator
from ._windows import space_of

_FAR = 2**31 - 1


@dataclass(frozen=True)
class Part:
    """A part of one axis.

    **Arguments:**

    - `start`, `end`: bounds as counted in the old graph; None as `end` for all that follows.
    - `step`: distance between points; `size`: number of points in the part, None if unknown.
    """

    start: Size
    end: Size | None
    step: int
    size: Size | None


@operator("Slice", without_space=True)
def part_of_axes(walk: Walk, node: Node) -> None:
    """The same part along the old axes; a crop of the neighbour is also a crop of the new axis.

    Parts that are concatenated again along the same axis, as in a periodic padding, leave the new axis whole; see `Concat`.
    """
    x = node.value(0)
    starts, ends = node.entries(1), node.entries(2)
    steps = node.integers(4, "steps")
    listed = node.integers(3, "axes")
    if starts is None or ends is None:
        if not x.spatial:
            walk.copied(node)
            return
        raise node.refusal(
            "bounds that are not computed of lengths", "numbers, or what is computed of lengths"
        )
    listed = list(range(len(starts))) if listed is None else listed
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(steps) == len(listed):
        raise node.refusal("bounds, axes and steps of different numbers", "one of each by axis")
    axes = [node.axis(each, x.rank) for each in listed]
    old = [axis for axis in x.known if axis != (NEW,)]
    result, parts = list(old), {}
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        part = _part(node, old_size(old[axis]), start, end, step)
        if part.size is not None and part.size.number is None:
            part = replace(part, size=_simpler(part.size))
        parts[axis] = part
        if part.size is not None and part.size.same(old_size(old[axis])) and step == 1:
            continue
        if has_new(old[axis]):
            raise node.refusal("a part of positions in one row", "a part of an axis of space")
        size = walk.length(node.outputs[0], axis, part.size)
        result[axis] = axis_of(size, space_of(old[axis]))
    names = walk.names(node)
    if x.alone:
        names[3:4] = [walk.graph.numbers([new_index(x.known, axis) for axis in axes])]
        names[1] = walk.graph.vector([walk.lengths.part(each) for each in starts])
        names[2] = walk.graph.vector([walk.lengths.part(each) for each in ends])
        if len(names) > 4:
            names[4] = walk.graph.numbers(steps)
    anchor, place = walk.side.anchor_axis(x.known), new_place(x.known)
    made = tuple(result)
    if x.alone and place is not None:
        made: Axes = (*result[:place], (NEW,), *result[place:])
    own = parts.get(anchor) if x.alone and not x.unit and anchor is not None else None
    changed = own is not None and anchor is not None and result[anchor] != old[anchor]
    if changed and own is not None and anchor is not None and _put_together(walk, node, anchor, x.rank):
        walk.graph.copy(node.proto, names, node.outputs)
        _remember(walk, node, x, anchor, own)
        walk.declare(node.outputs[0], made, stride=x.stride)
        return
    if not changed or own is None or anchor is None or place is None:
        walk.graph.copy(node.proto, names, node.outputs)
        walk.declare(node.outputs[0], made, unit=x.unit, diluted=x.diluted, stride=x.stride)
        return
    cropped = _of_new_axis(walk, node, x, own, anchor, place, names[0])
    walk.graph.copy(node.proto, [cropped, *names[1:]], node.outputs)
    walk.declare(node.outputs[0], made, stride=x.stride * abs(own.step))


def _simpler(size: Size) -> Size:
    """A number of points as a single number, if it is that number whenever the lengths divide without a remainder."""
    found = size.without_rests
    return size if found.number is None else found


def _part(node: Node, n: Size, start: Size, end: Size, step: int) -> Part:
    """The part of an axis of `n` points between two bounds in the form of ONNX."""
    if step == 0:
        raise node.refusal("a step of 0", "another")
    first, last = start.number, end.number
    if step < 0:
        whole = step == -1 and first == -1 and last is not None and last < -_FAR
        return Part(start, end, step, n if whole else None)
    known = n.value

    def bound(given: Size) -> Size | None:
        number = given.number
        if number is None:
            return given
        if number >= _FAR or (known is not None and number >= known):
            return None  # all that follows
        if number < 0:
            return n + given if known is None or known + number >= 0 else Size.of(0)
        return given

    lower, upper = bound(start), bound(end)
    if lower is None:
        return Part(start, None, step, Size.of(0))
    room = (n if upper is None else upper) - lower
    size = room if step == 1 else (room / Size.of(step)).rounded("ceil")
    if upper is not None and known is None and upper.number is not None and n.number is None:
        size = None if step != 1 else size
    return Part(lower, upper, step, size)


def _of_new_axis(walk: Walk, node: Node, x: Value, part: Part, anchor: int, place: int, tensor: str) -> str:
    """The field with the new axis cropped like its neighbour."""
    n = x.sizes[anchor]
    if part.step < 0:
        raise node.refusal("a part of an axis that runs backwards", "one that runs forwards")
    start: str | int
    number, known = part.start.number, n.value
    if number is not None and known is not None and 2 * number > known:
        start = int(number - known)  # counted from the end, where the grid is stated
    elif number is not None:
        start = int(number)
    else:
        start = walk.lengths.formula(part.start, twin=True)
    end: str | int = END
    if part.end is not None:
        last = part.end.number
        if last is not None and known is not None:
            end = int(last - known) if last < known else END
        elif last is not None:
            end = int(last)
        else:
            end = walk.lengths.formula(part.end, twin=True)
    return walk.graph.slice(tensor, place, start, end, part.step)


def _put_together(walk: Walk, node: Node, anchor: int, rank: int) -> bool:
    """Whether all readers of the part concatenate it with others along the same axis."""
    readers = walk.readers.get(node.outputs[0], [])
    return bool(readers) and all(
        reader.op_type == "Concat"
        and any(each.name == "axis" and each.i % rank == anchor for each in reader.attribute)
        for reader in readers
    )


def _remember(walk: Walk, node: Node, x: Value, anchor: int, part: Part) -> None:
    """Note which end of which field a part is, for `Concat`."""
    n, size = x.sizes[anchor], part.size
    if part.step != 1 or size is None or size.value is None or size.value.denominator != 1:
        return
    count = int(size.value)
    if part.start.same(Size.of(0)):
        walk.pieces[node.outputs[0]] = (x.name, "start", count)
    elif (part.start + size).without_rests.same(n.without_rests):
        walk.pieces[node.outputs[0]] = (x.name, "end", count)
