"""The certificate of a converted network, measured again on two files."""

from dataclasses import dataclass, replace

import numpy as np

from ginjax.errors import FileError
from ginjax.transfer import Certificate

from ._gap import form_gap
from ._read import StateDict
from ._record import ConversionRecord, KernelRecord, read_record


@dataclass(frozen=True)
class Recheck:
    """The result of a comparison of two files of a network.

    **Arguments:**

    - `certificate`: certificate of the conversion, with residuals measured on both files as they are now.
    - `stale`: whether the converted file has changed since it was written.
    - `changed`: names of arrays that should be equal in both files and are not.
    """

    certificate: Certificate
    stale: bool
    changed: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the promise is kept, or none was made."""
        return not self.certificate.promises or (self.certificate.exact and not self.changed)


def recheck_state_dict(first: StateDict, second: StateDict) -> Recheck:
    """Measure again how exactly one network was made from the other.

    **Arguments:**

    - `first`, `second`: the network in two dimensions, in either order; one of them was converted from the other.

    **Raises:** `FileError` if neither file has a record of a conversion, or if they do not belong together.
    """
    records = [(state, read_record(state)) for state in (first, second)]
    made = [(state, record) for state, record in records if record is not None]
    if not made:
        raise FileError(
            f"{second.path}: does not say that it was converted",
            expected="a file that 'ginjax convert-d' wrote",
            hint="Without its certificate nothing is known of strides and paddings.",
        )
    after, record = made[-1]  # if both are converted files, the second was made from the first
    before = first if after is second else second
    kernels = {kernel.name: kernel for kernel in record.kernels}
    paths = tuple(
        replace(path, residual=_gap(kernels[path.layer], record, before, after), residual_new=0.0)
        if path.layer in kernels
        else path
        for path in record.certificate.paths
    )
    changed = [
        name
        for name, source in sorted(record.carried.items())
        if not _same(before.arrays.get(source), after.arrays.get(name))
    ]
    return Recheck(replace(record.certificate, paths=paths), record.is_stale(after.arrays), tuple(changed))


def _gap(kernel: KernelRecord, record: ConversionRecord, before: StateDict, after: StateDict) -> float:
    up = record.certificate.to_dim > record.certificate.from_dim
    names = (kernel.source, *(_source_of(each, kernel) for each in kernel.beside))
    old = tuple(_array(before, name) for name in names)
    new = tuple(_array(after, name) for name in (kernel.name, *kernel.beside))
    low, high = (old, new) if up else (new, old)
    added = len(kernel.axes)
    sides = high[0].shape[record.place : record.place + added]
    rest = high[0].shape[: record.place] + high[0].shape[record.place + added :]
    if sides != tuple(axis.taps for axis in kernel.axes) or rest != low[0].shape:
        raise FileError(
            f"{after.path}: kernel {kernel.name!r} of shape {new[0].shape}",
            expected=f"one made of {old[0].shape} in {before.path}",
            hint="Check that one file was made from the other.",
        )
    return form_gap(kernel.form, low, high, record.place, kernel.axes, kernel.holds)


def _source_of(beside: str, kernel: KernelRecord) -> str:
    """The name, before the conversion, of an array beside a kernel; a common prefix may have been removed."""
    front = len(kernel.source) - len(kernel.name)
    return kernel.source[:front] + beside if front > 0 else beside


def _array(state: StateDict, name: str) -> np.ndarray:
    if name not in state.arrays:
        raise FileError(
            f"{state.path}: has no array {name!r}", hint="Check that one file was made from the other."
        )
    return state.arrays[name]


def _same(before: np.ndarray | None, after: np.ndarray | None) -> bool:
    if before is None or after is None:
        return False
    return before.dtype == after.dtype and before.size == after.size and before.tobytes() == after.tobytes()
