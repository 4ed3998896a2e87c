"""Layers that hold functions and can still be pickled and copied."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter

import equinox as eqx
import jax
from jaxtyping import PyTree


class FunctionsByName(eqx.Module):
    """A layer whose functions are pickled and copied by their module and name.

    Pickle itself does this for plain functions, but not for functions wrapped by `jax.jit` or `jax.custom_jvp`, such as
    `jax.numpy.tanh`. A copy of such a function would be a different function, for which everything is compiled again.
    """

    def __getstate__(self) -> dict[str, object]:
        return {name: functions_by_name(value) for name, value in vars(self).items()}

    def __setstate__(self, state: dict[str, object]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, functions_found(value))


def functions_by_name(tree: PyTree) -> PyTree:
    """Replace every function in a tree that can be found by its name by that name."""
    return jax.tree.map(_by_name, tree)


def functions_found(tree: PyTree) -> PyTree:
    """Undo `functions_by_name`."""
    return jax.tree.map(_found, tree)


@dataclass(frozen=True)
class _Name:
    module: str
    name: str

    def find(self) -> Callable[..., object]:
        return attrgetter(self.name)(import_module(self.module))


def _by_name(leaf: object) -> object:
    """Return the name of a function if it leads back to that function; return anything else unchanged."""
    name = _Name(getattr(leaf, "__module__", None) or "", getattr(leaf, "__qualname__", None) or "")
    if not callable(leaf) or not name.module or not name.name:
        return leaf
    try:
        return name if name.find() is leaf else leaf
    except (ImportError, AttributeError):  # a nested function, or one that a notebook has redefined
        return leaf


def _found(leaf: object) -> object:
    return leaf.find() if isinstance(leaf, _Name) else leaf
