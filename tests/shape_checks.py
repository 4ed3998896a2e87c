"""Checking arrays against their annotations, in every call of the packages that are full of them.

The annotations of arrays, such as `Float[Array, "channels pixels"]`, say more than a type checker reads. Here they are
compared with the arrays themselves, sizes that one call names twice among them. Everything else pyright checks.
"""

import contextlib
import types
from collections.abc import Callable, Iterator
from typing import get_args, get_origin

from beartype import beartype
from jaxtyping import AbstractArray, config, install_import_hook

PACKAGES = ("ginjax.geometric", "ginjax.layers", "ginjax.ml", "ginjax.models")


def check_shapes() -> None:
    """From now on, in packages that have not been imported yet."""
    install_import_hook(PACKAGES, f"{__name__}.checked")


def is_checked(module: str) -> bool:
    return module.startswith(PACKAGES)


def checked(function: Callable) -> Callable:
    """The function with its arrays checked; as it is if it is annotated with none."""
    arrays = {name: hint for name, hint in function.__annotations__.items() if speaks_of_arrays(hint)}
    if not arrays:
        return function
    function.__annotations__ = arrays
    return beartype(function)


def speaks_of_arrays(hint: object) -> bool:
    """Whether a hint has arrays that can be looked at; not those that a function takes which is handed in."""
    if get_origin(hint) is Callable:
        return False
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias):
        return issubclass(hint, AbstractArray)
    return any(map(speaks_of_arrays, get_args(hint)))


@contextlib.contextmanager
def no_shape_checks() -> Iterator[None]:
    """For a test of what the library itself says to an array of a wrong shape."""
    config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", False)
