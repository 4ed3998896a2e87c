"""Which operator of ONNX is written for which operation of JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...onnx import onnx_library
from .._onnx_program import Operation

OPERATIONS: dict[str, Operation] = {}


def operation(*names: str) -> Callable[[Operation], Operation]:
    """Register how these operations are written."""

    def register(function: Operation) -> Operation:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return register


def type_of(dtype: Any) -> int:
    """How ONNX numbers a type."""
    return int(onnx_library("helper").np_dtype_to_tensor_dtype(np.dtype(dtype)))
