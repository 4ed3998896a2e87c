"""All uses of JAX that are not part of its documented interface, except for kernels (`_jax_triton`).

If a new version of JAX moves one of these, this is the file to change. It holds new operations (primitives) with their rules, and
the texts and types of exceptions by which failures are recognised. It imports JAX only when it is needed and never to examine an
exception, so that the command line can do that without JAX.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from jax import Array, ShapeDtypeStruct
    from jax.extend.core import ClosedJaxpr, Primitive
    from jax.interpreters.mlir import LoweringRuleContext
    from jax.typing import DTypeLike

Rule = Callable[..., object]
"""A rule of an operation for JAX: a function of the operands and, as keywords, the parameters of the operation."""


def primitive(name: str, *, several: bool = False) -> Primitive:
    """Make an operation without any rule; `several` if its result is a list. Its operands are made `alike`."""
    from jax.extend.core import Primitive

    class Operation(Primitive):
        def bind(self, *operands: Array, **parameters: object) -> Array | list[Array]:
            return super().bind(*alike(operands), **parameters)

    made = Operation(name)
    made.multiple_results = several
    return made


def alike(operands: Sequence[Array]) -> tuple[Array, ...]:
    """Make all operands vary between devices along the same axes of the mesh, within `jax.shard_map`.

    Reverse differentiation then sums the gradient of a value that is the same on all devices. JAX does the same for its own
    operations.
    """
    from jax.lax import pcast

    axes = [_varying(operand) for operand in operands]
    every = frozenset[str]().union(*axes)
    if not every:
        return tuple(operands)
    missing = [tuple(sorted(every - own)) for own in axes]
    return tuple(
        pcast(x, more, to="varying") if more else x for x, more in zip(operands, missing, strict=True)
    )


def _varying(operand: object) -> frozenset[str]:
    """The axes of a mesh along which a value differs between devices."""
    from jax import typeof

    found = typeof(operand)
    # Newer versions keep it in a separate object.
    return getattr(getattr(found, "manual_axis_type", found), "varying", getattr(found, "vma", frozenset()))


def result_like(operand: Array, shape: Sequence[int], dtype: DTypeLike) -> ShapeDtypeStruct:
    """Shape and dtype of a kernel's result; within `jax.shard_map` it varies between devices like the operand."""
    from jax import ShapeDtypeStruct, typeof

    found = typeof(operand)
    # Older versions only have `vma`.
    known = [name for name in ("manual_axis_type", "vma") if hasattr(found, name)][:1]
    return ShapeDtypeStruct(shape, dtype, **{name: getattr(found, name) for name in known})


class Program(NamedTuple):
    """The program that an operation is compiled into.

    - `exported`: whether it is stored, for other versions of JAX and perhaps other machines.
    - `shared`: whether the compiler divides it among several devices (and not `jax.shard_map`).
    """

    exported: bool
    shared: bool


def _program(context: LoweringRuleContext) -> Program:
    module = context.module_context
    # Either a number of devices or, within `jax.shard_map`, a mesh and those of its axes that are already divided.
    axes = module.axis_context
    mesh, divided = getattr(axes, "mesh", None), getattr(axes, "manual_axes", ())
    left = () if mesh is None else (n for name, n in mesh.shape.items() if name not in divided)
    return Program(module.lowering_parameters.for_export, getattr(axes, "num_devices", prod(left)) > 1)


def define(
    operation: Primitive,
    function: Rule,
    shape: Rule,
    batch: Rule,
    *,
    static: Sequence[str] | None = None,
    on_platforms: Mapping[str | None, Callable[[Program], Rule]] | None = None,
) -> None:
    """Define what an operation computes.

    **Arguments:**

    - `operation`: the operation, from `primitive`.
    - `function`: the operation in terms of others; it is compiled to this, unless `on_platforms` says otherwise.
    - `shape`: computes shapes and dtypes of the result from those of the operands.
    - `batch`: the rule for a further axis, `(operands, axes, **parameters) -> (result, axis)`.
    - `static`: names of the parameters. If given, the operation is compiled for the device of its operands even outside compiled
      functions; if None, `function` runs there step by step.
    - `on_platforms`: by platform (None for all others), a function from the program to the rule that is compiled there.
    """
    from jax.interpreters import batching, mlir

    several = operation.multiple_results

    def lowering(rule_for: Callable[[Program], Rule]) -> Callable[..., Any]:
        def lower(context: LoweringRuleContext, *operands: object, **parameters: object) -> object:
            rule = rule_for(_program(context))
            return mlir.lower_fun(rule, multiple_results=several)(context, *operands, **parameters)

        return lower

    _FUNCTIONS[operation] = function
    operation.def_impl(function if static is None else _compiled(operation, static))
    operation.def_abstract_eval(shape)
    for platform, rule_for in {None: lambda _: function, **(on_platforms or {})}.items():
        mlir.register_lowering(operation, lowering(rule_for), platform=platform)
    batching.primitive_batchers[operation] = batch


def _compiled(operation: Primitive, static: Sequence[str]) -> Rule:
    import jax

    program = jax.jit(operation.bind, static_argnames=tuple(static))

    def run(*operands: Array, **parameters: object) -> object:
        with jax.disable_jit(False):  # without compilation it would call itself again
            return program(*operands, **parameters)

    return run


_FUNCTIONS: dict[Primitive, Rule] = {}


def function_of(operation: Primitive) -> Rule | None:
    """The `function` of an operation defined here; None for one of JAX."""
    return _FUNCTIONS.get(operation)


def closed_jaxpr_in(parameters: dict[str, object]) -> ClosedJaxpr | None:
    """The inner program of an operation that runs one once, such as a compiled function; None if there is none."""
    found = [parameters.get(name) for name in ("jaxpr", "call_jaxpr", "fun_jaxpr")]
    return next((each for each in found if hasattr(each, "consts")), None)  # pyright: ignore[reportReturnType]


def is_literal(operand: object) -> bool:
    """Whether an operand of a program is a literal number in it."""
    from jax.extend.core import Literal

    return isinstance(operand, Literal)


def define_bilinear(operation: Primitive, first: Rule, second: Rule) -> None:
    """Define the derivatives of an operation that is linear in each of two operands.

    **Arguments:**

    - `operation`: the operation.
    - `first`, `second`: `(g, a, b, **parameters) -> gradient` for either operand.
    """
    from jax.interpreters import ad

    ad.defbilinear(operation, first, second)


def define_derivative(operation: Primitive, jvp: Rule) -> None:
    """Define the forward derivative, `(operands, changes, **parameters) -> (value, change)`; see `is_zero`, `dense`."""
    from jax.interpreters import ad

    ad.primitive_jvps[operation] = jvp


def define_transpose(operation: Primitive, transpose: Rule) -> None:
    """Define the transpose of an operation in those operands for which `is_linear` holds."""
    from jax.interpreters import ad

    ad.primitive_transposes[operation] = transpose


def is_zero(change: object) -> bool:
    """Whether a change passed to a forward derivative stands for zero."""
    from jax.interpreters import ad

    return isinstance(change, ad.Zero)


def dense(changes: Sequence[object]) -> tuple[Array, ...]:
    """Changes as arrays, including those that stand for zero."""
    from jax.interpreters import ad

    return tuple(ad.instantiate_zeros(change) for change in changes)


def is_linear(operand: object) -> bool:
    """Whether the transpose in this operand is wanted."""
    from jax.interpreters import ad

    return ad.is_undefined_primal(operand)


def batch_first(operand: Array, axis: int | None, size: int) -> Array:
    """An operand with its batch axis in front, repeated if it has none."""
    from jax.interpreters import batching

    return batching.bdim_at_front(operand, axis, size)


def is_traced(value: object) -> bool:
    """Whether a value is a placeholder inside a transformation."""
    from jax.core import Tracer

    return isinstance(value, Tracer)


UnboundAxis = NameError
"""The exception of JAX for an axis name that no surrounding transformation has; see `is_unbound_axis`."""


def is_unbound_axis(error: BaseException) -> bool:
    """Whether an exception of JAX is about an axis name that no surrounding transformation has."""
    return isinstance(error, NameError) and "unbound axis name" in str(error)


def refuses_compiler_options(error: BaseException) -> bool:
    """Whether an exception of JAX is about compiler options inside another compiled function, whose own options are used."""
    return isinstance(error, ValueError) and "compiler_options" in str(error)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device has run out of memory; recognised by the text, because JAX may not have been imported."""
    return isinstance(error, RuntimeError) and str(error).startswith("RESOURCE_EXHAUSTED")


_OF_OTHER_PROCESSES = ("Gloo ", "NCCL ", "heartbeat", "oordination service", "Barrier ")


def is_lost_process(error: BaseException) -> bool:
    """Whether another process of the same program no longer answers; recognised by the text, as in `is_out_of_memory`."""
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OF_OTHER_PROCESSES)


def is_in_company() -> bool:
    """Whether this process runs together with others, for which JAX waits when it ends."""
    distributed = sys.modules.get("jax._src.distributed")
    return distributed is not None and distributed.global_state.client is not None


def tell_when_aborted(tell: Callable[[], NoReturn]) -> None:
    """Call a function, which ends this process, whenever JAX would abort it; no exception is raised in this case.

    JAX aborts from a thread of its own if another process of the group is lost between two shared computations. JAX 0.10 cannot
    call what it accepts as `missed_heartbeat_callback`. A signal that is handled by the thread that raises it interrupts
    nothing, so Python may run in the handler.
    """
    if os.name == "nt":
        return
    import ctypes

    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: tell())
    _HANDLERS.append(handler)
    ctypes.CDLL(None).signal(int(signal.SIGABRT), handler)


_HANDLERS: list[object] = []
"""References to functions that C may call, so that they are not deleted."""
