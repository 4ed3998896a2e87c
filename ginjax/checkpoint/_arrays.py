"""Checks and digests of a set of named arrays."""

from collections.abc import Mapping

import numpy as np

from ginjax.errors import ArgumentError, NumericsError
from ginjax.transfer import array_digest

from ._format import numpy_dtype, supported_dtype


def weights_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """The digest of arrays, `ginjax.transfer.array_digest`, for certificates of earlier versions and for `inspect`."""
    return array_digest(arrays)


def check_finite(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays with NaN or infinity.

    **Raises:** `NumericsError` that names the first such array, in the order of the names.
    """
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        if array.dtype.kind in "biu":
            continue
        bad = array.size - int(np.count_nonzero(np.isfinite(array)))
        if bad:
            raise NumericsError(
                f"array {name!r}",
                got=f"{bad} of {array.size} values NaN or infinite",
                expected="finite values",
                hint="Training has diverged: lower the learning rate, or go back to an earlier file.",
            )


def as_stored(name: str, array: np.ndarray) -> np.ndarray:
    """The array in the form for a file: C-contiguous and little-endian.

    Contiguity matters: for any other array, safetensors copies the memory as it is, without an error.
    `np.ascontiguousarray` cannot be used, because it adds an axis to arrays without axes.

    **Raises:** `ArgumentError` for a dtype that files cannot hold.
    """
    array = np.asarray(array)
    if not supported_dtype(array.dtype):
        raise ArgumentError(
            f"array {name!r}", got=f"dtype {array.dtype}", expected="bool, integers or floats"
        )
    return np.asarray(array, dtype=numpy_dtype(array.dtype.name), order="C")
