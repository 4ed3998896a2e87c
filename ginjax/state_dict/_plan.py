"""The plan of a conversion: what will happen to each array of a network."""

from dataclasses import dataclass, replace

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.transfer import PlainRule

from ._axes import AxisReader
from ._description import Description, without_wrapper
from ._kernels import find_kernels
from ._layouts import KernelLayout, Place, find_layout
from ._modules import varying_modules
from ._orientation import dimension_of, modules_by_name, place_of, say_prefix
from ._planner import Planner
from ._read import StateDict
from ._tensor_plan import TensorPlan

MAX_DIM = 3


@dataclass(frozen=True)
class Plan:
    """What will happen to each array.

    **Arguments:**

    - `rows`: one for each array, in the order of their names.
    - `rule`: the rule for kernels along new axes.
    - `from_dim`, `to_dim`: the dimensions.
    - `layout`, `where`: the layout of kernels, and the place of new axes among the spatial ones.
    - `notes`: what else was found out or assumed, in sentences.
    - `warnings`: layers without weights that do not preserve a constant, in sentences; only known from `modules`.
    """

    rows: tuple[TensorPlan, ...]
    rule: PlainRule
    from_dim: int
    to_dim: int
    layout: KernelLayout
    where: Place
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def place(self) -> int:
        """The index of the first axis that is added to kernels or removed from them."""
        return self.layout.place(min(self.from_dim, self.to_dim), self.where)

    @property
    def unclear(self) -> tuple[TensorPlan, ...]:
        """The kernels about which the user has to state something first."""
        return tuple(row for row in self.rows if row.problem and row.kernel is not None)

    @property
    def meaningless(self) -> tuple[TensorPlan, ...]:
        """The arrays that have no meaning in the new dimension."""
        return tuple(row for row in self.rows if row.problem and row.kernel is None)

    def check(self) -> None:
        """Refuse a plan with open questions.

        **Raises:** `UnsupportedError` for arrays without a meaning in the new dimension, `ArgumentError` for kernels about which
        the file does not state enough.
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
    """Decide what happens to each array of a network in another dimension; no array is computed.

    **Arguments:**

    - `state`: the network.
    - `to_dim`: the new dimension, 1 to 3.
    - `rule`: the rule for kernels along new axes.
    - `description`: what the file does not state.

    **Returns:** the plan. It marks kernels about which more has to be stated, and arrays without a meaning; `Plan.check`
    refuses both.

    **Raises:** `ArgumentError` for a description that contradicts the file or itself.
    """
    description = description or Description()
    layout = find_layout(description.layout)
    if not 1 <= to_dim <= MAX_DIM:
        raise ArgumentError("dimension to convert to", got=to_dim, expected=f"1 to {MAX_DIM}")
    notes: list[str] = []
    kernels = find_kernels(state.arrays, layout)
    modules = modules_by_name(description, [kernel.module for kernel in kernels.values()], notes)
    from_dim = dimension_of(description, kernels, modules)
    if from_dim == to_dim:
        raise ArgumentError(
            "dimension to convert to",
            got=to_dim,
            expected=f"another than {from_dim}",
            hint=f"The network is in {from_dim}D already: ask for {from_dim + 1}, or another one.",
        )
    low, high = sorted((from_dim, to_dim))
    prefix = ""
    if description.like is not None:
        prefix = without_wrapper(list(state.arrays), description.like)
        say_prefix(prefix, "the example", notes)
    where = place_of(description, kernels, layout, (low, high), prefix, notes)
    description = replace(description, new_axis=where)
    reader = AxisReader(description, layout, (low, high), rule, modules)
    planner = Planner(state, kernels, layout, (from_dim, to_dim), where, description, reader, modules, prefix)
    rows = planner.rows()
    reader.refuse_unused()
    planner.refuse_unused()
    if description.like is not None:
        missing = [row.name for row in rows if row.action == "from like"]
        more = f", and {len(missing)} arrays such as {missing[0]!r}" if missing else ""
        notes.append(f"names and the depths of kernels come from the example{more}")
    warnings = varying_modules(description.modules or ())
    return Plan(tuple(rows), rule, from_dim, to_dim, layout, where, tuple(notes), tuple(warnings))


def _and_more(rows: tuple[TensorPlan, ...]) -> str:
    return f" and {len(rows) - 1} more" if len(rows) > 1 else ""
