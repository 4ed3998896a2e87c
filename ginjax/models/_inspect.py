"""Inspection of a model and its filters."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Num, PyTree

from ..geometric import AnyArray


def count_params(model: PyTree) -> int:
    """Count the trained values of a model; filters are fixed and do not count."""
    return sum(leaf.size for leaf in jax.tree_util.tree_leaves(eqx.filter(model, eqx.is_inexact_array)))


def get_scaled_filters(
    D: int, filter_block: Num[AnyArray, "filters *filter_field"], weights: Float[AnyArray, "out in filters"]
) -> Float[Array, "out in filters *filter_field"]:
    """Multiply each filter by its weight.

    **Arguments:**

    - `D`: the dimension.
    - `filter_block`: `(filters, *(M,)*D, D, ..., D)`.
    - `weights`: `(out, in, filters)`.

    **Returns:** `(out, in, filters, *(M,)*D, D, ..., D)`.
    """
    filters = jnp.asarray(filter_block)
    return jnp.asarray(weights).reshape(*jnp.shape(weights), *(1,) * (filters.ndim - 1)) * filters


def get_filter_sum(
    D: int, filter_block: Num[AnyArray, "filters *filter_field"], weights: Float[AnyArray, "out in filters"]
) -> Float[Array, "out in"]:
    """Sum weighted filters over filters and pixels, and return the Frobenius norm of the sum, `(out, in)`.

    **Arguments:** as in `get_scaled_filters`.
    """
    filters = jnp.asarray(filter_block)
    sums = filters.sum(axis=tuple(range(1, D + 1))).reshape(len(filters), -1)
    return jnp.linalg.norm(jnp.einsum("oin,nt->oit", jnp.asarray(weights), sums), axis=-1)
