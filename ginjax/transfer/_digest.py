"""Digests of models, which tie a certificate to its model."""

import hashlib
import json
from collections.abc import Mapping

import numpy as np


class ArrayDigest:
    """Computes `array_digest` of arrays that come one by one, in the order of their names."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, name: str, array: np.ndarray) -> None:
        """Add the next array."""
        self._digest.update(_text([name, array.dtype.name, list(array.shape)]) + b"\n")
        self._digest.update(np.ascontiguousarray(_little_endian(array)).reshape(-1).view(np.uint8).data)

    def hexdigest(self) -> str:
        """The digest of all arrays so far, in hexadecimal."""
        return self._digest.hexdigest()


def array_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256, in hexadecimal, of the names, dtypes, shapes and bytes of arrays in the order of their names.

    It does not depend on memory layout, byte order or the order of the mapping.
    """
    digest = ArrayDigest()
    for name in sorted(arrays):
        digest.add(name, np.asarray(arrays[name]))
    return digest.hexdigest()


def model_digest(arrays: Mapping[str, np.ndarray] | str, described: Mapping[str, object]) -> str:
    """SHA-256, in hexadecimal, of everything that a prediction depends on.

    **Arguments:**

    - `arrays`: the weights by name, or their `array_digest`.
    - `described`: the rest as JSON values: specification, filters, layer table, boundaries, dimension, contract, and the
      numbers of the certificate. The order of names does not matter.
    """
    of_arrays = arrays if isinstance(arrays, str) else array_digest(arrays)
    return hashlib.sha256(_text(described) + b"\n" + of_arrays.encode()).hexdigest()


def _text(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _little_endian(array: np.ndarray) -> np.ndarray:
    # Types that are not NumPy's own, such as bfloat16, have no byte order to change.
    return array if array.dtype.kind == "V" else array.astype(array.dtype.newbyteorder("<"), copy=False)
