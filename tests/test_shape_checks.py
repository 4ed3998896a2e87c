"""The annotations of arrays are compared with the arrays of every test; here, that this would find a wrong one."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_origin

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from jaxtyping import Float, TypeCheckError, jaxtyped
from shape_checks import checked, no_shape_checks, speaks_of_arrays

import ginjax.geometric
import ginjax.layers
from ginjax.geometric import convolve, inner, norm
from ginjax.layers._norm import whiten
from ginjax.layers._vector_neuron import vector_neuron

ROOT = Path(__file__).parent.parent
PUBLIC = {
    f"{package.__name__}.{name}": value
    for package in (ginjax.geometric, ginjax.layers)
    for name, value in vars(package).items()
    if inspect.isfunction(value)
}


def nameless(hint: object) -> bool:
    """Whether a hint has an array whose axes have no names; what a function that is handed in takes does not count."""
    if get_origin(hint) is Callable:
        return False
    return hint in (Array, np.ndarray) or any(map(nameless, get_args(hint)))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_names_its_axes(name):
    assert [key for key, hint in inspect.get_annotations(PUBLIC[name]).items() if nameless(hint)] == []


def undocumented(annotations: str, table: str) -> set[str]:
    """The names of axes in some source that are not in a table; `*leading_x` is documented where `*x` is."""
    known = set(re.findall(r"`(\*?\w+)`", table))
    axes = " ".join(
        re.findall(r"(?:Float|Num|Shaped|Int|Real|Bool)\[[\w.]+, \"([^\"]*)\"\]", annotations)
    ).split()
    return {name for name in axes if name.replace("*leading_", "*") not in known} - {"...", "_"}


def test_every_name_of_an_axis_is_documented():
    sources = [
        p.read_text("utf-8")
        for name in ("geometric", "layers")
        for p in (ROOT / "ginjax" / name).rglob("*.py")
    ]
    table = (
        (ROOT / "docs" / "development.md").read_text("utf-8").split("## Names of axes")[1].split("\n## ")[0]
    )
    assert undocumented("\n".join(sources), table) == set()
    assert undocumented('Float[Array, "*leading_spatial rows"], Num[np.ndarray, "*field"]', table) == {"rows"}


def test_a_nameless_array_is_noticed():
    assert all(map(nameless, (Array, Array | None, list[np.ndarray], tuple[Float[Array, " n"], Array])))
    assert not any(
        map(nameless, (int, Float[Array, " n"], Callable[[Array], Array], Float[Array, "..."] | None))
    )
    assert len(PUBLIC) > 20


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


def test_a_method_is_checked():
    image = ginjax.geometric.MultiImage({(0, 0): np.ones((1, 4, 4))}, 2)
    with pytest.raises(TypeCheckError, match="parameter 'g'"):
        image.times_group_element(np.ones(2))


def test_a_wrong_annotation_is_found():
    def rows(x: Float[Array, "rows columns"]) -> Float[Array, " rows"]:
        return x.sum(0)

    assert jaxtyped(rows, typechecker=checked)(jnp.ones((2, 2))).shape == (2,)
    with pytest.raises(TypeCheckError, match="return value"):
        jaxtyped(rows, typechecker=checked)(jnp.ones((2, 3)))


def test_only_hints_of_arrays_are_checked():
    def scaled(x: Float[Array, " n"], by: str) -> list[int]:
        return x * by

    assert jaxtyped(scaled, typechecker=checked)(jnp.ones(2), 2).shape == (2,)
    assert not speaks_of_arrays(list[int]) and speaks_of_arrays(list[Float[Array, " n"] | None])


def test_the_library_speaks_for_itself(wrong_arrays):
    with pytest.raises(ginjax.errors.ArgumentError, match="channels of the image"):
        convolve(1, jnp.ones((1, 2, 4)), jnp.ones((1, 3, 3)), True)
