"""Hand-written reverse derivatives: they are used, they agree with the others, and they remember little."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.geometric import with_adjoint


def curved(x, w):
    """A vector and a matrix to a vector, with a kept value."""
    z = jnp.tanh(w @ x)
    return jnp.sin(z) * x, (z,)


def curved_adjoint(arguments, kept, g):
    (x, w), (z,) = arguments, kept
    slope = g * x * jnp.cos(z) * (1 - z**2)
    return g * jnp.sin(z) + w.T @ slope, jnp.outer(slope, x)


hand_written = with_adjoint(curved, curved_adjoint)


def by_machine(x, w):
    return curved(x, w)[0]


@pytest.fixture
def operands(x64):
    rng = np.random.default_rng(0)
    return jnp.asarray(rng.normal(size=(4, 3))), jnp.asarray(rng.normal(size=(3, 3)))


def summed(f):
    return lambda xs, w: jnp.sum(jax.vmap(f, (0, None))(xs, w) ** 2)


def test_value_and_gradient(operands):
    xs, w = operands
    for argument in (0, 1):
        ours, theirs = (jax.jit(jax.grad(summed(f), argument))(xs, w) for f in (hand_written, by_machine))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    np.testing.assert_array_equal(hand_written(xs[0], w), by_machine(xs[0], w))


def test_gradients_of_each_sample(operands):
    xs, w = operands
    each = [
        jax.jit(jax.vmap(jax.grad(lambda x, w, f=f: jnp.sum(f(x, w) ** 2), (0, 1)), (0, None)))(xs, w)
        for f in (hand_written, by_machine)
    ]
    for ours, theirs in zip(*each, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_forward_and_second_derivatives(operands):
    xs, w = operands
    x = xs[0]
    for wanted in (jax.jacfwd, jax.jacrev, jax.hessian):
        ours, theirs = (jax.jit(wanted(f, 1))(x, w) for f in (hand_written, by_machine))
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_the_adjoint_given_is_the_one_used(operands):
    """A wrong one shows, in reverse and nowhere else."""
    xs, w = operands
    wrong = with_adjoint(
        curved, lambda arguments, kept, g: tuple(2 * z for z in curved_adjoint(arguments, kept, g))
    )
    np.testing.assert_allclose(
        jax.grad(summed(wrong))(xs, w), 2 * jax.grad(summed(by_machine))(xs, w), rtol=1e-12
    )
    for ours, theirs in zip(
        jax.jvp(wrong, (xs[0], w), (xs[1], w)), jax.jvp(by_machine, (xs[0], w), (xs[1], w)), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_what_is_not_finite_stays_in_its_sample(operands):
    """Compiled, where the way back stands apart, as well as not."""
    xs, w = operands
    sizes = jnp.array([jnp.inf, 1.0, 1.0, jnp.nan])
    back = jax.grad(lambda xs: jnp.sum(sizes @ jax.vmap(hand_written, (0, None))(xs, w)))
    for found in (back(xs), jax.jit(back)(xs)):
        assert np.isfinite(found).all(axis=1).tolist() == [False, True, True, False]


def test_compiled_is_the_same(operands):
    xs, w = operands
    ours = jax.jit(jax.grad(summed(hand_written), (0, 1)))(xs, w)
    for found, expected in zip(ours, jax.grad(summed(by_machine), (0, 1))(xs, w), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_whole_numbers_pass():
    doubled = with_adjoint(lambda x: (2.0 * x, ()), lambda arguments, _, g: (2.0 * g,))
    value, back = jax.vjp(doubled, jnp.arange(3))
    np.testing.assert_array_equal(value, [0, 2, 4])
    assert back(jnp.ones(3))[0].dtype == jax.dtypes.float0


def test_nothing_else_is_remembered(operands):
    """Reverse differentiation hands the arguments and what is kept from the way there to the way back, no more."""
    xs, w = operands

    def remembered(f) -> int:
        _, back = jax.vjp(f, xs[0], w)
        return sum(leaf.size for leaf in jax.tree.leaves(back) if hasattr(leaf, "size"))

    assert remembered(hand_written) == 3 + 9 + 3
    assert remembered(by_machine) > 3 + 9 + 3


def test_the_way_back_stands_apart_in_the_compiled_program(operands):
    """Behind a condition the compiler cannot decide, a closed-over parameter or not; else it merges the way back with the way there."""
    xs, w = operands
    programs = [
        jax.jit(jax.grad(summed(hand_written))).lower(xs, w).compile(),
        jax.jit(jax.grad(lambda xs: summed(hand_written)(xs, w))).lower(xs).compile(),
    ]
    assert [program.as_text().count(" conditional(") for program in programs] == [1, 1]
    assert " conditional(" not in jax.jit(jax.grad(summed(by_machine))).lower(xs, w).compile().as_text()


def test_layers_of_a_kind_are_traced_once():
    traced = []

    def counted(x):
        traced.append(x)
        return jnp.sin(x), ()

    sine = with_adjoint(counted, lambda arguments, _, g: (g * jnp.cos(arguments[0]),))
    jax.make_jaxpr(jax.grad(lambda x: jnp.sum(sine(x))))(jnp.ones(5))
    count = len(traced)
    jax.make_jaxpr(jax.grad(lambda x: jnp.sum(sine(sine(sine(x))))))(jnp.ones(5))
    assert len(traced) == count > 0
