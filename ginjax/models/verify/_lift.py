"""Fields of the lower dimension in the higher one, wherever the new axes are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import jax.numpy as jnp
import numpy as np

from ...geometric import MultiImage
from ...transfer import axis_exchange, axis_order, embed_field, lift_key

_T = TypeVar("_T")


@dataclass(frozen=True)
class Lift:
    """The embedding of fields of the first network in the dimension of the second.

    **Arguments:**

    - `low`, `high`: the dimensions.
    - `places`: of the added axes among all.
    - `torus`: which of these are periodic.
    - `parity`: whether odd scalars become odd vectors.
    """

    low: int
    high: int
    places: tuple[int, ...]
    torus: tuple[bool, ...]
    parity: bool

    def placed(self, old: Sequence[_T], new: Sequence[_T]) -> tuple[_T, ...]:
        """Something of each axis, given that of the old and that of the new ones."""
        order = axis_order(self.places, self.high)
        return tuple((*old, *new)[axis] for axis in order)

    def __call__(self, x: MultiImage, side: int) -> MultiImage:
        """Fields that do not vary along the new axes, of `side` pixels there."""
        blocks = {}
        for (k, p), block in x.items():
            order = len(k)
            new_key = lift_key((order, p)) if self.parity else (order, p)
            blocks[new_key] = jnp.asarray(
                embed_field(
                    np.asarray(block), x.D, order, (side,) * len(self.places), lifted=new_key != (order, p)
                )
            )
        last = MultiImage(blocks, self.high, (*x.is_torus, *self.torus))
        if self.places == tuple(range(self.low, self.high)):
            return last
        return last.times_group_element(axis_exchange(self.places, self.high))
