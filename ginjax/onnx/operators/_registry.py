"""The operators that can be converted, by their names in ONNX."""

from __future__ import annotations

from collections.abc import Callable

from .._walk import Handler, Operator

OPERATORS: dict[str, Operator] = {}


def operator(
    *names: str, without_space: bool = False, takes_padding: bool = False
) -> Callable[[Handler], Handler]:
    """Register the conversion of nodes; arguments as in `Operator`."""

    def register(handler: Handler) -> Handler:
        for name in names:
            OPERATORS[name] = Operator(handler, without_space, takes_padding)
        return handler

    return register
