import itertools
import math

import numpy as np
import pytest
from filters.by_hand import act, operators

from ginjax.errors import ArgumentError
from ginjax.filters import determinants, explicit_group, hyperoctahedral, reflections, tensor_action

QUARTER_TURN = np.array([[0, -1], [1, 0]])


def rotations(D):
    return [g for g in operators(D) if round(np.linalg.det(g)) == 1]


def test_the_action_used_in_these_tests_is_the_definition():
    rng = np.random.default_rng(0)
    C = rng.standard_normal((3, 3, 2, 2))
    for g in operators(2):
        by_pixel = np.empty_like(C)
        for x in itertools.product((-1, 0, 1), repeat=2):
            i, j = g.T @ x + 1
            by_pixel[x[0] + 1, x[1] + 1] = round(np.linalg.det(g)) * g @ C[i, j] @ g.T
        np.testing.assert_allclose(act(g, C[None], 2, 1)[0], by_pixel)


@pytest.mark.parametrize("D", [1, 2, 3, 4])
def test_orders(D):
    assert hyperoctahedral(D).order == len(operators(D)) == 2**D * math.factorial(D)
    assert reflections(D).order == 2**D
    assert explicit_group(rotations(D)).order == max(1, 2 ** (D - 1) * math.factorial(D))


@pytest.mark.parametrize("D", [1, 2, 3])
def test_determinants_and_tensor_action(D):
    matrices = operators(D)
    perms, signs = explicit_group(matrices).elements
    np.testing.assert_array_equal(determinants(perms, signs), np.rint(np.linalg.det(matrices)))
    rng = np.random.default_rng(D)
    for k, p in itertools.product(range(4), range(2)):
        tensor = rng.standard_normal(D**k)
        source, sign = tensor_action(perms, signs, k, p)
        by_hand = [act(g, tensor.reshape(1, *(1,) * D, *(D,) * k), k, p).reshape(-1) for g in matrices]
        np.testing.assert_allclose(sign * tensor[source], by_hand)


@pytest.mark.parametrize(
    ("matrices", "message"),
    [
        ([], "one or more D x D matrices"),
        ([np.ones((2, 3))], "one or more D x D matrices"),
        ([np.eye(2) * 0.5], "signed permutation"),
        ([np.ones((2, 2))], "signed permutation"),
        ([np.eye(2) * 2], "signed permutation"),
        ([np.eye(2), QUARTER_TURN], "the product of any two operators"),
    ],
)
def test_not_a_group(matrices, message):
    with pytest.raises(ArgumentError, match=message):
        explicit_group(matrices)


def test_closing_the_set_makes_it_a_group():
    turns = [np.linalg.matrix_power(QUARTER_TURN, n) for n in range(4)]
    assert explicit_group(turns).order == 4
