"""Convolutions: their kernels are converted by the rule, and the new axis is padded as in the graph or as requested."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ginjax.state_dict import carried_up, kernel_gap
from ginjax.transfer import AxisGeometry, PathReport
from ginjax.transfer.rules import profile

from .._layout import NEW, Axes, Axis, axis_of, merged_axes, old_size, without_new
from .._sizes import ONE, Size
from .._values import Value
from .._walk import Node, Row, Walk
from ._registry import operator
from ._windows import Windows, space_of, windows_of

MAX_ENTRIES = 2**31
ENDS = "zeros beyond the ends of the new axis take a part of the spread kernel away; norms and global pooling carry that everywhere"
_SHORT = "n slices do not become stride times n, so that those at the ends cannot be right"


@operator("Conv", takes_padding=True)
def convolution(walk: Walk, node: Node) -> None:
    """$K' = K \\otimes w$ with the profile of the rule along the new axis."""
    x, kernel = node.value(0), _kernel(node)
    if kernel is None or not x.alone:
        _pointwise_or_refuse(walk, node, kernel)
        return
    windows = windows_of(walk, node, x, list(kernel.shape[2:]))
    if windows.fitted == "SAME_LOWER" and windows.sides[windows.anchor] > 1:
        raise node.refusal("auto_pad SAME_LOWER with a stride", "explicit pads, or SAME_UPPER")
    padding = x.padding
    if padding is not None and not (padding.mode != "constant" or padding.zero):
        x, padding = walk.settled(x), None
    own = (windows.before[windows.anchor], windows.after[windows.anchor])
    if padding is not None and padding.mode != "constant" and any(own):
        x, padding = walk.settled(x), None
    around = (own[0] + padding.before, own[1] + padding.after) if padding is not None else own
    mode = padding.mode if padding is not None else "constant"
    if mode == "constant" and walk.boundary != "zeros" and (any(around) or windows.fitted):
        if windows.fitted:
            raise node.refusal(
                f"padding that the size decides, and a `new_boundary` of {walk.boundary!r}", "explicit pads"
            )
        mode = "wrap" if walk.boundary == "periodic" else "edge"
    axis = AxisGeometry(
        taps=windows.sides[windows.anchor],
        stride=windows.strides[windows.anchor],
        dilation=windows.dilations[windows.anchor],
        before=around[0],
        after=around[1],
        repeats=mode != "constant",
        fitted=bool(windows.fitted),
    )
    weights = _carried(walk, node, kernel, windows, axis)
    walk.values[x.name] = replace(x, padding=None)
    field = walk.tensor(walk.values[x.name])
    if mode != "constant" and any(around):
        field = walk.graph.pad_axis(
            field, len(x.known), windows.place + 2, around, mode, f"{node.label}.new_axis"
        )
        around = (0, 0)
    walk.values[x.name] = replace(walk.values[x.name], padding=x.padding)
    explicit = not windows.fitted
    walk.graph.copy(
        node.proto,
        [field, weights, *([walk.tensor(node.value(2))] if node.maybe(2) else [])],
        node.outputs,
        kernel_shape=windows.with_new(windows.sides),
        strides=windows.with_new(windows.strides),
        dilations=windows.with_new(windows.dilations),
        **({"auto_pad": None, "pads": windows.pads(around)} if explicit else {"pads": None}),
    )
    if axis.stride > 1 or np.count_nonzero(profile(walk.rule, axis)) > 1:
        walk.blind = False
    axes = _axes_after(walk, node, x, Size.of(kernel.shape[0]), windows, transposed=False, extra=None)
    walk.declare(node.outputs[0], axes, unit=still_unit(walk, x, axes), stride=x.stride * axis.stride)


@operator("ConvTranspose")
def transposed_convolution(walk: Walk, node: Node) -> None:
    """Like a convolution, with one tap of the new axis for each output point."""
    x, kernel = node.value(0), _kernel(node)
    if kernel is None or not x.alone:
        _pointwise_or_refuse(walk, node, kernel)
        return
    windows = windows_of(walk, node, x, list(kernel.shape[2:]), transposed=True)
    dims = len(windows.sides)
    extra = [int(each) for each in node.get("output_padding") or [0] * dims]
    wanted = node.get("output_shape")
    if len(extra) != dims:
        raise node.refusal(f"output_padding {extra}", f"{dims} numbers")
    if wanted and len(wanted) not in (dims, dims + 2):
        raise node.refusal(f"output_shape {list(wanted)}", f"{dims} numbers")
    if wanted:
        windows = _of_output_shape(node, x, windows, extra, list(wanted)[-dims:])
    axis = AxisGeometry(
        taps=windows.sides[windows.anchor],
        stride=windows.strides[windows.anchor],
        dilation=windows.dilations[windows.anchor],
        before=windows.before[windows.anchor],
        after=windows.after[windows.anchor],
        output_padding=extra[windows.anchor],
        transposed=True,
    )
    weights = _carried(walk, node, kernel, windows, axis)
    walk.graph.copy(
        node.proto,
        [walk.tensor(x), weights, *([walk.tensor(node.value(2))] if node.maybe(2) else [])],
        node.outputs,
        kernel_shape=windows.with_new(windows.sides),
        strides=windows.with_new(windows.strides),
        dilations=windows.with_new(windows.dilations),
        pads=windows.pads(),
        output_padding=windows.with_new(extra),
        auto_pad=None,
        output_shape=None,
    )
    walk.blind = walk.blind and axis.stride == 1
    channels = Size.of(kernel.shape[1] * int(node.get("group", 1)))
    axes = _axes_after(walk, node, x, channels, windows, transposed=True, extra=extra)
    walk.declare(node.outputs[0], axes, unit=still_unit(walk, x, axes), stride=x.stride / axis.stride)


def _kernel(node: Node) -> np.ndarray | None:
    """The kernel; None if the graph computes it."""
    found = node.value(1).constant
    if found is not None and (found.ndim < 3 or not found.size):
        raise node.refusal(f"a kernel of shape {found.shape}", "(out, in, sides)")
    return found


def _pointwise_or_refuse(walk: Walk, node: Node, kernel: np.ndarray | None) -> None:
    """Copy a convolution of a field with flattened space if it looks at one point at a time; refuse any other."""
    x = node.value(0)
    if kernel is None:
        raise node.refusal(
            "a kernel that the graph computes", "one that the file states", "Fold constants at the export."
        )
    here = merged_axes(x.known)
    if set(kernel.shape[2:]) != {1} or any(i < 2 for i in here) or any(node.get("pads") or []):
        raise node.refusal(
            "a window over positions in one row, whose neighbours are others on another grid",
            "a window over axes of space",
        )
    walk.graph.copy(node.proto, walk.names(node), node.outputs)
    axes = list(x.known)
    axes[1] = axis_of(Size.of(kernel.shape[0]))
    walk.declare(node.outputs[0], tuple(axes), stride=x.stride)


def _carried(walk: Walk, node: Node, kernel: np.ndarray, windows: Windows, axis: AxisGeometry) -> str:
    """The new kernel as a constant of the new graph, shared by all nodes that use it in the same way."""
    value = node.value(1)
    key = (value.name, axis, windows.place)
    place = 2 + windows.place
    after = (*kernel.shape[:place], axis.taps, *kernel.shape[place:])
    if key not in walk.kernels:
        if kernel.size * axis.taps > MAX_ENTRIES:
            raise node.refusal(f"a kernel of {kernel.size * axis.taps} entries", f"at most {MAX_ENTRIES}")
        if not np.all(np.isfinite(kernel.astype(np.float32))):
            raise node.refusal(f"a kernel {value.name!r} with NaN or infinity", "finite numbers")
        weights = profile(walk.rule, axis)
        made = carried_up(kernel, place, [weights])
        holds = "always"
        if np.abs(axis.patterns(False) @ weights - 1).max(initial=0.0) > 1e-9:
            divides = np.abs(axis.patterns(True) @ weights - 1).max(initial=0.0) < 1e-9
            holds = "divides" if divides else "no"
        gap = kernel_gap(kernel, made, place, [axis], divides=holds == "divides")
        note = ""
        if holds == "no":
            note = _SHORT if axis.transposed else ENDS
        elif holds == "divides":
            note = f"exact where the depth of this layer is a multiple of its stride {axis.stride}"
        before = int(np.prod(kernel.shape[2:]))
        report = PathReport(
            node.label,
            "channels",
            before,
            before * axis.taps,
            residual=gap,
            residual_new=0.0,
            free=0,
            note=note,
        )
        stem = value.name if walk.uses[value.name] == 1 else f"{value.name}.{len(windows.sides) + 1}d"
        name = stem if walk.uses[value.name] == 1 else walk.graph.name(stem)
        walk.graph.constants[name] = _stored(made, name, value)
        walk.kernels[key] = (name, report)
        walk.paths.append(report)
    name, report = walk.kernels[key]
    walk.rows.append(
        Row(node.label, node.kind, tuple(node.proto.input), "kernel", kernel.shape, after, axis.words())
    )
    return name


def _stored(array: np.ndarray, name: str, value: Value) -> Any:
    from .._library import onnx_library

    return onnx_library("numpy_helper").from_array(np.ascontiguousarray(array), name)


def _axes_after(
    walk: Walk,
    node: Node,
    x: Value,
    channels: Size,
    windows: Windows,
    *,
    transposed: bool,
    extra: list[int] | None,
) -> Axes:
    """The layout of the result of a convolution."""
    old = without_new(x.known)
    axes: list[Axis] = [old[0], axis_of(channels)]
    for i in range(len(windows.sides)):
        n = old_size(old[2 + i])
        cut = windows.before[i] + windows.after[i]
        if transposed:
            size = (n - ONE) * Size.of(windows.strides[i])
            size = size + Size.of(windows.reach(i) - cut + (extra or [0] * len(windows.sides))[i])
        elif windows.fitted:
            size = (n / Size.of(windows.strides[i])).rounded("ceil")
        else:
            size = ((n + Size.of(cut - windows.reach(i))) / Size.of(windows.strides[i])).rounded(
                "floor"
            ) + ONE
        if size.value is not None and size.value < 1:
            raise node.refusal(f"an axis of {size.value} points in its result", "1 or more")
        axes.append(axis_of(walk.length(node.outputs[0], 2 + i, size), space_of(old[2 + i])))
    place = windows.place + 2
    return (*axes[:place], (NEW,), *axes[place:])


def still_unit(walk: Walk, x: Value, axes: Axes) -> bool:
    """Whether a new axis of a single point still has one: if its neighbour also has one point."""
    anchor = walk.side.anchor_axis(axes)
    return x.unit and anchor is not None and old_size(without_new(axes)[anchor]) == ONE


def _of_output_shape(node: Node, x: Value, windows: Windows, extra: list[int], wanted: list[int]) -> Windows:
    """The windows whose padding gives an output of the wanted shape."""
    before, after = list(windows.before), list(windows.after)
    upper = str(node.get("auto_pad", "NOTSET")) == "SAME_UPPER"
    for i, size in enumerate(wanted):
        n = x.sizes[2 + i].value
        if n is None:
            raise node.refusal("an output_shape of a grid that is free", "pads, or a grid that is stated")
        total = windows.strides[i] * (int(n) - 1) + extra[i] + windows.reach(i) - int(size)
        if total < 0:
            raise node.refusal(f"output_shape {wanted}", "no more points than the kernel makes")
        before[i] = total // 2 if upper else total - total // 2
        after[i] = total - before[i]
    return replace(windows, before=before, after=after, fitted="")
