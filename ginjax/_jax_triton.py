"""Undocumented parts of JAX for kernels on NVIDIA GPUs, see `_jax_internals`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jax.extend.core import Primitive


@functools.cache
def has_triton() -> bool:
    """Whether this release of JAX still supports the kernels that `define_in_triton` extends; this support is deprecated."""
    try:
        import jax.experimental.pallas.triton
        from jax._src.lib.triton import dialect
        from jax._src.pallas.triton.lowering import register_lowering  # noqa: F401
    except ImportError:
        return False
    return hasattr(dialect, "elementwise_inline_asm") and hasattr(jax.experimental.pallas.triton, "load")


def define_in_triton(operation: Primitive, assembly: str, constraints: str, like: slice) -> None:
    """Define an operation in Pallas kernels for NVIDIA GPUs as one instruction that every thread runs.

    JAX's own `elementwise_inline_asm` fails for several results.

    **Arguments:**

    - `operation`: the operation.
    - `assembly`, `constraints`: the instruction in PTX, with `$0` and so on for results and operands, and their registers as LLVM
      names them.
    - `like`: the operands whose types are those of the results.
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
