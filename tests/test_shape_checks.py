"""The annotations of arrays are compared with the arrays of every test; here, that this would find a wrong one."""

import builtins
import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args, get_origin

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import Array
from jaxtyping import Float, TypeCheckError
from shape_checks import PACKAGES as CHECKED
from shape_checks import checked, is_checked, no_shape_checks, speaks_of_arrays

import ginjax.geometric
import ginjax.layers
import ginjax.ml
import ginjax.models
from ginjax.geometric import convolve, inner, norm
from ginjax.layers._norm import whiten
from ginjax.layers._vector_neuron import vector_neuron
from ginjax.ml.score import Deviations, deviations
from ginjax.models import named_arrays, with_arrays

ROOT = Path(__file__).parent.parent
PACKAGES = [sys.modules[name] for name in sorted(sys.modules) if is_checked(name) and "._" not in name]


def members(cls: type) -> Iterator[tuple[str, object]]:
    """A class, for the annotations of its fields, and its public methods and properties."""
    yield "", cls
    for name, value in vars(cls).items():
        value = getattr(value, "__func__", getattr(value, "fget", value))
        if inspect.isfunction(value) and (not name.startswith("_") or name in ("__init__", "__call__")):
            yield f".{name}", value


def public(package: types.ModuleType) -> Iterator[tuple[str, object]]:
    for name, value in vars(package).items():
        if inspect.isfunction(value):
            yield f"{value.__module__}.{name}", value
        elif inspect.isclass(value):
            yield from ((f"{value.__module__}.{name}{member}", each) for member, each in members(value))


PUBLIC = {
    name: value for package in PACKAGES for name, value in public(package) if is_checked(value.__module__)
}

NO_AXES = ("key", "keys", "rand_key")
"""Parameters that are random keys."""


class _Names(dict):
    """What a module knows by name; whatever only the type checker sees counts as no array."""

    def __missing__(self, name: str) -> type:
        return getattr(builtins, name, object)


def hints(value: object) -> dict[str, object]:
    """The annotations of a function or a class, those of public names, none of them as a string."""
    inner = inspect.unwrap(value) if inspect.isfunction(value) else value
    names = _Names(vars(sys.modules[inner.__module__]))
    return {
        key: eval(hint, {}, names) if isinstance(hint, str) else hint
        for key, hint in inspect.get_annotations(inner).items()
        if not key.startswith("_") and key not in NO_AXES
    }


def nameless(hint: object) -> bool:
    """Whether a hint has an array whose axes have no names; what a function that is handed in takes, and what an
    optimiser keeps, does not count.
    """
    if get_origin(hint) is Callable or hint == optax.OptState:
        return False
    return hint in (Array, np.ndarray) or any(map(nameless, get_args(hint)))


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_names_its_axes(name):
    assert [key for key, hint in hints(PUBLIC[name]).items() if nameless(hint)] == []


def undocumented(annotations: str, table: str) -> set[str]:
    """The names of axes in some source that are not in a table.

    `*leading_x` is documented where `*x` is, and `_x` where `x` is; a number is a size and no name.
    """
    known = set(re.findall(r"`(\*?\w+)`", table))
    axes = " ".join(
        re.findall(r"(?:Float|Num|Shaped|Int|UInt|Real|Bool)\[[\w.]+, \"([^\"]*)\"\]", annotations)
    ).split()
    plain = (
        re.sub(r"^(\*?)_", r"\1", name) for name in axes if name not in ("...", "_") and not name.isdigit()
    )
    return {name for name in plain if name.replace("*leading_", "*") not in known}


def test_every_name_of_an_axis_is_documented():
    sources = [
        p.read_text("utf-8") for name in CHECKED for p in (ROOT / name.replace(".", "/")).rglob("*.py")
    ]
    table = (
        (ROOT / "docs" / "development.md").read_text("utf-8").split("## Names of axes")[1].split("\n## ")[0]
    )
    assert undocumented("\n".join(sources), table) == set()
    found = undocumented(
        'Float[Array, "*leading_spatial boxes 2"], Num[np.ndarray, "*_leading_field _in"]', table
    )
    assert found == {"boxes"}


def test_a_nameless_array_is_noticed():
    assert all(map(nameless, (Array, Array | None, list[np.ndarray], tuple[Float[Array, " n"], Array])))
    assert not any(
        map(nameless, (int, Float[Array, " n"], Callable[[Array], Array], Float[Array, "..."] | None))
    )
    assert len(PUBLIC) > 200


def test_annotations_that_are_strings_are_read():
    name = "ginjax.ml.score._spectrum.energy_spectrum"
    assert isinstance(PUBLIC[name].__annotations__["values"], str)
    assert speaks_of_arrays(hints(PUBLIC[name])["values"]) and hints(PUBLIC[name])["D"] is int


def test_a_wrong_size_is_refused():
    x, bias = jnp.zeros((2, 3, 5)), jnp.zeros(3)
    whiten(x, jnp.ones(3), bias, 1, 1e-5)
    with pytest.raises(TypeCheckError, match="weight"):
        whiten(x, jnp.ones(1), bias, 1, 1e-5)
    with no_shape_checks():  # without the checks nobody would mind
        whiten(x, jnp.ones(1), bias, 1, 1e-5)


@pytest.mark.parametrize("array", [np.ones((2, 3, 4)), jnp.ones((2, 3, 4))])
def test_arrays_of_both_libraries_are_checked(array):
    assert inner(array, array).shape == (3, 4)
    with pytest.raises(TypeCheckError, match="parameter 'b'"):
        inner(array, array[:, :2])


def test_a_wrong_kind_of_number_is_refused():
    with pytest.raises(TypeCheckError, match="data"):
        norm(2, np.ones((3, 3), bool))


@pytest.mark.parametrize("transform", [jax.jit, jax.vmap, lambda f: jax.grad(lambda x: f(x).sum())])
def test_traced_arrays_are_checked(transform):
    def apply(x, channels=3):
        return vector_neuron(x, jnp.zeros((channels, channels)), jnp.tanh, 1e-5)

    x = jnp.ones((4, 2, 3, 5)) if transform is jax.vmap else jnp.ones((2, 3, 5))
    assert transform(apply)(x).shape == x.shape
    with pytest.raises(TypeCheckError, match="weights"):
        transform(lambda x: apply(x, 2))(x)


def test_string_annotations_and_fields_are_checked():
    field = np.ones((2, 4, 4))
    assert deviations(field, field, 2).error.shape == (2,)
    with pytest.raises(TypeCheckError, match="truth"):
        deviations(field, field[:1], 2)
    with pytest.raises(TypeCheckError, match="variance"):
        Deviations(np.ones(2), np.ones(2), np.ones(3))


def test_arrays_in_a_mapping_are_checked():
    model = eqx.nn.Linear(2, 3, key=jax.random.key(0))
    arrays = named_arrays(model)
    assert eqx.tree_equal(with_arrays(model, arrays), model)
    with pytest.raises(TypeCheckError, match="arrays"):
        with_arrays(model, {name: array.tolist() for name, array in arrays.items()})


def test_an_underscore_lets_sizes_differ():
    def joined(
        x: Float[Array, "batch channels *_field"], y: Float[Array, "batch channels *_field"]
    ) -> Float[Array, " _n"]:
        return jnp.concatenate([x.ravel(), y.ravel()])

    check = checked(joined)
    assert check(jnp.ones((2, 3)), jnp.ones((2, 3, 3))).shape == (24,)
    with pytest.raises(TypeCheckError, match="'y'"):
        check(jnp.ones((2, 3)), jnp.ones((3, 3)))


def test_a_method_is_checked():
    image = ginjax.geometric.MultiImage({(0, 0): np.ones((1, 4, 4))}, 2)
    with pytest.raises(TypeCheckError, match="parameter 'g'"):
        image.times_group_element(np.ones(2))


def test_a_wrong_annotation_is_found():
    def rows(x: Float[Array, "rows columns"]) -> Float[Array, " rows"]:
        return x.sum(0)

    assert checked(rows)(jnp.ones((2, 2))).shape == (2,)
    with pytest.raises(TypeCheckError, match="return value"):
        checked(rows)(jnp.ones((2, 3)))


def test_only_hints_of_arrays_are_checked():
    def scaled(x: Float[Array, " n"], by: str) -> list[int]:
        return x * by

    assert checked(scaled)(jnp.ones(2), 2).shape == (2,)
    assert not speaks_of_arrays(list[int]) and speaks_of_arrays(list[Float[Array, " n"] | None])
    assert not speaks_of_arrays(Callable[[Float[Array, " n"]], Float[Array, " n"]] | None)


def test_the_library_speaks_for_itself(wrong_arrays):
    with pytest.raises(ginjax.errors.ArgumentError, match="channels of the image"):
        convolve(1, jnp.ones((1, 2, 4)), jnp.ones((1, 3, 3)), True)
