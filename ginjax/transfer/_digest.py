"""Digests of models, which tie a certificate to the model that it is about."""

import hashlib
import json
from collections.abc import Mapping

import numpy as np


def array_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256, in hexadecimal, of the names, dtypes, shapes and bytes of the arrays in the order of the names.

    It does not depend on memory layout, byte order or the order of the mapping.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        digest.update(_text([name, array.dtype.name, list(array.shape)]) + b"\n")
        digest.update(np.ascontiguousarray(_little_endian(array)).tobytes())
    return digest.hexdigest()


def model_digest(arrays: Mapping[str, np.ndarray], described: Mapping[str, object]) -> str:
    """SHA-256, in hexadecimal, of everything that a prediction depends on.

    **Arguments:**

    - `arrays`: the weights by name.
    - `described`: the rest as JSON values: specification, filters, layer table, boundaries, dimension, contract, and the
      numbers of the certificate. The order of names does not matter.
    """
    return hashlib.sha256(_text(described) + b"\n" + array_digest(arrays).encode()).hexdigest()


def _text(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _little_endian(array: np.ndarray) -> np.ndarray:
    # Types that NumPy does not know itself, such as bfloat16, have no byte order to change.
    return array if array.dtype.kind == "V" else array.astype(array.dtype.newbyteorder("<"), copy=False)
