"""The windows of convolutions and poolings, read from the attributes of a node."""

from __future__ import annotations

from dataclasses import dataclass

from .._layout import NEW, Axes, Axis, new_place
from .._values import Value
from .._walk import Node, Walk


@dataclass(frozen=True)
class Windows:
    """The windows of a convolution or a pooling, by old spatial axis.

    **Arguments:**

    - `sides`, `strides`, `dilations`: those of the window; `before`, `after`: padding.
    - `anchor`: the spatial axis that the new one follows; `place`: the place of the new one among them.
    - `fitted`: `"SAME_UPPER"` or `"SAME_LOWER"` if the padding depends on the size; otherwise empty.
    """

    sides: list[int]
    strides: list[int]
    dilations: list[int]
    before: list[int]
    after: list[int]
    anchor: int
    place: int
    fitted: str = ""

    def reach(self, axis: int) -> int:
        """Number of points from the first to the last tap, both included."""
        return self.dilations[axis] * (self.sides[axis] - 1) + 1

    def with_new(self, values: list[int], new: int | None = None) -> list[int]:
        """Numbers by axis, including that of the new axis."""
        made = list(values)
        made.insert(self.place, values[self.anchor] if new is None else new)
        return made

    def pads(self, new: tuple[int, int] | None = None) -> list[int] | None:
        """The attribute `pads` of the new node; None if it depends on the size."""
        if self.fitted:
            return None
        before, after = new or (self.before[self.anchor], self.after[self.anchor])
        return self.with_new(self.before, before) + self.with_new(self.after, after)


def windows_of(walk: Walk, node: Node, x: Value, sides: list[int], *, transposed: bool = False) -> Windows:
    """Read the windows of a node.

    **Arguments:**

    - `walk`, `node`: the state of the conversion, and the node.
    - `x`: the field; `sides`: sides of the window.
    - `transposed`: whether the padding is cut off.

    **Raises:** `UnsupportedError` if the new axis is not among those of the window.
    """
    dims = len(sides)
    place, anchor = new_place(x.known), walk.side.anchor_axis(x.known)
    if not x.alone or place is None or place < 2 or anchor is None or anchor < 2 or dims != x.rank - 2:
        raise node.refusal(
            f"a window over axes {without_words(x.known)}",
            "one over all axes of space, behind batch and channels",
        )

    def numbers(name: str, default: int, count: int, least: int) -> list[int]:
        found = node.get(name) or [default] * count
        if (
            not isinstance(found, list)
            or len(found) != count
            or not all(least <= each < 2**31 for each in found)
        ):
            raise node.refusal(f"{name} = {str(found)[:60]}", f"{count} numbers, {least} or more")
        return [int(each) for each in found]

    strides, dilations = numbers("strides", 1, dims, 1), numbers("dilations", 1, dims, 1)
    pads = numbers("pads", 0, 2 * dims, 0)
    auto = str(node.get("auto_pad", "NOTSET"))
    if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER", ""):
        raise node.refusal(f"auto_pad {auto!r}", "NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    before, after = pads[:dims], pads[dims:]
    fitted = ""
    if auto in ("VALID", "SAME_UPPER", "SAME_LOWER"):
        before, after = [0] * dims, [0] * dims
    if auto.startswith("SAME"):
        extra = node.get("output_padding") or [0] * dims
        totals = [
            dilations[i] * (sides[i] - 1)
            + 1
            - (strides[i] if transposed else 1)
            + (extra[i] if transposed else 0)
            for i in range(dims)
        ]
        if transposed or all(each == 1 for each in strides):
            small = [max(each, 0) // 2 for each in totals]
            large = [max(each, 0) - half for each, half in zip(totals, small, strict=True)]
            before, after = (small, large) if auto == "SAME_UPPER" else (large, small)
        else:
            fitted = auto
    return Windows(sides, strides, dilations, before, after, anchor - 2, place - 2, fitted)


def space_of(axis: Axis) -> int | None:
    """The spatial axis that an axis represents."""
    return next((f.space for f in axis if f.space is not None), None)


def without_words(axes: Axes) -> str:
    """The axes of a tensor in words, for messages."""
    words = ["new" if axis == (NEW,) else "space" if space_of(axis) is not None else "other" for axis in axes]
    return f"({', '.join(words)})"
