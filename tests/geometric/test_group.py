import itertools
import math
from pathlib import Path

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file

from ginjax import geometric as geom
from ginjax.errors import ArgumentError

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"


def act_by_pixels(x: np.ndarray, D: int, parity: int, g: np.ndarray) -> np.ndarray:
    """The definition, pixel by pixel: `(g.A)(i) = det(g)^p g^(x)k A(g^-1 i)`, `i` from the centre of the grid."""
    sides = np.array(x.shape[:D])
    new_sides = np.abs(g) @ sides
    out = np.empty((*new_sides, *x.shape[D:]), x.dtype)
    for pixel in itertools.product(*map(range, new_sides)):
        source = g.T @ (np.array(pixel) - (new_sides - 1) / 2) + (sides - 1) / 2
        value = x[tuple(np.rint(source).astype(int))]
        for axis in range(x.ndim - D):
            value = np.moveaxis(np.tensordot(g, value, axes=(1, axis)), 0, axis)
        out[pixel] = round(np.linalg.det(g)) ** parity * value
    return out


@pytest.mark.parametrize("D", [1, 2, 3, 4])
def test_all_operators_are_the_hyperoctahedral_group(D):
    operators = geom.make_all_operators(D)
    distinct = {g.tobytes() for g in operators}
    assert len(operators) == len(distinct) == 2**D * math.factorial(D)
    assert all(np.array_equal(g @ g.T, np.eye(D)) for g in operators)
    assert np.array_equal(operators[0], np.eye(D))
    reflections = geom.make_C2_group(D)
    assert len(reflections) == 2**D
    assert {g.tobytes() for g in reflections} <= distinct


@pytest.mark.parametrize(
    ("D", "shape"), [(1, (4, 1)), (2, (3, 4)), (2, (3, 4, 2)), (2, (2, 2, 2, 2)), (3, (2, 3, 4, 3))]
)
@pytest.mark.parametrize("parity", [0, 1])
def test_action_is_the_definition(D, shape, parity):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    operators = geom.make_all_operators(D)
    moved = jax.jit(lambda x: [geom.times_group_element(D, x, parity, g) for g in operators])(x)
    for g, result in zip(operators, moved, strict=True):
        np.testing.assert_array_equal(result, act_by_pixels(x, D, parity, g).astype(np.float32))


def test_action_is_a_homomorphism_and_leaves_leading_axes_alone():
    x = np.random.default_rng(1).normal(size=(2, 3, 2, 3, 2)).astype(np.float32)
    g, h = geom.make_all_operators(2)[4:6]
    assert not np.array_equal(g @ h, h @ g)

    def act(g, x):
        return geom.times_group_element(2, x, 1, g, (False,))

    np.testing.assert_array_equal(act(g @ h, x), act(g, act(h, x)))
    assert not np.array_equal(act(h @ g, x), act(g, act(h, x)))
    np.testing.assert_array_equal(act(g, x)[1, 2], geom.times_group_element(2, x[1, 2], 1, g))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("group_action_*.safetensors")), ids=lambda p: p.stem)
def test_golden_actions(path):
    stored = load_file(path)
    x = geom.MultiImage({(0, 0): stored["x/k0p0"], (1, 0): stored["x/k1p0"]}, 2)
    y = x.times_group_element(stored["g"])
    np.testing.assert_array_equal(y[(0, 0)], stored["y/k0p0"])
    np.testing.assert_array_equal(y[(1, 0)], stored["y/k1p0"])
    # The operators come in the order that these files are numbered by.
    index = int(path.stem.rsplit("_", 1)[1])
    np.testing.assert_array_equal(geom.make_all_operators(2)[index], stored["g"])


@pytest.mark.parametrize(
    "g", [np.eye(3), np.ones((2, 2)), 2 * np.eye(2), np.zeros((2, 2)), [[0.6, 0.8], [-0.8, 0.6]]]
)
def test_other_matrices_are_refused(g, wrong_arrays):
    with pytest.raises(ArgumentError, match="symmetry of the grid"):
        geom.times_group_element(2, np.zeros((3, 3)), 0, g)


def test_a_traced_element_is_refused():
    with pytest.raises(ArgumentError, match="traced"):
        jax.jit(lambda g: geom.times_group_element(2, np.zeros((3, 3)), 0, g))(np.eye(2))
