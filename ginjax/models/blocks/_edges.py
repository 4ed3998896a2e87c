"""The inputs of the construction of a network: signatures of its layers, filters, random keys."""

from collections.abc import Iterator
from typing import Any

import jax
from jaxtyping import PRNGKeyArray

from ...errors import ArgumentError
from ...filters import FilterBank
from ...geometric import MultiImage, Signature, SignatureLike, signature_union
from ...layers import as_bank, field_signature


def as_scalars(signature: Signature, D: int) -> Signature:
    """Return the signature of a field whose components are scalar channels."""
    return Signature(((0, 0), c) for c in [sum(n * D ** len(k) for (k, _), n in signature)])


def layer_signatures(
    D: int,
    input_keys: SignatureLike,
    output_keys: SignatureLike,
    mid_keys: SignatureLike | None,
    depth: object,
    equivariant: bool,
) -> tuple[Signature, Signature, Signature]:
    """Return the signatures of the layers of a network: input, middle, output.

    In an equivariant network the middle has, by default, every key of input and output with `depth` channels each. In a plain
    network all fields are scalars, and the middle has `depth` channels by default.
    """
    sources, targets = field_signature(input_keys), field_signature(output_keys)
    if not sources or not targets or any(c < 1 for _, c in (*sources, *targets)):
        raise ArgumentError("signature", got=f"{sources} -> {targets}", expected="at least one channel each")
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 1:
        raise ArgumentError("depth", got=depth, expected="a number of channels, 1 or more")
    if equivariant:
        middle = signature_union(sources, targets, depth) if mid_keys is None else field_signature(mid_keys)
        return sources, middle, targets
    middle = Signature([((0, 0), depth)]) if mid_keys is None else as_scalars(field_signature(mid_keys), D)
    return as_scalars(sources, D), middle, as_scalars(targets, D)


def bank_for(
    D: int, equivariant: bool, filters: MultiImage | FilterBank | None, name: str = "conv_filters"
) -> FilterBank | None:
    """Check and return the bank of an equivariant network; None for a plain network."""
    if not equivariant:
        return None
    if filters is None:
        raise ArgumentError(name, got=None, expected=f"filters in dimension {D}")
    bank = as_bank(filters)
    if bank.D != D:
        raise ArgumentError(name, got=f"dimension {bank.D}", expected=f"dimension {D}")
    return bank


def run(blocks: Any, x: Any, aux_data: Any) -> tuple[Any, Any]:
    """Apply modules one after the other."""
    for block in blocks:
        x, aux_data = block(x, aux_data)
    return x, aux_data


def keys_from(key: PRNGKeyArray | None) -> Iterator[PRNGKeyArray]:
    """Yield random keys without end, each to be used once."""
    state: PRNGKeyArray = jax.random.key(0) if key is None else key
    while True:
        state, own = jax.random.split(state)
        yield own
