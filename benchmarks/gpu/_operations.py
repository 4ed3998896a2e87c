"""Floating-point operations of HLO operations, by the unit that does them."""

import re
from collections import Counter
from math import prod

from ._hlo import Computation, Module, Op

MOVES = {"parameter", "constant", "get-tuple-element", "tuple", "bitcast", "iota", "broadcast", "slice"}
MOVES |= {
    "concatenate",
    "reshape",
    "transpose",
    "copy",
    "pad",
    "convert",
    "dynamic-slice",
    "reverse",
    "gather",
}
MOVES |= {"dynamic-update-slice", "select", "compare"}
"""What computes nothing."""

_ALGORITHMS = {"dot_tf32_tf32_f32": "tf32", "dot_tf32_tf32_f32_x3": "tf32x3", "dot_f32_f32_f32": "fp32"}
_ALGORITHMS |= {"dot_bf16_bf16_f32": "bf16"}


def operations(module: Module, computation: Computation) -> Counter[str]:
    """Operations of a fusion's computation, and those fused into it, by kind: see `Device.peaks`."""
    total: Counter[str] = Counter()
    for op in computation.values():
        if op.opcode == "dot":
            total.update(_of_dot(op, computation))
        elif op.opcode == "fusion":
            total.update(operations(module, module.fused(op)))
        elif op.opcode == "reduce":
            total["elementwise"] += computation[op.operands[0]].size
        elif op.opcode not in MOVES:
            total["elementwise"] += op.size
    return total


def of_convolution(op: Op, computation: Computation) -> Counter[str]:
    """Operations of a call of cuDNN: two for each output, tap and input channel, whichever way it goes."""
    labels = op.attribute(r"dim_labels=\w+_(\w+)->\w+")
    target = op.attribute(r'custom_call_target="([^"]+)"') or ""
    if labels is None:
        raise ValueError(f"{op.name} has no dim_labels: {op.attributes[:200]}")
    first, second = (computation[name].dims for name in op.operands[:2])
    if "BackwardFilter" in target:
        out, kernel = second, op.dims
    elif "BackwardInput" in target:
        out, kernel = first, second
    else:
        out, kernel = op.dims, second
    count = 2 * prod(out) * prod(kernel) // kernel[labels.index("o")]
    return Counter({_precision(op, computation): count})


def _of_dot(op: Op, computation: Computation) -> Counter[str]:
    over = op.attribute(r"lhs_contracting_dims=\{([\d,]*)\}") or ""
    left = computation[op.operands[0]].dims
    depth = prod(left[int(d)] for d in over.split(",") if d)
    return Counter({_precision(op, computation): 2 * op.size * depth})


def _precision(op: Op, computation: Computation) -> str:
    """How the inputs of a product are rounded. Float32 goes through TF32 unless the highest precision is asked for."""
    if computation[op.operands[0]].shapes[0][0] in ("bf16", "f16"):
        return "bf16"
    algorithm = op.attribute(r"\balgorithm=(\w+)")
    if algorithm is not None:
        if algorithm not in _ALGORITHMS:
            raise ValueError(f"{op.name} has an algorithm without a peak: {algorithm}")
        return _ALGORITHMS[algorithm]
    return "fp32" if re.search(r"operand_precision=\{[^}]*highest", op.attributes) else "tf32"
