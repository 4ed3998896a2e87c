"""Compatible tuning: training along the free directions, and nowhere else."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from drawn_records import drawn_record, small_spec
from helpers import FULL3, S, lift_defect, random_field
from small_models import run

from ginjax.checkpoint import convert_record, weights_digest
from ginjax.geometric import MultiImage
from ginjax.ml import fit, only_free, smse_loss
from ginjax.models import from_record, named_arrays, with_arrays
from ginjax.transfer import free_directions, project_onto_free, recertify

SIDE, STEPS = 6, 30
LOW = drawn_record(small_spec("SimpleConvSeries", S), 1, FULL3, dtype=np.float32)
HIGH = convert_record(LOW, 2, "compatibility").after
FREE = free_directions(HIGH.layers, HIGH.banks, 1)


def lift(model) -> float:
    x = random_field(S, 1, SIDE)
    return lift_defect(lambda f: run(from_record(LOW), f), lambda f: run(model, f), x, (4,))


@pytest.fixture(scope="module")
def tuned():
    """The converted network after training on white noise: along the free directions only, and ordinarily."""
    rng = np.random.default_rng(0)
    X, Y = (
        MultiImage({((), 0): jnp.asarray(rng.standard_normal((8, 1, SIDE, SIDE)), np.float32)}, 2)
        for _ in "XY"
    )
    adam = optax.adamw(3e-2, weight_decay=0.1)
    return {
        name: fit(
            from_record(HIGH), X, Y, loss=smse_loss, steps=STEPS, batch_size=8, optimizer=optimizer,
            key=jax.random.key(0),
        )
        for name, optimizer in {"kept": optax.chain(adam, only_free(FREE)), "ordinary": adam}.items()
    }  # fmt: skip


def test_tuning_leaves_the_lift_test_at_rounding(tuned):
    model, history = tuned["kept"]
    assert lift(from_record(HIGH)) <= 1e-5
    assert lift(model) <= 1e-5
    assert history.losses[-1] < history.losses[0]
    moved = max(np.abs(array - HIGH.arrays[name]).max() for name, array in named_arrays(model).items())
    assert moved > 0.05


def test_ordinary_training_does_not(tuned):
    model, history = tuned["ordinary"]
    assert history.losses[-1] < history.losses[0]
    assert lift(model) > 1e-2


def test_only_weights_with_freedom_move(tuned):
    assert any(basis.shape[1] for basis in FREE.values())
    for name, array in named_arrays(tuned["kept"][0]).items():
        if name in FREE:
            step = (array - HIGH.arrays[name]).astype(np.float64)
            across = step - step @ FREE[name] @ FREE[name].T
            assert np.abs(across).max() <= 1e-5 < np.abs(step).max()
        else:
            np.testing.assert_array_equal(array, HIGH.arrays[name])
    # The control: ordinary training moves biases too.
    ordinary = named_arrays(tuned["ordinary"][0])
    assert any(
        np.abs(ordinary[name] - HIGH.arrays[name]).max() > 1e-2 for name in ordinary if name not in FREE
    )


def test_the_projection_at_the_end_removes_the_rounding(tuned):
    model = tuned["kept"][0]
    arrays = project_onto_free(HIGH.arrays, named_arrays(model), FREE)
    certificate = recertify(HIGH.certificate, HIGH.layers, HIGH.banks, HIGH.arrays, arrays)
    assert (
        certificate.exact and certificate.covers == "weights" and certificate.digest == weights_digest(arrays)
    )
    settled = with_arrays(model, arrays)
    assert lift(settled) <= 1e-5
    # Hardly anything moved: the steps were where they belong.
    assert max(np.abs(arrays[name] - array).max() for name, array in named_arrays(model).items()) <= 1e-5
    # The projection puts an ordinarily trained network back on the right side, too.
    back = project_onto_free(HIGH.arrays, named_arrays(tuned["ordinary"][0]), FREE)
    assert lift(with_arrays(model, back)) <= 1e-5
    wrong = recertify(
        HIGH.certificate,
        HIGH.layers,
        HIGH.banks,
        HIGH.arrays,
        named_arrays(tuned["ordinary"][0]),
    )
    assert not wrong.exact and wrong.residual > 1e-2


def test_an_update_is_projected_and_nothing_is_kept_between_steps():
    model = eqx.filter(from_record(HIGH), eqx.is_inexact_array)
    keep = only_free(FREE)
    state = keep.init(model)
    assert isinstance(state, optax.EmptyState)
    updates = jax.tree.map(jnp.ones_like, model)
    first, state = keep.update(updates, state, model)
    for name, array in named_arrays(first).items():
        expected = np.zeros_like(array)
        if name in FREE:
            expected += np.ones(array.shape) @ FREE[name] @ FREE[name].T
        np.testing.assert_allclose(array, expected, atol=1e-6)
    second, _ = keep.update(first, state, model)
    for a, b in zip(named_arrays(second).values(), named_arrays(first).values(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_double_precision_is_not_rounded():
    with jax.enable_x64(True):
        updates = {name: jnp.ones((1, 1, basis.shape[0]), jnp.float64) for name, basis in FREE.items()}
        projected, _ = only_free(FREE).update(updates, optax.EmptyState())
        for name, basis in FREE.items():
            assert projected[name].dtype == jnp.float64
            np.testing.assert_allclose(
                projected[name][0, 0], np.ones(len(basis)) @ basis @ basis.T, atol=1e-15
            )


def test_no_freedom_means_no_training():
    """Orthoplex filters of scalars have one solution of (C)."""
    none = {name: basis[:, :0] for name, basis in FREE.items()}
    updates, _ = only_free(none).update(
        jax.tree.map(jnp.ones_like, eqx.filter(from_record(HIGH), eqx.is_array)), optax.EmptyState()
    )
    assert not any(array.any() for array in named_arrays(updates).values())
