"""Compiled functions: on their own, within others, and with a compiler that does not know a setting."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.geometric import _compiled, compiled
from ginjax.geometric._compiled import compiler_options, known_options


@compiled
def scaled(x, words):
    return {"words": words, "y": 3 * x["a"] + x["b"]}


X = {"a": jnp.arange(3.0), "b": jnp.ones(3)}


def test_pytrees_and_static_values():
    found = scaled(X, words="as they are")
    np.testing.assert_array_equal(found["y"], [1, 4, 7])
    assert found["words"] == "as they are"


@pytest.mark.parametrize(
    "within",
    [
        lambda f: jax.jit(f)(X),
        lambda f: jax.jit(lambda: f(X))(),
        lambda f: jax.vmap(f)(X),
        lambda f: jax.jvp(f, (X,), (jax.tree.map(jnp.zeros_like, X),))[0],
        lambda f: compiled(f)(X),
    ],
    ids=["jit", "jit of constants", "vmap", "jvp", "compiled"],
)
def test_within_other_transformations(within):
    np.testing.assert_array_equal(within(lambda x: scaled(x, None)["y"]), [1, 4, 7])


def test_options_are_those_the_compiler_knows():
    assert known_options({"xla_no_such_setting": 1}) == {}
    both = {"xla_no_such_setting": 1, "xla_cpu_enable_fast_math": False}
    assert known_options(both) == {"xla_cpu_enable_fast_math": False}
    assert known_options({}) == {} and compiler_options("gpu") == {}


@pytest.mark.parametrize(
    ("flags", "left"),
    [
        ("", {"xla_backend_optimization_level", "xla_cpu_opt_preset"}),
        (
            "--xla_backend_optimization_level_of=3 --xla_cpu_opt",
            {"xla_backend_optimization_level", "xla_cpu_opt_preset"},
        ),
        ("--xla_cpu_enable_fast_math=false --xla_backend_optimization_level=0", {"xla_cpu_opt_preset"}),
    ],
)
def test_what_the_user_set_stays(monkeypatch, flags, left):
    """An option of one program would win over the flags of the process."""
    monkeypatch.setenv("XLA_FLAGS", flags)
    monkeypatch.setattr(_compiled, "known_options", lambda options: options)
    assert set(compiler_options.__wrapped__("cpu")) == left


def test_options_are_used_where_they_may_be(monkeypatch):
    used = []
    filter_jit = eqx.filter_jit

    def spy(function, **how):
        used.append(how.get("compiler_options"))
        return filter_jit(function, **how)

    monkeypatch.setattr(eqx, "filter_jit", spy)
    double = compiled(lambda x: 2 * x)
    double(jnp.ones(3))
    assert used == [compiler_options(jax.default_backend())]
    jax.jit(double)(jnp.ones(3))
    assert used[1:] == [None]


def test_nested_options_would_be_refused():
    """What `compiled` avoids: a compiled function with settings of its own within another."""
    own = jax.jit(jnp.negative, compiler_options={"xla_cpu_enable_fast_math": False})
    with pytest.raises(ValueError, match="top-level"):
        jax.jit(lambda x: own(x))(1.0)


def test_donated_memory_is_gone():
    add = compiled(lambda kept, given: given + kept, donate="all-except-first")
    kept, given = jnp.ones(4), jnp.zeros(4)
    np.testing.assert_array_equal(add(kept, given), np.ones(4))
    assert given.is_deleted() and not kept.is_deleted()
