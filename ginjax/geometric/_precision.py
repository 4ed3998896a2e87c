"""Full precision for products, on hardware that would round their inputs by default."""

import contextlib

import jax


def full_precision() -> contextlib.AbstractContextManager[object]:
    """A context in which products of float32 arrays keep float32 precision on every device.

    GPUs and TPUs otherwise round the inputs of matrix products and convolutions to fewer bits, and a network that is
    exact to 1e-6 on a CPU is exact to 1e-2 there. A choice of the user's own, `jax.default_matmul_precision`, is
    left alone.
    """
    if _users_choice() is not None:
        return contextlib.nullcontext()
    return jax.default_matmul_precision("highest")


def product_precision() -> str:
    """The precision that `full_precision` sets, to be handed on to a product."""
    return _users_choice() or "highest"


def _users_choice() -> str | None:
    return getattr(jax.config, "jax_default_matmul_precision", None)
