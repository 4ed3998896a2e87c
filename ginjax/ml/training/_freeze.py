"""Frozen parameters: the parts of a model that training does not change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from ginjax._unknown_name import unknown_name
from ginjax.errors import ArgumentError
from ginjax.ml.training._update import trainable
from ginjax.models import named_map


def frozen_names(model: PyTree, groups: Sequence[str]) -> frozenset[str]:
    """Find the parameters that belong to groups of names.

    **Arguments:**

    - `model`: the model.
    - `groups`: beginnings of dotted names such as `encoder` or `blocks.0`, or patterns with `*` such as `*.bias.*`.

    **Raises:** `ArgumentError` for a group without parameters, or if nothing is left to train.
    """
    names: list[str] = []
    named_map(lambda name, leaf: names.append(name), trainable(model))
    frozen: set[str] = set()
    for group in groups:
        found = {n for n in names if n == group or n.startswith(f"{group}.") or fnmatchcase(n, group)}
        if not found:
            raise unknown_name(
                "`freeze`",
                group,
                _groups_of(names),
                expected="one of " + ", ".join(sorted({n.split(".")[0] for n in names})),
                hint="'ginjax inspect' lists the arrays of a model; a pattern may use *.",
            )
        frozen |= found
    if frozen and len(frozen) == len(set(names)):
        raise ArgumentError(
            "`freeze`", got="every parameter", expected="at least one parameter left to train"
        )
    return frozenset(frozen)


def keep_frozen(names: frozenset[str]) -> optax.GradientTransformation:
    """Set the updates of some parameters to zero; chain it after the optimiser, whose weight decay it then covers too.

    **Arguments:**

    - `names`: dotted names of the parameters, from `frozen_names`.
    """

    def init(params: optax.Params) -> optax.EmptyState:
        return optax.EmptyState()

    def update(
        updates: optax.Updates, state: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        return (
            named_map(lambda name, change: jnp.zeros_like(change) if name in names else change, updates),
            state,
        )

    return optax.GradientTransformation(init, update)


def _groups_of(names: Iterable[str]) -> list[str]:
    """All beginnings of dotted names, each of them once."""
    parts = [name.split(".") for name in names]
    return list(dict.fromkeys(".".join(each[:i]) for each in parts for i in range(1, len(each) + 1)))
