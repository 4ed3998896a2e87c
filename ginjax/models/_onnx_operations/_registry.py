"""The registry of functions that write JAX operations as ONNX operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...onnx import onnx_library
from .._onnx_program import Operation

OPERATIONS: dict[str, Operation] = {}


def operation(*names: str) -> Callable[[Operation], Operation]:
    """Register a function that writes the operations of these names."""

    def register(function: Operation) -> Operation:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return register


def type_of(dtype: Any) -> int:
    """Return ONNX's number of a type."""
    return int(onnx_library("helper").np_dtype_to_tensor_dtype(np.dtype(dtype)))
