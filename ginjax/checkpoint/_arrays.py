"""Questions about a set of named arrays as a whole."""

import hashlib
from collections.abc import Mapping

import numpy as np

from ginjax.errors import ArgumentError, NumericsError

from ._format import numpy_dtype, supported_dtype
from ._strict_json import dumps


def weights_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256, in hexadecimal, of the names, dtypes, shapes and bytes of the arrays in the order of the names.

    It does not depend on memory layout, byte order or the order of the mapping, so it tells whether a
    certificate still speaks of these weights.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = as_stored(name, arrays[name])
        digest.update(dumps([name, array.dtype.name, list(array.shape)]).encode() + b"\n")
        digest.update(array.tobytes())
    return digest.hexdigest()


def check_finite(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays with NaN or infinity.

    **Raises:** `NumericsError` naming the first such array, in the order of the names.
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
    """The array as a file holds it: C-contiguous and little-endian.

    The contiguity matters: safetensors copies the memory of any other array as it lies, without an error.
    `np.ascontiguousarray` would do but for arrays without axes, to which it adds one.

    **Raises:** `ArgumentError` for a dtype that files cannot hold.
    """
    array = np.asarray(array)
    if not supported_dtype(array.dtype):
        raise ArgumentError(
            f"array {name!r}", got=f"dtype {array.dtype}", expected="bool, integers or floats"
        )
    return np.asarray(array, dtype=numpy_dtype(array.dtype.name), order="C")
