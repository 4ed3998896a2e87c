"""The decision for each array of a network what happens to it."""

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ginjax.errors import ArgumentError

from ._axes import AxisReader
from ._description import Description, Patterns
from ._kernels import Kernel, wrong_arrays
from ._layouts import KernelLayout, Place
from ._modules import Module, flattening_modules, normalises_kernel
from ._read import StateDict, is_floating
from ._tensor_plan import TensorPlan


class Planner:
    """Decides for each array of one network."""

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
        self._flattening = flattening_modules(list((modules or {}).values()), self._from)
        self._keep = Patterns("keep", description.keep)
        self._drop = Patterns("drop", description.drop)
        self._norms = {
            each: kernel
            for kernel in kernels.values()
            for each in kernel.beside
            if len(kernel.shape) == self._from + 2
        }

    def rows(self) -> list[TensorPlan]:
        """One row for each array of the network, then one for each array that only the example has."""
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
        """Refuse patterns that matched no array."""
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
        if 0 in kernel.shape:
            return replace(row, problem="a kernel without entries")
        axes = self._reader.of(kernel, self._depths(kernel, row))
        beside = tuple(self._state.arrays[each].shape for each in kernel.beside)
        wrong = wrong_arrays(kernel, beside, bool(axes.axes) and axes.axes[0].transposed)
        if wrong is not None:
            return replace(row, problem=wrong)
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
        """Numbers of taps along the new axes, from a file of the higher dimension."""
        if self._to < self._from:
            return kernel.shape[self._place : self._place + self._added]
        wanted = None if self._like is None else self._like.get(row.name)
        if wanted is None or len(wanted) != len(kernel.shape) + self._added:
            return None
        return wanted[self._place : self._place + self._added]

    def _norm_row(self, kernel: Kernel, row: TensorPlan) -> TensorPlan:
        """The row of a norm array: the size of a weight norm (with all axes or one entry), or a vector of a spectral norm."""
        if row.before is None:
            raise AssertionError("a norm array that is not in the file")
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
        if row.before is None or row.source is None:
            raise AssertionError("an array that is not in the file")
        side = self._flattening.get(self._described_as(row.source.removesuffix(".weight")))
        if side is not None and array.ndim == 2:
            return self._unless_alike(
                row, f"a linear layer on a flattened grid of {'x'.join([str(side)] * self._from)} points"
            )
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

    def _described_as(self, module: str) -> str:
        """The name that the description uses for a layer of the file."""
        found = (self._modules or {}).get(module)
        return "" if found is None else found.name

    def _unless_alike(self, row: TensorPlan, problem: str) -> TensorPlan:
        """Mark an array as a problem, unless the example has it in the same shape."""
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
"""Names of tables of positions."""


def _with_ones(shape: tuple[int, ...], place: int, added: int) -> tuple[int, ...]:
    if added < 0:
        return shape[:place] + shape[place - added :]
    return shape[:place] + (1,) * added + shape[place:]


def _shape(shape: tuple[int, ...] | None) -> str:
    return "nothing" if shape is None else "x".join(map(str, shape)) or "one number"
