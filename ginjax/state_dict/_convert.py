"""Conversion of a network of another library: arrays and a plan in, arrays and a certificate out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ginjax._version import __version__
from ginjax.checkpoint import ArraySpec, check_finite
from ginjax.errors import ArgumentError, NumericsError, UnsupportedError
from ginjax.transfer import (
    ArrayDigest,
    Certificate,
    PathReport,
    PlainRule,
    find_rule,
    tolerance_of,
)
from ginjax.transfer.rules import profile

from ._aliases import refuse_torn_aliases
from ._carry import carried_down, carried_up
from ._description import Description
from ._gap import form_gap, measured_holds
from ._kernels import effective, spectral_axis
from ._made_arrays import MadeArrays
from ._plan import Plan, plan_state_dict
from ._read import StateDict, is_floating
from ._record import RECORD_KEY, ConversionRecord, Holds, KernelRecord
from ._tensor_plan import TensorPlan

DEFAULT_RULE = "tile"
MAX_ENTRIES = 2**31
_ENDS = "zeros beyond the ends of the new axis take a part of the spread kernel away; norms and global pooling carry that everywhere"
_NEVER_LOWER = "zeros beyond the ends of the axis that went took a part of the kernel away, which no kernel without that axis does"
_SHORT = "n slices do not become stride times n, so that those at the ends cannot be right"


@dataclass(frozen=True, eq=False)
class StateDictConversion:
    """The result of a conversion.

    **Arguments:**

    - `before`, `after`: the network before and after; `after` has the record of the conversion in its metadata.
    - `plan`: what was done to each array.
    - `record`: the record of the conversion, including the certificate.
    """

    before: StateDict
    after: StateDict
    plan: Plan
    record: ConversionRecord

    @property
    def certificate(self) -> Certificate:
        """The certificate: how exactly each new kernel reproduces the old one."""
        return self.record.certificate


def convert_state_dict(
    state: StateDict,
    to_dim: int,
    rule: PlainRule | str = DEFAULT_RULE,
    description: Description | None = None,
    like: StateDict | None = None,
) -> StateDictConversion:
    """Convert a network of another library to another dimension.

    A kernel $K$ becomes $K \\otimes w$, where $w$ is the profile of the rule along each new axis. Other arrays keep their
    values, except those of a norm of a kernel. The certificate covers the kernels only. Whether the network reproduces the old
    one on fields that do not vary along the new axes also depends on its layers without weights: run both networks once and
    compare.

    **Arguments:**

    - `state`: the network.
    - `to_dim`: the new dimension, 1 to 3, higher or lower.
    - `rule`: a rule for plain networks, or its name: `"tile"`, `"centre"` or `"mean"`. Kernels do not depend on it on the way
      down.
    - `description`: what the file does not state.
    - `like`: a new network of the new dimension. Names, shapes and all missing arrays are taken from it.

    **Returns:** the network in the new dimension, with a certificate that is measured on its kernels as stored. Whether it shows
    an exact conversion is not checked here.

    **Raises:** as `plan_state_dict` and `Plan.check`; `ArgumentError` if the rule would spread a kernel under spectral norm.
    """
    found = find_rule(rule) if isinstance(rule, str) else rule
    if not isinstance(found, PlainRule):
        raise ArgumentError(
            "rule for a network of another library",
            got=f"{found.name!r}, which is for invariant filters",
            expected="a rule for plain networks, such as 'tile', 'centre' or 'mean'",
        )
    description = description or Description()
    if like is not None:
        shapes = {name: array.shape for name, array in like.arrays.items()}
        description = replace(description, like=shapes)
    plan = plan_state_dict(state, to_dim, found, description)
    plan.check()
    if not any(row.action == "kernel" for row in plan.rows):
        raise ArgumentError(
            "kernels to convert",
            got="none: all are passed on as they are or left out (`keep`, `drop`)",
            expected="at least one, for a certificate to be about",
        )
    return carry_out(state, plan, like)


def carry_out(state: StateDict, plan: Plan, like: StateDict | None = None) -> StateDictConversion:
    """Carry out a plan that has been checked.

    **Arguments:** as in `convert_state_dict`.
    """
    refuse_torn_aliases(plan.rows, state.arrays)
    entries = sum(int(np.prod(row.after)) for row in plan.rows if row.after is not None)
    if entries > MAX_ENTRIES:
        raise ArgumentError(
            "size of the network", got=f"{entries} entries", expected=f"at most {MAX_ENTRIES}"
        )
    check_finite(
        {row.source: state.arrays[row.source] for row in plan.rows if row.source and row.action == "kernel"}
    )
    work = _Work(state, plan, like)
    rows = {row.name: row for row in plan.rows if row.after is not None}
    arrays = MadeArrays(work.specs(rows.values()), lambda name: work.array(rows[name]))
    kernels, reports, digest = [], [], ArrayDigest()
    for name in sorted(rows):
        array = arrays[name]
        digest.add(name, array)
        if rows[name].action == "kernel":
            record, report = work.report(rows[name], array)
            kernels.append(record)
            reports.append(report)
    types = {
        row.name: state.arrays[row.source].dtype for row in plan.rows if row.source and row.action == "kernel"
    }
    least = min(types.values(), key=lambda dtype: dtype.itemsize, default=np.dtype(np.float32))
    certificate = Certificate(
        rule=plan.rule.name if plan.to_dim > plan.from_dim else "sum",
        flex=None,
        promises=_promises(plan, kernels, reports),
        from_dim=plan.from_dim,
        to_dim=plan.to_dim,
        tolerance=tolerance_of(least),
        parity_lift=False,
        digest="",
        paths=tuple(reports),
    )
    record = ConversionRecord(
        __version__,
        plan.place,
        tuple(kernels),
        {
            row.name: row.source
            for row in plan.rows
            if row.after is not None
            and row.source is not None
            and row.action in ("as it is", "kept", "broadcast")
        },
        certificate,
    ).sealed(digest.hexdigest())
    metadata = {**(like.metadata if like is not None else {}), **state.metadata, RECORD_KEY: record.text()}
    after = StateDict(arrays, metadata, state.path, state.shard_bytes)
    return StateDictConversion(state, after, plan, record)


def _promises(plan: Plan, kernels: list[KernelRecord], reports: list[PathReport]) -> bool:
    """Whether the result is promised to reproduce the network: by the rule or, on the way down, because it was found to do so."""
    if plan.to_dim < plan.from_dim:
        return all(kernel.holds != "no" for kernel in kernels)
    return plan.rule.promises_compatibility and not any(report.note == _ENDS for report in reports)


class _Work:
    """The arrays of one conversion."""

    def __init__(self, state: StateDict, plan: Plan, like: StateDict | None):
        self._arrays = state.arrays
        self._plan = plan
        self._like = like
        self._up = plan.to_dim > plan.from_dim
        self._rows = {row.source: row for row in plan.rows if row.source is not None}
        self._of_norm = {
            each: row
            for row in plan.rows
            if row.kernel is not None and row.action == "kernel"
            for each in row.kernel.beside
        }

    def specs(self, rows: Iterable[TensorPlan]) -> dict[str, ArraySpec]:
        """Dtype and shape of each array of the result."""
        return {row.name: ArraySpec(self._before(row).dtype.name, row.after or ()) for row in rows}

    def _before(self, row: TensorPlan) -> np.ndarray:
        """The array from which an array of the result is made, from the network or else from the example."""
        if row.source is not None:
            return self._arrays[row.source]
        if self._like is None:
            raise ArgumentError("`like`", got="shapes alone", expected="the arrays that are missing")
        return self._like.arrays[row.name]

    def array(self, row: TensorPlan) -> np.ndarray:
        """The array of the result."""
        if row.after is None:
            raise AssertionError("an array that the result does not have")
        if row.source is None:
            return self._before(row)
        array = self._arrays[row.source]
        if row.action == "kernel":
            return self._kernel(row, array)
        if row.action == "norm" and row.source in self._of_norm:
            return self._norm(self._of_norm[row.source], row, array)
        return array.reshape(row.after)

    def _kernel(self, row: TensorPlan, array: np.ndarray) -> np.ndarray:
        if not self._up:
            result = carried_down(array, self._plan.place, row.axes)
        else:
            profiles = self._profiles(row)
            if row.kernel is not None and row.kernel.form == "spectral norm":
                _refuse_spread(row, profiles, self._plan.rule.name)
            result = carried_up(array, self._plan.place, profiles)
        if result.dtype.itemsize < 4 and not np.isfinite(result.astype(np.float32)).all():
            raise NumericsError(
                f"kernel {row.name!r}",
                got=f"values beyond the range of {result.dtype.name}",
                expected="finite values",
            )
        return result

    def _profiles(self, row: TensorPlan) -> list[np.ndarray]:
        return [profile(self._plan.rule, axis) for axis in row.axes]

    def _norm(self, kernel_row: TensorPlan, row: TensorPlan, array: np.ndarray) -> np.ndarray:
        """A norm array: the size of a weight norm grows with the kernel; a vector of a spectral norm gets the new layout."""
        if kernel_row.kernel is None or kernel_row.source is None or row.after is None:
            raise AssertionError("a norm of no kernel")
        kernel = self._arrays[kernel_row.source]
        if kernel_row.kernel.form == "weight norm":
            if self._up:
                factor = float(np.prod([np.linalg.norm(each) for each in self._profiles(kernel_row)]))
                return _scaled(array, factor).reshape(row.after)
            size = effective(kernel, "weight norm", (array,))
            low = carried_down(size, self._plan.place, kernel_row.axes)
            kept = tuple(axis for axis in range(low.ndim) if len(row.after) <= axis or row.after[axis] == 1)
            return np.sqrt(np.square(low).sum(axis=kept)).reshape(row.after).astype(array.dtype)
        if row.source == kernel_row.kernel.beside[0]:
            return array
        outputs = spectral_axis(kernel_row.axes[0].transposed)
        rest = kernel.shape[:outputs] + kernel.shape[outputs + 1 :]
        place = self._plan.place - 1
        if not self._up:
            raise UnsupportedError(
                f"kernel {kernel_row.name!r}", got="spectral norm", expected="a kernel as the layer uses it",
                hint="Remove the norm first: torch.nn.utils.parametrize.remove_parametrizations or remove_spectral_norm.",
            )  # fmt: skip
        return carried_up(array.reshape(rest), place, self._profiles(kernel_row)).reshape(row.after)

    def report(self, row: TensorPlan, array: np.ndarray) -> tuple[KernelRecord, PathReport]:
        """The record and the residual of a kernel, measured on what is stored."""
        if row.kernel is None or row.source is None:
            raise AssertionError("no kernel")
        before = (self._arrays[row.source], *(self._arrays[each] for each in row.kernel.beside))
        others = [self._rows[each] for each in row.kernel.beside]
        beside = tuple(each.name for each in others)
        after = (array, *(self.array(each) for each in others))
        low, high = (before, after) if self._up else (after, before)
        form, place = row.kernel.form, self._plan.place
        holds = self._holds(row) if self._up else measured_holds(form, low, high, place, row.axes)
        gap = form_gap(form, low, high, place, row.axes, holds)
        note = ""
        if holds == "no" and not self._up:
            note = _NEVER_LOWER
        elif holds == "no":
            note = _SHORT if any(axis.transposed for axis in row.axes) else _ENDS
        elif holds == "divides":
            strides = "x".join(str(axis.stride) for axis in row.axes)
            note = f"exact where the depth of this layer is a multiple of its stride {strides}"
        spatial = [int(np.prod(self._plan.layout.spatial(each[0].shape))) for each in (before, after)]
        report = PathReport(row.name, "channels", *spatial, residual=gap, residual_new=0.0, free=0, note=note)
        return KernelRecord(row.name, row.source, row.axes, holds, row.kernel.form, beside), report

    def _holds(self, row: TensorPlan) -> Holds:
        """For which depths the taps that are met add up to the old kernel."""
        if self._adds_up(row, divides=False):
            return "always"
        return "divides" if self._adds_up(row, divides=True) else "no"

    def _adds_up(self, row: TensorPlan, *, divides: bool) -> bool:
        """Whether the profile entries that an output point meets add up to 1, at all output points."""
        sums = [
            axis.patterns(divides) @ each for axis, each in zip(row.axes, self._profiles(row), strict=True)
        ]
        return all(np.abs(each - 1).max(initial=0.0) < 1e-9 for each in sums)


def _scaled(array: np.ndarray, factor: float) -> np.ndarray:
    wide = array.astype(np.float64) if is_floating(array.dtype) else array
    return (wide * factor).astype(array.dtype)


def _refuse_spread(row: TensorPlan, profiles: list[np.ndarray], rule: str) -> None:
    """Refuse to spread a kernel under spectral norm: the norm would undo the spread at the next training step at the latest."""
    if all(np.count_nonzero(each) == 1 and each.max() == 1 for each in profiles):
        return
    raise ArgumentError(
        f"kernel {row.name!r}",
        got=f"spectral norm, under which rule {rule!r} would spread it over several slices",
        expected="a kernel in one slice, or without the norm",
        hint="Use the rule 'centre', or remove the norm before saving: what is spread would be divided out again.",
    )
