"""The check that a model is what its specification builds, because loading a file builds from the specification."""

from __future__ import annotations

import equinox as eqx
import jax
from jaxtyping import PyTree

from ._build import outline
from ._named_arrays import model_banks, named_map


def changed_by_hand(model: PyTree) -> str | None:
    """Find the first difference, apart from the values of arrays, between a model and what its specification builds.

    **Arguments:**

    - `model`: the model, of a registered architecture.

    **Returns:** the dotted name of the array or function that differs, or "a setting of a layer"; None if nothing differs.
    """
    built = outline(model.spec, model.D, model_banks(model))
    mine, its = _leaves(model), _leaves(built)
    for name in [*its, *mine]:
        if name not in mine or name not in its or not _same(mine[name], its[name]):
            return name
    if jax.tree_util.tree_structure(model) != jax.tree_util.tree_structure(built):
        return "a setting of a layer"
    return None


def _leaves(model: PyTree) -> dict[str, object]:
    found: dict[str, object] = {}
    named_map(found.__setitem__, model)
    return found


def _same(mine: object, built: object) -> bool:
    if eqx.is_array(mine) or isinstance(built, jax.ShapeDtypeStruct):
        return getattr(mine, "shape", None) == getattr(built, "shape", None)
    if callable(mine) and callable(built):
        # A function that is made anew for each network is recognised by its place in the source.
        return mine is built or _place(mine) == _place(built)
    return bool(mine == built)


def _place(function: object) -> tuple[object, object]:
    return getattr(function, "__module__", function), getattr(function, "__qualname__", function)
