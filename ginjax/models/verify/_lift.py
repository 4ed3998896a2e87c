"""The embedding of fields of the lower dimension in the higher one, with the new axes at any place."""

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
    - `places`: the positions of the added axes among all axes.
    - `torus`: which of the added axes are periodic.
    - `parity`: whether odd scalars become odd vectors.
    """

    low: int
    high: int
    places: tuple[int, ...]
    torus: tuple[bool, ...]
    parity: bool

    def placed(self, old: Sequence[_T], new: Sequence[_T]) -> tuple[_T, ...]:
        """Merge a value for each old axis and a value for each new axis, in the order of all axes."""
        order = axis_order(self.places, self.high)
        return tuple((*old, *new)[axis] for axis in order)

    def __call__(self, x: MultiImage, side: int) -> MultiImage:
        """Embed fields: they are constant along the new axes, which have `side` pixels."""
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
