"""The meaning of the axes of a tensor: the lengths each is made of, and the place of the new axis.

A layout is the shape of a tensor in the new graph. Each axis is a sequence of the factors that were merged into it, outermost
first. Without the new factor, the layout is the shape in the old graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ._sizes import ONE, Size, product


@dataclass(frozen=True)
class Factor:
    """One length within an axis.

    **Arguments:**

    - `space`: the old spatial axis that it is, or is a part of; None if it is something else.
    - `size`: its length; None for the new axis.
    """

    space: int | None
    size: Size | None

    @property
    def is_new(self) -> bool:
        """Whether it is the axis that the conversion adds."""
        return self.size is None


NEW = Factor(None, None)
Axis = tuple[Factor, ...]
Axes = tuple[Axis, ...]


def axis_of(size: Size, space: int | None = None) -> Axis:
    """An axis with a single factor."""
    return (Factor(space, size),)


def is_new_axis(axis: Axis) -> bool:
    """Whether an axis is the new one alone."""
    return axis == (NEW,)


def has_new(axis: Axis) -> bool:
    """Whether an axis is the new axis, or contains it."""
    return NEW in axis


def new_place(axes: Axes) -> int | None:
    """The index of the axis that is or contains the new one; None without it."""
    return next((i for i, axis in enumerate(axes) if has_new(axis)), None)


def place_of_new(axes: Axes) -> int:
    """The index of the axis that is or contains the new one, where there must be one."""
    found = new_place(axes)
    if found is None:
        raise AssertionError("a layout without the new axis")
    return found


def stands_alone(axes: Axes) -> bool:
    """Whether the new axis is a separate axis."""
    return any(is_new_axis(axis) for axis in axes)


def without_new(axes: Axes) -> Axes:
    """The layout in the old graph."""
    return tuple(tuple(f for f in axis if not f.is_new) for axis in axes if not is_new_axis(axis))


def old_size(axis: Axis) -> Size:
    """The length of an axis in the old graph."""
    return product([factor.size for factor in axis if factor.size is not None])


def old_sizes(axes: Axes) -> list[Size]:
    """The shape in the old graph."""
    return [old_size(axis) for axis in without_new(axes)]


def old_rank(axes: Axes) -> int:
    """The number of axes in the old graph."""
    return len(without_new(axes))


def merged_axes(axes: Axes) -> list[int]:
    """The axes that the new one was merged into."""
    return [i for i, axis in enumerate(axes) if has_new(axis) and axis != (NEW,)]


def shape_words(axes: Axes) -> str:
    """The shape in the old graph, for a message."""
    return "x".join("?" if size.value is None else str(size.value) for size in old_sizes(axes))


def new_index(axes: Axes, old: int) -> int:
    """The index in the new graph of an axis of the old graph."""
    alone = next((i for i, axis in enumerate(axes) if is_new_axis(axis)), None)
    return old if alone is None or old < alone else old + 1


def old_axes_of_space(axes: Axes, *, longer_than_one: bool = False) -> list[int]:
    """The old axes that are spatial axes or contain a part of one."""
    return [
        i
        for i, axis in enumerate(without_new(axes))
        if any(f.space is not None and not (longer_than_one and f.size == ONE) for f in axis)
    ]


@dataclass(frozen=True)
class Side:
    """The place of the new axis: before the first of the spatial axes, or after the last.

    **Arguments:**

    - `dim`: the old dimension; `last`: whether it comes after the last axis.
    """

    dim: int
    last: bool = False

    @property
    def anchor(self) -> int:
        """The spatial axis beside the new one, whose windows the new one takes over."""
        return self.dim - 1 if self.last else 0

    def anchor_axis(self, axes: Axes) -> int | None:
        """The old axis that is the anchor, or whose end is the anchor; None if there is none."""
        for i, axis in enumerate(without_new(axes)):
            spaces = [f.space for f in axis if f.space is not None]
            if spaces and (spaces[-1] if self.last else spaces[0]) == self.anchor:
                return i
        return None

    def with_new(self, old: Axes, at: int | None = None) -> Axes:
        """A layout of the old graph with the new axis beside the anchor, or at a given index."""
        place = at
        if place is None:
            found = self.anchor_axis(old)
            place = len(old) if found is None else found + self.last
        return (*old[:place], (NEW,), *old[place:])


def permuted(axes: Axes, order: Sequence[int], side: Side) -> Axes:
    """The axes in another order, which is given for the old graph; a separate new axis stays beside its anchor."""
    old = without_new(axes)
    if not stands_alone(axes):
        return tuple(axes[i] for i in order)
    moved = tuple(old[i] for i in order)
    if side.anchor_axis(moved) is not None:
        return side.with_new(moved)
    place = len(old) if (found := new_place(axes)) is None else found
    return side.with_new(moved, list(order).index(place) if place < len(old) else len(moved))


def regrouped(
    axes: Axes, target: Sequence[Size | None], side: Side, *, unit: bool, divides: bool = False
) -> Axes | None:
    """The layout after a Reshape; None if the lengths do not fit together.

    If axes are merged across the place of the new axis, it is merged with them. If an axis contains all of space, the new axis
    beside it is merged into it, too.

    **Arguments:**

    - `axes`: the layout before.
    - `target`: the old shape after it; None for a length that is still to be found, at most one.
    - `side`: the place of the new axis.
    - `unit`: whether the new axis has a single point, so that merging makes it disappear.
    - `divides`: whether unknown lengths are assumed to be multiples of what splits them.
    """
    factors = [f for axis in axes for f in axis]
    groups = _groups([f for f in factors if not f.is_new], target, divides)
    if groups is None:
        return None
    plain = tuple(tuple(f for f, _ in group) for group in groups)
    if NEW not in factors:
        return plain
    place = factors.index(NEW)
    group, within = next(
        ((g, i) for g, axis in enumerate(groups) for i, (_, serial) in enumerate(axis) if serial >= place),
        (len(groups), 0),
    )
    if within:
        return plain if unit else _merged(plain, group, within)
    beside = group - 1 if side.last else group
    axis = plain[beside] if 0 <= beside < len(plain) else ()
    if unit:
        stays = any(f.space is not None for f in axis) and not any(
            f.space is None and f.size != ONE for f in axis
        )
        return (*plain[:group], (NEW,), *plain[group:]) if stays else plain
    spaces = [f for each in plain for f in each if f.space is not None and f.size != ONE]
    own = [f for f in axis if f.size != ONE]
    if len(own) > 1 and spaces and all(f in axis for f in spaces):
        return _merged(plain, beside, len(axis) if side.last else 0)
    return (*plain[:group], (NEW,), *plain[group:])


def _merged(plain: Axes, group: int, within: int) -> Axes:
    axis = plain[group]
    return (*plain[:group], (*axis[:within], NEW, *axis[within:]), *plain[group + 1 :])


_Numbered = tuple[Factor, int]


def _groups(
    factors: list[Factor], target: Sequence[Size | None], divides: bool
) -> list[list[_Numbered]] | None:
    """The factors distributed over axes of these lengths, each with its old number; parts of one factor share the number."""
    if target.count(None) > 1:
        return None
    split = target.index(None) if None in target else len(target)
    left, right = target[:split], target[split + 1 :]
    rest = [(factor, serial) for serial, factor in enumerate(factors)]
    head = _taken(rest, [each for each in left if each is not None], divides, backwards=False)
    if head is None:
        return None
    if None not in target:
        if any(not (f.size or ONE).same(ONE) for f, _ in rest) or (rest and not head):
            return None
        return head if not rest else [*head[:-1], [*head[-1], *rest]]
    tail = _taken(rest, [each for each in reversed(right) if each is not None], divides, backwards=True)
    return None if tail is None else [*head, rest, *reversed(tail)]


def _taken(
    rest: list[_Numbered], sizes: list[Size], divides: bool, *, backwards: bool
) -> list[list[_Numbered]] | None:
    """Axes of these lengths, taken from one end of the factors; None if the lengths do not fit."""
    found: list[list[_Numbered]] = []
    end = -1 if backwards else 0
    for wanted in sizes:
        axis: list[_Numbered] = []
        missing = wanted
        if wanted.same(ONE) and rest and (rest[end][0].size or ONE).same(ONE):
            axis.append(rest.pop(end))
        while not missing.same(ONE):
            if not rest:
                return None
            factor, serial = rest.pop(end)
            if factor.size is None:
                return None
            whole = _quotient(missing, factor.size, divides)
            if whole is not None:
                axis.append((factor, serial))
                missing = whole
                continue
            other = _quotient(factor.size, missing, divides)
            if other is None:
                return None
            axis.append((Factor(factor.space, missing), serial))
            rest.insert(len(rest) if backwards else 0, (Factor(factor.space, other), serial))
            missing = ONE
        found.append(axis[::-1] if backwards else axis)
    return found


def _quotient(a: Size, b: Size, divides: bool) -> Size | None:
    """The integer quotient of two lengths. None if there is none, or if it is unknown and not assumed to exist."""
    found = a.over(b)
    if found is not None and (found.whole or (divides and found.value is None)):
        return found
    if a.value is not None and b.value:
        ratio = a.value / b.value
        return Size.of(ratio) if ratio.denominator == 1 and ratio > 0 else None
    return None
