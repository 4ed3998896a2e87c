"""The kernels that a compiled program launches: kind, bytes, operations."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ._hlo import Computation, Module, Op
from ._operations import MOVES, of_convolution, operations

_NO_KERNEL = {"parameter", "constant", "get-tuple-element", "tuple", "bitcast", "after-all", "partition-id"}
_SAME_BYTES = ("bitcast", "reshape")


@dataclass(frozen=True)
class Kernel:
    """One kernel.

    - `kind`: `product`, `convolution`, `reduce`, `transpose`, `concatenate`, `copy` (moves without computing),
      `write slab` (into part of a buffer), `elementwise`; of anything else the name of its operation.
    - `read`, `written`: bytes.
    - `operations`: floating-point operations by kind, see `Device.peaks`.
    - `times`: how often it is launched, in loops.
    - `source`: the operation in the traced program that it belongs to.
    """

    name: str
    kind: str
    read: int
    written: int
    operations: Counter[str] = field(default_factory=Counter)
    times: int = 1
    source: str = ""

    @property
    def moved(self) -> int:
        return self.read + self.written


def kernels(module: Module) -> list[Kernel]:
    """Everything a program launches. A loop of unknown length counts as one turn, a branch as no work."""
    return list(_launched(module, module.entry, 1))


def _launched(module: Module, name: str, times: int) -> Iterator[Kernel]:
    computation = module.computations[name]
    for op in computation.values():
        if op.opcode == "while":
            turns = op.attribute(r'known_trip_count":\{"n":"(\d+)"')
            yield from _launched(module, op.called("body"), times * int(turns or 1))
            if turns is None:
                yield from _launched(module, op.called("condition"), times)
        elif op.opcode == "call":
            yield from _launched(module, op.called("to_apply"), times)
        elif op.opcode not in _NO_KERNEL and not op.opcode.endswith("-done"):
            yield _kernel(module, computation, op, times)


def _kernel(module: Module, computation: Computation, op: Op, times: int) -> Kernel:
    source = op.attribute(r'op_name="([^"]*)"') or ""
    read = sum(computation[name].bytes for name in dict.fromkeys(op.operands) if name in computation)
    target = op.attribute(r'custom_call_target="([^"]+)"') or ""
    if op.opcode == "fusion":
        fused = module.fused(op)
        read = sum(_read(fused, p.name, p.bytes) for p in fused.values() if p.opcode == "parameter")
        written = _written(fused, _root(fused))
        work = operations(module, fused)
        return Kernel(op.name, _kind(module, op), read, written, work, times, source)
    if target.startswith("__cudnn$conv"):
        work = of_convolution(op, computation)
        return Kernel(op.name, "convolution", read, op.bytes, work, times, source)
    if op.opcode in ("copy", "copy-start"):
        # The result of `copy-start` names source and target, and a context.
        size = computation[op.operands[0]].bytes
        return Kernel(op.name, "copy", size, size, times=times, source=source)
    written = 0 if op.opcode == "conditional" else op.bytes
    return Kernel(op.name, target or op.opcode, read, written, times=times, source=source)


def _root(computation: Computation) -> Op:
    return next(op for op in computation.values() if op.root)


def _read(computation: Computation, name: str, full: int) -> int:
    """Bytes of a value that a fusion reads: of slices, if nothing else is taken of it, and never more than all."""
    total = 0
    for op in computation.values():
        if name not in op.operands:
            continue
        if op.opcode in _SAME_BYTES:
            total += _read(computation, op.name, full)
        elif op.opcode in ("slice", "dynamic-slice", "gather"):
            total += op.bytes
        elif op.opcode == "dynamic-update-slice" and op.operands[0] == name:
            pass  # in place
        else:
            return full
    return min(total, full)


def _written(computation: Computation, op: Op) -> int:
    """Bytes that a fusion writes; into a buffer that is updated in place, the update alone."""
    if op.opcode == "tuple":
        return sum(_written(computation, computation[name]) for name in op.operands)
    if op.opcode in _SAME_BYTES:
        return _written(computation, computation[op.operands[0]])
    if op.opcode == "dynamic-update-slice":
        return computation[op.operands[1]].bytes
    return op.bytes


def _kind(module: Module, op: Op) -> str:
    fused, root = module.fused(op), _root(module.fused(op))
    inside = list(_operations(module, fused))
    codes = {other.opcode for other in inside}
    if "dot" in codes:
        return "product"
    if "reduce" in codes:
        return "reduce"
    if "dynamic-update-slice" in codes and root.opcode in (*_SAME_BYTES, "dynamic-update-slice", "tuple"):
        return "write slab"
    if "kind=kInput" in op.attributes and "transpose" in codes:
        return "transpose"
    if "concatenate" in codes:
        return "concatenate"
    # Where a slice begins is computed in single numbers.
    wide = {other.opcode for other in inside if other.size > 1 or root.size == 1}
    return "copy" if wide <= MOVES else "elementwise"


def _operations(module: Module, computation: Computation) -> Iterator[Op]:
    """The operations of a computation and of all that it fuses."""
    for op in computation.values():
        if op.opcode == "fusion":
            yield from _operations(module, module.fused(op))
        else:
            yield op
