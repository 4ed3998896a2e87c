"""Reading the text of an HLO module: operations by computation."""

import re
from dataclasses import dataclass
from math import prod

_WIDTH = {"pred": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "f32": 4}
_WIDTH |= {"s64": 8, "u64": 8, "f64": 8, "c64": 8, "c128": 16, "token": 0}

Shape = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class Op:
    """One operation.

    - `shapes`: dtype and dimensions of the result; several of a tuple.
    - `operands`: names in the same computation.
    - `attributes`: what follows the operands, as it stands.
    - `root`: whether the computation returns it.
    """

    name: str
    shapes: tuple[Shape, ...]
    opcode: str
    operands: tuple[str, ...]
    attributes: str
    root: bool

    @property
    def bytes(self) -> int:
        return sum(_WIDTH[kind] * prod(dims) for kind, dims in self.shapes)

    @property
    def size(self) -> int:
        """Numbers in the result."""
        return sum(prod(dims) for _, dims in self.shapes)

    @property
    def dims(self) -> tuple[int, ...]:
        return self.shapes[0][1]

    def attribute(self, pattern: str) -> str | None:
        """The first group of a pattern in the attributes."""
        found = re.search(pattern, self.attributes)
        return found[1] if found else None

    def called(self, how: str = "calls") -> str:
        """The name of the computation that the operation runs."""
        name = self.attribute(rf"\b{how}=%([\w.\-]+)")
        if name is None:
            raise ValueError(f"{self.opcode} {self.name} has no attribute {how}: {self.attributes[:200]}")
        return name


Computation = dict[str, Op]


@dataclass(frozen=True)
class Module:
    """Computations by name, and the name of the one that the program starts with."""

    computations: dict[str, Computation]
    entry: str

    def fused(self, op: Op) -> Computation:
        """What a fusion computes."""
        return self.computations[op.called()]


def parse(text: str) -> Module:
    """Read the text that JAX gives for a compiled program.

    **Raises:** `ValueError` for text without an entry, or an operation in another form.
    """
    computations: dict[str, Computation] = {}
    current: Computation | None = None
    entry = ""
    for line in text.splitlines():
        head = re.match(r"(ENTRY )?%([\w.\-]+) \(.*\{$", line)
        if head:
            current = computations.setdefault(head[2], {})
            entry = head[2] if head[1] else entry
        elif current is not None and (found := re.match(r"\s+(ROOT )?%([\w.\-]+) = ", line)):
            current[found[2]] = _operation(found[2], line[found.end() :], root=bool(found[1]))
    if not entry:
        raise ValueError("no ENTRY computation: is this the text of a compiled program?")
    return Module(computations, entry)


def _operation(name: str, text: str, root: bool) -> Op:
    """`SHAPE opcode(OPERANDS), attributes`, where the shape may be a tuple in parentheses."""
    end = _closing(text, 0) + 1 if text[0] == "(" else text.index(" ")
    call = re.match(r"\s*([\w\-]+)\(", text[end:])
    if call is None:
        raise ValueError(f"not an operation: {name} = {text[:200]}")
    start = end + call.end() - 1
    stop = _closing(text, start)
    shapes = tuple(
        (kind, tuple(int(d) for d in dims.split(",") if d))
        for kind, dims in re.findall(r"(\w+)\[([\d,]*)\]", text[:end])
    )
    operands = tuple(re.findall(r"%([\w.\-]+)", text[start:stop]))
    return Op(name, shapes, call[1], operands, text[stop + 1 :], root)


def _closing(text: str, start: int) -> int:
    """Where the parenthesis that opens at `start` closes."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] in "({[") - (text[i] in ")}]")
        if depth == 0:
            return i
    raise ValueError(f"parenthesis not closed: {text[start : start + 80]}")
