"""How far a network sees, which decides how large an embedded field has to be."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float, PyTree

from ginjax.errors import ArgumentError
from ginjax.geometric import Key, MultiImage, compiled
from ginjax.ml.task import predict

WIDEST_REACH = 16
"""The largest reach of a network that can be calibrated on turned fields: beyond it they would take minutes in 3D."""

WHOLE_FIELD = 0.01
"""The largest relative squared change of the output by points beyond the reach, as norms cause it: turned fields are cut out."""

_STATES = 4


def reach(model: PyTree, x: MultiImage) -> int:
    """Measure how many grid points away a network sees.

    **Arguments:**

    - `model`: the network, which takes one sample.
    - `x`: normalised inputs of its dimension, blocks `(samples, channels, *spatial, D, ..., D)`; only a few samples are used.

    **Raises:** `ArgumentError` for a reach above `WIDEST_REACH`, or if points beyond the reach change the output by more than
    `WHOLE_FIELD`.
    """
    copies = tuple(-(-4 * WIDEST_REACH // side) for side in x.get_spatial_dims())
    few = {key: np.asarray(block[:_STATES]) for key, block in x.items()}
    few = {key: np.concatenate([block, np.zeros_like(block[:1])]) for key, block in few.items()}
    states = {key: np.tile(block, (1, 1, *copies, *(1,) * len(key[0]))) for key, block in few.items()}
    sides = next(iter(states.values())).shape[2 : 2 + x.D]
    # The first point of a cell, where pooling makes the reach longest.
    factor = getattr(model, "grid_factor", 1)
    centre = tuple(side // 2 // factor * factor for side in sides)
    at = (slice(None), *centre)

    @compiled
    def response(blocks: Mapping[Key, Array]) -> Mapping[Key, Array]:
        def network(blocks: Mapping[Key, Array]) -> Mapping[Key, Array]:
            return dict(model(MultiImage(dict(blocks), x.D, x.is_torus))[0].items())

        push = {key: jnp.zeros_like(block).at[at].set(1) for key, block in blocks.items()}
        return jax.jvp(network, (blocks,), (push,))[1]

    answers = jax.vmap(response)({key: jnp.asarray(block) for key, block in states.items()})
    moved = [np.square(np.asarray(block)) for block in answers.values()]
    sizes = np.sqrt(sum(block.sum(axis=(0, 1, *range(2 + x.D, block.ndim))) for block in moved))
    away = np.max([abs(np.indices(sides)[i] - point) for i, point in enumerate(centre)], axis=0)
    everywhere = sizes[away >= min(sides) // 2 - 2].max()
    seen = int(away[sizes > 1e-3 * sizes.max() + 2 * everywhere].max())
    if everywhere > 0.1 * sizes.max() or seen > WIDEST_REACH:
        raise ArgumentError(
            f"calibrating on data of {x.D}D a network that sees further than {WIDEST_REACH} grid points",
            hint="Calibrate on data of the new dimension.",
        )
    if _beyond(model, states, x.is_torus, away > seen, centre) > WHOLE_FIELD:
        raise ArgumentError(
            f"calibrating on data of {x.D}D a network whose output depends on the whole field, as a norm makes it",
            hint="Calibrate on data of the new dimension.",
        )
    return seen


def _beyond(
    model: PyTree,
    states: Mapping[Key, Float[np.ndarray, "..."]],
    is_torus: tuple[bool, ...],
    away: Bool[np.ndarray, "*spatial"],
    centre: tuple[int, ...],
) -> float:
    """Relative squared change of the output at a point if everything far away is replaced by that of another sample."""
    mixed = {
        key: np.where(away.reshape(*away.shape, *(1,) * len(key[0])), np.roll(block, 1, 0), block)
        for key, block in states.items()
    }
    before, after = (
        predict(
            model, MultiImage({key: jnp.asarray(block) for key, block in each.items()}, away.ndim, is_torus)
        )
        for each in (states, mixed)
    )
    at = (slice(None), slice(None), *centre)
    there = {key: np.asarray(block)[at] for key, block in before.items()}
    change = sum(np.square(np.asarray(after[key])[at] - values).sum() for key, values in there.items())
    return float(change) / max(float(sum(np.square(values).sum() for values in there.values())), 1e-30)
