"""Pooling by windows and over all of space."""

from __future__ import annotations

from dataclasses import replace

from .._layout import NEW, Axis, axis_of, has_new, is_new_axis, new_place, old_size, without_new
from .._sizes import ONE, Size
from .._values import Value
from .._walk import Node, Walk
from ._kernels import still_unit
from ._registry import operator
from ._windows import Windows, space_of, windows_of


@operator("MaxPool", takes_padding=True)
def max_pool(walk: Walk, node: Node) -> None:
    """The largest value of a window; padding is never the largest."""
    if any(name and (walk.uses[name] or name in walk.outputs) for name in node.outputs[1:]):
        raise node.refusal("places of the largest values", "the values alone")
    x = node.value(0)
    pad = x.padding
    if pad is not None and pad.mode != "constant":
        x, pad = walk.settled(x), None
    node.inputs[0] = x
    windows = _windows(walk, node, x)
    if _over_all(x, windows):
        _pool_all(walk, node, "GlobalMaxPool")
        return
    around = _around(node, windows, pad)
    walk.graph.copy(
        node.proto,
        [_unpadded(walk, x)],
        node.outputs[:1],
        **_attributes(windows, around),
        dilations=windows.with_new(windows.dilations),
    )
    _declare(walk, node, x, windows)


@operator("AveragePool", takes_padding=True)
def average_pool(walk: Walk, node: Node) -> None:
    """The mean of a window; along the new axis only points inside the field count, whatever the graph counts along the others."""
    x = node.value(0)
    pad = x.padding
    if pad is not None and not (pad.mode == "constant" and pad.zero):
        x, pad = walk.settled(x), None
    node.inputs[0] = x
    windows = _windows(walk, node, x)
    if _over_all(x, windows):
        _pool_all(walk, node, "GlobalAveragePool")
        return
    around = _around(node, windows, pad)
    counts = bool(node.get("count_include_pad", 0)) and (any(windows.before) or any(windows.after))
    ceil = bool(node.get("ceil_mode", 0))
    near, field = node.label, _unpadded(walk, x)
    if not counts and not (pad is not None and any(around)) and not ceil:
        walk.graph.copy(node.proto, [field], node.outputs[:1], **_attributes(windows, around))
    else:
        in_plane = walk.graph.name(f"{near}.in_plane")
        walk.graph.copy(node.proto, [field], [in_plane], **_flat(windows))
        _along(walk, in_plane, windows, around, ceil, node.outputs[0], near)
    _declare(walk, node, x, windows)


@operator("LpPool")
def lp_pool(walk: Walk, node: Node) -> None:
    """$(\\sum |x|^p)^{1/p}$ over the old axes, and the mean of the powers along the new one, so that constants stay."""
    x, p = node.value(0), int(node.get("p", 2))
    if p not in (1, 2):
        raise node.refusal(f"p = {p}", "1 or 2")
    windows = _windows(walk, node, x)
    near, ceil = node.label, bool(node.get("ceil_mode", 0))
    in_plane = walk.graph.name(f"{near}.in_plane")
    walk.graph.copy(node.proto, [walk.tensor(x)], [in_plane], **_flat(windows))
    around = (windows.before[windows.anchor], windows.after[windows.anchor])
    if p == 1:
        _along(walk, in_plane, windows, around, ceil, node.outputs[0], near)
    else:
        square = walk.graph.add("Mul", [in_plane, in_plane], near)
        mean = walk.graph.name(f"{near}.mean")
        _along(walk, square, windows, around, ceil, mean, near)
        walk.graph.add("Sqrt", [mean], near, outputs=node.outputs[:1])
    _declare(walk, node, x, windows)


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(walk: Walk, node: Node) -> None:
    """Mean or maximum over all of space, including the new axis."""
    _pool_all(walk, node, node.kind)


@operator("GlobalLpPool")
def global_lp_pool(walk: Walk, node: Node) -> None:
    """$(\\sum |x|^p)^{1/p}$ over the old axes, and the mean of the powers along the new one."""
    x, p = node.value(0), int(node.get("p", 2))
    place = new_place(x.known)
    if p not in (1, 2) or not x.alone or place is None or place < 2:
        raise node.refusal(f"p = {p} over {len(x.known)} axes", "p = 1 or 2 over all axes of space")
    plane = [i for i in range(2, len(x.known)) if i != place]
    near = node.label
    summed = walk.graph.reduce("ReduceL1" if p == 1 else "ReduceSumSquare", walk.tensor(x), plane, near)
    mean = walk.graph.reduce("ReduceMean", summed, [place], near)
    walk.graph.add("Identity" if p == 1 else "Sqrt", [mean], near, outputs=node.outputs[:1])
    walk.blind = False
    walk.declare(node.outputs[0], _points(x), unit=True, stride=x.stride)


def _windows(walk: Walk, node: Node, x: Value) -> Windows:
    sides = node.get("kernel_shape")
    if not isinstance(sides, list) or not sides or not all(1 <= each < 2**31 for each in sides):
        raise node.refusal(f"kernel_shape = {str(sides)[:60]}", "a side for each axis of space")
    return windows_of(walk, node, x, [int(each) for each in sides])


def _over_all(x: Value, windows: Windows) -> bool:
    """Whether one window contains a whole grid whose sides are stated."""
    whole = all(x.sizes[2 + i].value == side for i, side in enumerate(windows.sides))
    return whole and not any(windows.before + windows.after) and max(windows.sides) > 1


def _around(node: Node, windows: Windows, pad: object) -> tuple[int, int]:
    own = (windows.before[windows.anchor], windows.after[windows.anchor])
    if pad is None:
        return own
    if windows.fitted:
        raise node.refusal("padding of its own after a node that pads", "one of the two")
    before, after = getattr(pad, "before", 0), getattr(pad, "after", 0)
    around = (own[0] + before, own[1] + after)
    if max(around) >= windows.reach(windows.anchor):
        raise node.refusal("padding wider than its window", "less than a window")
    return around


def _attributes(windows: Windows, around: tuple[int, int]) -> dict[str, object]:
    return {
        "kernel_shape": windows.with_new(windows.sides),
        "strides": windows.with_new(windows.strides),
        **({"pads": None} if windows.fitted else {"pads": windows.pads(around), "auto_pad": None}),
    }


def _flat(windows: Windows) -> dict[str, object]:
    """The windows of the old axes alone."""
    return {
        "kernel_shape": windows.with_new(windows.sides, 1),
        "strides": windows.with_new(windows.strides, 1),
        "dilations": windows.with_new(windows.dilations, 1) if max(windows.dilations) > 1 else None,
        **({"pads": None} if windows.fitted else {"pads": windows.pads((0, 0)), "auto_pad": None}),
    }


def _along(
    walk: Walk, field: str, windows: Windows, around: tuple[int, int], ceil: bool, output: str, near: str
) -> None:
    """The mean along the new axis of the points of the window that are inside the field."""
    ones, zeros = [1] * len(windows.sides), [0] * len(windows.sides)
    a = windows.anchor
    if windows.dilations[a] > 1 and walk.opset < 19:
        raise ValueError("dilations of an average pooling before version 19")
    walk.graph.add(
        "AveragePool",
        [field],
        f"{near}.new_axis",
        outputs=[output],
        kernel_shape=windows.with_new(ones, windows.sides[a]),
        strides=windows.with_new(ones, windows.strides[a]),
        pads=None
        if windows.fitted
        else windows.with_new(zeros, around[0]) + windows.with_new(zeros, around[1]),
        auto_pad=windows.fitted or None,
        dilations=windows.with_new(ones, windows.dilations[a]) if windows.dilations[a] > 1 else None,
        ceil_mode=int(ceil) or None,
        count_include_pad=0,
    )


def _pool_all(walk: Walk, node: Node, kind: str) -> None:
    x = walk.settled(node.value(0))
    place = new_place(x.known)
    if place is None or place < 2:
        raise node.refusal(
            "a new axis that is not among those of space", "fields as (batch, channels, space)"
        )
    walk.graph.add(kind, [walk.tensor(x)], node.label, outputs=node.outputs[:1])
    walk.blind = False
    walk.declare(node.outputs[0], _points(x), unit=x.alone, stride=x.stride)


def _points(x: Value) -> tuple[Axis, ...]:
    """The layout in which every axis after the channels has length 1."""
    return tuple(
        axis if i < 2 or is_new_axis(axis) else axis_of(ONE, None if has_new(axis) else space_of(axis))
        for i, axis in enumerate(x.known)
    )


def _unpadded(walk: Walk, x: Value) -> str:
    """The field before the padding that the window applies."""
    bare = replace(x, padding=None)
    walk.values[x.name] = bare
    name = walk.tensor(bare)
    walk.values[x.name] = replace(walk.values[x.name], padding=x.padding)
    return name


def _declare(walk: Walk, node: Node, x: Value, windows: Windows) -> None:
    old = without_new(x.known)
    ceil = bool(node.get("ceil_mode", 0))
    axes: list[Axis] = [old[0], old[1]]
    for i in range(len(windows.sides)):
        n, s = old_size(old[2 + i]), windows.strides[i]
        room = n + Size.of(windows.before[i] + windows.after[i] - windows.reach(i))
        size: Size | None = (room / Size.of(s)).rounded("floor") + ONE
        value = None
        if windows.fitted:
            size = (n / Size.of(s)).rounded("ceil")
        elif ceil and s > 1:  # a last window that begins in the padding is left out
            if n.value is not None:
                value = -(-int(room.value or 0) // s) + 1
                value -= (value - 1) * s >= int(n.value) + windows.before[i]
            size = None
        axes.append(axis_of(walk.length(node.outputs[0], 2 + i, size, value), space_of(old[2 + i])))
    if windows.sides[windows.anchor] > 1:
        walk.blind = False
    place = windows.place + 2
    made = (*axes[:place], (NEW,), *axes[place:])
    stride = x.stride * windows.strides[windows.anchor]
    walk.declare(node.outputs[0], made, unit=still_unit(walk, x, made), stride=stride)
