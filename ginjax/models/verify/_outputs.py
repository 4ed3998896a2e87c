"""Outputs of networks and the difference between two of them."""

import jax.numpy as jnp
import numpy as np

from ...errors import NumericsError
from ...geometric import MultiImage, compiled
from .._module import MultiImageModule


@compiled
def run_network(model: MultiImageModule, x: MultiImage) -> MultiImage:
    """Return the output of a network without its auxiliary data."""
    return model(x)[0]


def relative_difference(a: MultiImage, b: MultiImage) -> float:
    """Compute `max |a - b| / max |b|`, or `max |a - b|` if `b` is zero everywhere.

    **Raises:** `NumericsError` for an output that is not finite.
    """
    difference = max(float(jnp.abs(a[key] - b[key]).max()) for key in b)
    scale = max(float(jnp.abs(b[key]).max()) for key in b)
    if not (np.isfinite(difference) and np.isfinite(scale)):
        raise NumericsError("output of the network is NaN or infinite", hint="Its weights may have diverged.")
    return difference / scale if scale > 0 else difference
