"""The operators that can be carried, by the name that ONNX has for them."""

from __future__ import annotations

from collections.abc import Callable

from .._walk import Handler, Operator

OPERATORS: dict[str, Operator] = {}


def operator(
    *names: str, without_space: bool = False, takes_padding: bool = False
) -> Callable[[Handler], Handler]:
    """Register how nodes are carried; arguments as of `Operator`."""

    def register(handler: Handler) -> Handler:
        for name in names:
            OPERATORS[name] = Operator(handler, without_space, takes_padding)
        return handler

    return register
