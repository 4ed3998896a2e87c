"""Train along free directions only, which cannot change what a conversion preserved."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Bool, Float

from ginjax.models import named_map


def only_free(
    free: Mapping[str, Float[np.ndarray, "_filters _free"]],
    unbound: Mapping[str, Bool[np.ndarray, " _rows"]] | None = None,
) -> optax.GradientTransformation:
    """Project updates onto free directions: `u <- u N N^T` for convolution weights, 0 for everything else.

    Chained after an optimiser, it confines training to `a' = T a + N z`: on embedded fields the network stays the same,
    up to rounding. `ginjax.transfer.project_onto_free` removes the rounding errors at the end.

    **Arguments:**

    - `free`: by weight name, an orthonormal basis `(filters, free)`, from `ginjax.transfer.free_directions`.
    - `unbound`: by array name, the positions along the first axis whose values are trained without projection, from
      `ginjax.models.unbound_values`.
    """
    rows = unbound or {}
    projections = {name: basis @ basis.T for name, basis in free.items()}

    def init(params: optax.Params) -> optax.EmptyState:
        return optax.EmptyState()

    def update(
        updates: optax.Updates, state: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        def project(name: str, change: Float[jax.Array, "*rest"]) -> Float[jax.Array, "*rest"]:
            found = jnp.zeros_like(change)
            if name in projections:
                found = change @ jnp.asarray(projections[name], change.dtype)
            if name not in rows:
                return found
            return jnp.where(rows[name].reshape(-1, *(1,) * (change.ndim - 1)), change, found)

        return named_map(project, updates), state

    return optax.GradientTransformation(init, update)
