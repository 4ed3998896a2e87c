"""What will happen to each array of a network, before anything happens."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.transfer import AxisGeometry, PlainRule

from ._axes import AxisReader
from ._description import Description, Patterns, without_wrapper
from ._kernels import Kernel, find_kernels
from ._layouts import KernelLayout, Place, find_layout
from ._modules import Module, normalises_kernel, varying_modules
from ._read import StateDict, is_floating

Action = Literal["kernel", "as it is", "broadcast", "norm", "kept", "dropped", "from like", "?"]
MAX_DIM = 3


@dataclass(frozen=True)
class TensorPlan:
    """What happens to one array.

    **Arguments:**

    - `name`: in the file that is written; `source`: in the one that is read, None for an array of the example.
    - `before`, `after`: shapes; None where the array is not in that file.
    - `action`: `kernel` by the rule; `as it is`; `broadcast` over space, with an axis of length 1 more or less; `norm`, which goes with a kernel; `kept` and
      `dropped` as asked; `from like`; `?` where something must be said first.
    - `kernel`, `axes`: of a kernel, what it is and what it does along the new axes.
    - `said_by`, `assumed`: who says so, and what nobody said.
    - `problem`: what is wrong with it, in words; empty if nothing.
    """

    name: str
    source: str | None
    before: tuple[int, ...] | None
    after: tuple[int, ...] | None
    action: Action
    kernel: Kernel | None = None
    axes: tuple[AxisGeometry, ...] = ()
    said_by: str = ""
    assumed: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Plan:
    """What will happen to each array.

    **Arguments:**

    - `rows`: one an array, in the order of the names.
    - `rule`: how kernels go along new axes.
    - `from_dim`, `to_dim`: dimensions.
    - `layout`, `where`: where the spatial axes of a kernel are, and the new ones among them.
    - `notes`: what else was found out or taken for granted, in sentences.
    """

    rows: tuple[TensorPlan, ...]
    rule: PlainRule
    from_dim: int
    to_dim: int
    layout: KernelLayout
    where: Place
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> int:
        """The index of the first axis that is added to kernels, or removed from them."""
        return self.layout.place(min(self.from_dim, self.to_dim), self.where)

    @property
    def unclear(self) -> tuple[TensorPlan, ...]:
        """The kernels of which something must be said first."""
        return tuple(row for row in self.rows if row.problem and row.kernel is not None)

    @property
    def meaningless(self) -> tuple[TensorPlan, ...]:
        """The arrays that have no meaning in the new dimension."""
        return tuple(row for row in self.rows if row.problem and row.kernel is None)

    def check(self) -> None:
        """Refuse a plan in which something is open.

        **Raises:** `UnsupportedError` for arrays without a meaning in the new dimension, `ArgumentError` for kernels of which
        the file does not tell enough.
        """
        if self.meaningless:
            first = self.meaningless[0]
            raise UnsupportedError(
                f"array {first.name!r}{_and_more(self.meaningless)}",
                got=first.problem,
                expected=f"one with a meaning in {self.to_dim}D",
                hint=f"`keep` passes it on as it is, `drop` leaves it out: both take patterns, such as {first.name!r}.",
            )
        if self.unclear:
            first = self.unclear[0]
            raise ArgumentError(
                f"kernel {first.name!r}{_and_more(self.unclear)}",
                got=f"nothing that tells: {first.problem}",
                expected="a description of the network",
                hint="Describe the layers by `modules`, a file that ten lines of Python write beside the network (ginjax.state_dict.DESCRIBE_LINES), or "
                "by the patterns `transposed` and `stride`; either may be none.",
            )


def plan_state_dict(
    state: StateDict, to_dim: int, rule: PlainRule, description: Description | None = None
) -> Plan:
    """Decide for each array of a network what becomes of it in another dimension; nothing is computed.

    **Arguments:**

    - `state`: the network.
    - `to_dim`: dimension to reach, 1 to 3.
    - `rule`: how kernels go along new axes.
    - `description`: what the file does not tell.

    **Returns:** the plan, in which kernels of which more must be said, and arrays without a meaning, are marked; `Plan.check`
    refuses these.

    **Raises:** `ArgumentError` for a description that contradicts the file or itself.
    """
    description = description or Description()
    layout = find_layout(description.layout)
    if not 1 <= to_dim <= MAX_DIM:
        raise ArgumentError("dimension to convert to", got=to_dim, expected=f"1 to {MAX_DIM}")
    notes: list[str] = []
    kernels = find_kernels(state.arrays, layout)
    modules = _by_name(description, [kernel.module for kernel in kernels.values()], notes)
    from_dim = _dimension(description, kernels, modules)
    if from_dim == to_dim:
        raise ArgumentError("dimension to convert to", got=to_dim, expected=f"another than {from_dim}")
    low, high = sorted((from_dim, to_dim))
    prefix = ""
    if description.like is not None:
        prefix = without_wrapper(list(state.arrays), description.like)
        _say_prefix(prefix, "the example", notes)
    where = _place(description, kernels, layout, (low, high), prefix, notes)
    description = replace(description, new_axis=where)
    reader = AxisReader(description, layout, (low, high), rule, modules)
    planner = _Planner(
        state, kernels, layout, (from_dim, to_dim), where, description, reader, modules, prefix
    )
    rows = planner.rows()
    reader.refuse_unused()
    planner.refuse_unused()
    notes += varying_modules(description.modules or ())
    return Plan(tuple(rows), rule, from_dim, to_dim, layout, where, tuple(notes))


class _Planner:
    """Goes through the arrays of one network."""

    def __init__(
        self,
        state: StateDict,
        kernels: Mapping[str, Kernel],
        layout: KernelLayout,
        dims: tuple[int, int],
        where: Place,
        description: Description,
        reader: AxisReader,
        modules: Mapping[str, Module] | None,
        prefix: str,
    ):
        self._state = state
        self._kernels = kernels
        self._layout = layout
        self._from, self._to = dims
        self._added = abs(self._to - self._from)
        self._place = layout.place(min(dims), where)
        self._like = description.like
        self._reader = reader
        self._modules = modules
        self._prefix = prefix
        self._keep = Patterns("keep", description.keep)
        self._drop = Patterns("drop", description.drop)
        self._norms = {
            each: kernel
            for kernel in kernels.values()
            for each in kernel.beside
            if len(kernel.shape) == self._from + 2
        }

    def rows(self) -> list[TensorPlan]:
        """A row for each array of the network, then for each that only the example has."""
        found = [self._row(name, array) for name, array in self._state.arrays.items()]
        if self._like is None:
            return found
        there = {row.name for row in found if row.after is not None}
        missing = [name for name in sorted(self._like) if name not in there]
        if len(missing) == len(self._like):
            raise ArgumentError(
                "`like`", got="no array of a name that the network has", expected="the same network"
            )
        found = [row for row in found if not (row.action == "dropped" and row.name in missing)]
        return found + [
            TensorPlan(name, None, None, self._like[name], "from like", said_by="like") for name in missing
        ]

    def refuse_unused(self) -> None:
        """Refuse patterns that fitted no array."""
        self._keep.refuse_unused()
        self._drop.refuse_unused()

    def _row(self, source: str, array: np.ndarray) -> TensorPlan:
        name = source.removeprefix(self._prefix)
        as_it_is = TensorPlan(name, source, array.shape, array.shape, "as it is")
        if self._drop.find(source) is not None:
            return replace(as_it_is, after=None, action="dropped", said_by="options")
        if self._keep.find(source) is not None:
            return replace(as_it_is, action="kept", said_by="options")
        kernel = self._kernels.get(source)
        if kernel is not None and self._is_kernel(kernel):
            row = self._kernel_row(kernel, as_it_is)
        elif source in self._norms:
            row = self._norm_row(self._norms[source], as_it_is)
        else:
            row = self._other_row(as_it_is, array)
        if self._like is None or row.problem:
            return row
        wanted = self._like.get(name)
        if wanted is None:
            return replace(row, after=None, action="?", kernel=None, problem="not in the example")
        if wanted != row.after:
            return replace(
                row, kernel=None, problem=f"the example has {_shape(wanted)}, it would be {_shape(row.after)}"
            )
        return row

    def _is_kernel(self, kernel: Kernel) -> bool:
        if len(kernel.shape) != self._from + 2:
            return False
        module = None if self._modules is None else self._modules.get(kernel.module)
        return module is None or module.convolution is not None

    def _kernel_row(self, kernel: Kernel, row: TensorPlan) -> TensorPlan:
        module = None if self._modules is None else self._modules.get(kernel.module)
        if module is not None and normalises_kernel(module):
            return replace(
                row, problem=f"its layer ({module.kinds[0]}) standardises the kernel before it uses it"
            )
        axes = self._reader.of(kernel, self._depths(kernel, row))
        after = kernel.shape
        if self._to < self._from:
            after = kernel.shape[: self._place] + kernel.shape[self._place + self._added :]
        elif axes.axes:
            sides = tuple(axis.taps for axis in axes.axes)
            after = kernel.shape[: self._place] + sides + kernel.shape[self._place :]
        return replace(
            row,
            after=after,
            action="?" if axes.unknown else "kernel",
            kernel=kernel,
            axes=axes.axes,
            said_by=axes.source,
            assumed=axes.assumed,
            problem=axes.unknown,
        )

    def _depths(self, kernel: Kernel, row: TensorPlan) -> tuple[int, ...] | None:
        """Taps along the new axes as a file of the higher dimension has them."""
        if self._to < self._from:
            return kernel.shape[self._place : self._place + self._added]
        wanted = None if self._like is None else self._like.get(row.name)
        if wanted is None or len(wanted) != len(kernel.shape) + self._added:
            return None
        return wanted[self._place : self._place + self._added]

    def _norm_row(self, kernel: Kernel, row: TensorPlan) -> TensorPlan:
        """Of weight norm the size, with as many axes as the kernel or a single number; of spectral norm two vectors."""
        assert row.before is not None
        if kernel.form == "spectral norm":
            if row.source == kernel.beside[0]:
                return row
            sides = self._kernel_row(kernel, row).after or ()
            rows = max(int(self._state.arrays[kernel.beside[0]].size), 1)
            return replace(row, action="norm", after=(int(np.prod(sides)) // rows,))
        if len(row.before) != len(kernel.shape):
            return replace(row, action="norm")
        return replace(row, action="norm", after=_with_ones(row.before, self._place, self._to - self._from))

    def _other_row(self, row: TensorPlan, array: np.ndarray) -> TensorPlan:
        assert row.before is not None and row.source is not None
        if _POSITIONS.search(row.source):
            return self._unless_alike(row, "a table of positions, which depends on the size of the grid")
        if array.ndim < 3 or not is_floating(array.dtype):
            return (
                row
                if array.ndim < 2 or is_floating(array.dtype)
                else self._unless_alike(row, "a table of whole numbers")
            )
        if self._modules is not None and self._other_convolution(row.source):
            return row
        spatial = (
            self._layout.spatial(row.before) if self._layout.spatial_first else row.before[-self._from :]
        )
        if array.ndim > self._from and set(spatial) == {1}:
            after = _with_ones(row.before, array.ndim - len(spatial), self._to - self._from)
            return replace(row, action="broadcast", after=after, assumed=("broadcast over space",))
        return self._unless_alike(
            row, f"{_shape(row.before)}, which is no kernel of a {self._from}D convolution"
        )

    def _unless_alike(self, row: TensorPlan, problem: str) -> TensorPlan:
        """Refused, but for an array that the example has in the same shape."""
        if self._like is not None and self._like.get(row.name) == row.before:
            return replace(row, said_by="like")
        return replace(row, action="?", problem=problem)

    def _other_convolution(self, name: str) -> bool:
        kernel = self._kernels.get(name)
        module = None if kernel is None or self._modules is None else self._modules.get(kernel.module)
        return module is not None and module.convolution is not None


_POSITIONS = re.compile(
    r"pos(ition(al)?)?_?(embed|enc|emb|table)|rel(ative)?_pos|abs(olute)?_pos", re.IGNORECASE
)
"""Names that tables of positions go by."""


def _dimension(
    description: Description, kernels: Mapping[str, Kernel], modules: Mapping[str, Module] | None
) -> int:
    """The dimension of the network."""
    shapes = [
        kernel.shape
        for kernel in kernels.values()
        if modules is None
        or ((module := modules.get(kernel.module)) is not None and module.convolution is not None)
    ]
    found = sorted({len(shape) - 2 for shape in shapes})
    if description.from_dim is not None:
        if description.from_dim not in found:
            raise ArgumentError(
                "`from_dim`",
                got=description.from_dim,
                expected=" or ".join(map(str, found)) or "kernels in the file",
            )
        return description.from_dim
    if not found:
        raise ArgumentError(
            "the file",
            got="no convolution kernels" + (" of the modules described" if modules else ""),
            expected=f"arrays named as {description.layout} names kernels, with three axes or more",
            hint="Kernels of Flax and Keras are found with `layout`.",
        )
    if len(found) > 1:
        counts = ", ".join(f"{sum(len(shape) - 2 == D for shape in shapes)} of {D}D" for D in found)
        raise ArgumentError(
            "dimension of the network",
            got=f"kernels of several: {counts}",
            expected="`from_dim`, which says it",
        )
    return found[0]


def _by_name(description: Description, kernels: list[str], notes: list[str]) -> dict[str, Module] | None:
    """The layers by the name that the file has for them."""
    if description.modules is None:
        return None
    modules = {module.name: module for module in description.modules}
    prefix = without_wrapper([f"{name}." for name in kernels], {f"{name}.": None for name in modules})
    _say_prefix(prefix, "the modules", notes)
    return {prefix + name: module for name, module in modules.items()}


def _say_prefix(prefix: str, whose: str, notes: list[str]) -> None:
    if prefix:
        notes.append(f"all names in the file begin with {prefix!r}, which {whose} has not")


def _place(
    description: Description,
    kernels: Mapping[str, Kernel],
    layout: KernelLayout,
    dims: tuple[int, int],
    prefix: str,
    notes: list[str],
) -> Place:
    """Where new axes stand: as said, else where the example leaves no choice, else first."""
    if description.new_axis is not None:
        return description.new_axis
    if description.like is not None:
        fits: list[Place] = []
        for where in ("first", "last"):
            place, added = layout.place(dims[0], where), dims[1] - dims[0]
            pairs = [
                (kernel.shape, description.like[short])
                for name, kernel in kernels.items()
                if len(kernel.shape) == dims[0] + 2
                and len(description.like.get(short := name.removeprefix(prefix), ())) == dims[1] + 2
            ]
            if pairs and all(high[:place] + high[place + added :] == low for low, high in pairs):
                fits.append(where)
        if len(fits) == 1:
            notes.append(f"the example has the new axis {fits[0]} among the spatial ones")
            return fits[0]
    what = "the new axis is" if dims[1] - dims[0] == 1 else "the new axes are"
    notes.append(f"assumed: {what} the first of the spatial ones (`new_axis='last'` puts it last)")
    return "first"


def _with_ones(shape: tuple[int, ...], place: int, added: int) -> tuple[int, ...]:
    if added < 0:
        return shape[:place] + shape[place - added :]
    return shape[:place] + (1,) * added + shape[place:]


def _shape(shape: tuple[int, ...] | None) -> str:
    return "nothing" if shape is None else "x".join(map(str, shape)) or "one number"


def _and_more(rows: tuple[TensorPlan, ...]) -> str:
    return f" and {len(rows) - 1} more" if len(rows) > 1 else ""
