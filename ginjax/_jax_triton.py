"""What is used here of JAX's way to write kernels for GPUs of NVIDIA without being part of its documented interface, see `_jax_internals`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jax.extend.core import Primitive


@functools.cache
def has_triton() -> bool:
    """Whether this release of JAX still has the way to write kernels that `define_in_triton` adds to; it is deprecated."""
    try:
        import jax.experimental.pallas.triton
        from jax._src.lib.triton import dialect
        from jax._src.pallas.triton.lowering import register_lowering  # noqa: F401
    except ImportError:
        return False
    return hasattr(dialect, "elementwise_inline_asm") and hasattr(jax.experimental.pallas.triton, "load")


def define_in_triton(operation: Primitive, assembly: str, constraints: str, like: slice) -> None:
    """Say what an operation is in a kernel of Pallas for GPUs of NVIDIA: one instruction that every thread runs.

    JAX's own `elementwise_inline_asm` fails with several results.

    **Arguments:**

    - `assembly`, `constraints`: the instruction in PTX, `$0` and so on for results and operands, and their registers as LLVM names them.
    - `like`: the operands that have the types of the results.
    """
    from jax._src.lib.triton import dialect
    from jax._src.pallas.triton.lowering import register_lowering

    def lower(context: object, *operands: Any) -> list[Any]:
        types = [operand.type for operand in operands[like]]
        made = dialect.elementwise_inline_asm(
            types, assembly, constraints=constraints, pure=True, packed_element=1, args=operands
        )
        return [made] if len(types) == 1 else list(made)  # pyright: ignore[reportArgumentType]

    register_lowering(operation)(lower)
