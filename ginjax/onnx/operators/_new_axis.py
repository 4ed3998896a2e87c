"""Tensors that get a new axis beside others that have one."""

from __future__ import annotations

import numpy as np

from .._layout import Axes, place_of_new, without_new
from .._values import Value
from .._walk import Walk


def with_new(walk: Walk, value: Value, like: Axes) -> str:
    """A tensor without the new axis, with an axis of length 1 where another layout of the same rank, or a higher one, has it."""
    rank, place = len(without_new(like)), place_of_new(like)
    at = place - (rank - value.rank)
    if at <= 0:
        return walk.tensor(value)
    if value.constant is not None:
        key = f"{value.name}.new_axis_{at}"
        if key not in walk.graph.constants:
            return walk.graph.constant(np.expand_dims(value.constant, at), key)
        return key
    return walk.graph.unsqueeze(walk.tensor(value), [at], f"{value.name}.new_axis")


def expanded(walk: Walk, value: Value, like: Value) -> str:
    """A tensor expanded along the new axis to the length of that of another; its own has length 1, or does not exist yet."""
    tensor = walk.tensor(value) if value.spatial else with_new(walk, value, like.known)
    place = place_of_new(like.known)
    parts: list[str | int] = [1] * len(like.known)
    parts[place] = walk.depth(like)
    return walk.graph.add("Expand", [tensor, walk.graph.vector(parts)], f"{value.name}.expanded")
