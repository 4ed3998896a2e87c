import json
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file

from ginjax import ml
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage, parse_key_name

GOLDEN = Path(os.environ.get("GINJAX_GOLDEN", Path(__file__).parents[3] / "fixtures" / "golden"))
SCALAR, VECTOR = ((), 0), ((False,), 0)
NAMES = [
    "smse_loss",
    "normalized_smse_loss",
    "nrmse_loss",
    "nrmse_per_pixel_loss",
    "l2_rel_error",
    "l2_per_pixel_rel_error",
]


def compiled(loss, *args, **options):
    """A loss as one program; operation by operation each would be one of its own."""
    return jax.jit(lambda x, y: loss(x, y, *args, **options))


def golden_cases():
    index = json.loads((GOLDEN / "index.json").read_text())
    return [name for name, entry in index.items() if entry["kind"] == "losses"]


def read_image(tensors, prefix):
    blocks = {parse_key_name(name[2:]): x for name, x in tensors.items() if name.startswith(prefix)}
    first, x = next(iter(blocks.items()))
    return MultiImage(blocks, x.ndim - 2 - len(first[0]) if not first[0] else x.shape[-1])


@pytest.mark.golden
@pytest.mark.parametrize("case", golden_cases())
def test_golden_losses(case):
    tensors = load_file(GOLDEN / f"{case}.safetensors")
    x, y = read_image(tensors, "x/"), read_image(tensors, "y/")
    for name in NAMES:
        loss = compiled(getattr(ml, name))
        np.testing.assert_allclose(loss(x, y), tensors[name][0], rtol=1e-6)
        # control: the losses are relative to the target, or the images differ in one value
        assert abs(float(loss(x * 1.01, y)) / tensors[name][0] - 1) > 1e-4
    assert len([name for name in tensors if "/" not in name]) == len(NAMES)


def example():
    """Two samples of two scalars and a vector on two pixels."""
    target = MultiImage(
        {
            SCALAR: jnp.array([[[3.0, 4.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]]),
            VECTOR: jnp.array([[[[2.0], [1.0]]], [[[1.0], [1.0]]]]),
        },
        1,
    )
    error = MultiImage(
        {
            SCALAR: jnp.array([[[1.0, 0.0], [0.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]]),
            VECTOR: jnp.array([[[[1.0], [2.0]]], [[[0.0], [0.0]]]]),
        },
        1,
    )
    return target + error, target


def test_losses_by_hand():
    x, y = example()
    np.testing.assert_allclose(compiled(ml.smse_loss, None)(x, y), [(1 + 0 + 0 + 4 + 1 + 4) / 2, 0])
    np.testing.assert_allclose(compiled(ml.smse_loss)(x, y), 2.5)
    np.testing.assert_allclose(
        compiled(ml.normalized_smse_loss, None)(x, y), [(1 / 9 + 1 + 1 / 4 + 4) / 2, 0], rtol=1e-4
    )
    np.testing.assert_allclose(
        compiled(ml.nrmse_loss, None)(x, y), [(1 / 5 + 1 + np.sqrt(5 / 5)) / 3, 0], rtol=1e-6
    )
    np.testing.assert_allclose(
        compiled(ml.nrmse_per_pixel_loss, None)(x, y), [(1 / 3 + 0 + 0 + 1 + 1 / 2 + 2) / 6, 0], rtol=1e-6
    )


@pytest.mark.parametrize("name", NAMES)
def test_reduce_none_is_one_value_per_sample_and_mean_is_their_mean(name):
    x, y = example()
    values = compiled(getattr(ml, name), reduce=None)(x, y)
    assert values.shape == (2,)
    np.testing.assert_allclose(compiled(getattr(ml, name))(x, y), values.mean(), rtol=1e-6)
    with pytest.raises(ArgumentError, match="reduce: got 'sum'"):
        getattr(ml, name)(x, y, reduce="sum")


@pytest.mark.parametrize("name", NAMES)
def test_gradient_of_a_perfect_prediction_is_finite(name):
    _, y = example()
    gradient = jax.jit(jax.grad(getattr(ml, name)))(y, y)
    assert all(np.isfinite(block).all() for block in gradient.values())


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("name", NAMES)
def test_a_prediction_that_blew_up_has_no_small_error(name, wrong):
    x, y = example()
    broken = MultiImage({SCALAR: x[SCALAR].at[0, 0, 0].set(wrong), VECTOR: x[VECTOR]}, 1)
    first, second = np.asarray(compiled(getattr(ml, name), reduce=None)(broken, y))
    assert not np.isfinite(first) and second == 0


RELATIVE = ["nrmse_loss", "nrmse_per_pixel_loss", "l2_rel_error", "l2_per_pixel_rel_error"]


@pytest.mark.parametrize("name", RELATIVE)
def test_a_relative_error_may_have_an_eps(name):
    loss = getattr(ml, name)
    x, y = (
        MultiImage({VECTOR: jnp.array(block).reshape(1, 1, 2, 1)}, 1) for block in ([4.0, 4.0], [3.0, 4.0])
    )
    whole, percent = not name.endswith(("pixel_loss", "pixel_rel_error")), 100 if "l2" in name else 1
    # |a - b| = 1 and |b| = 5 of the whole image; 1 / 3 and 0 of its pixels
    plain, added = (1 / 5, 1 / 7) if whole else (1 / 6, 1 / 10)
    np.testing.assert_allclose(compiled(loss)(x, y), percent * plain, rtol=1e-6)
    np.testing.assert_allclose(compiled(loss, "mean", 0)(x, y), percent * plain, rtol=1e-6)
    np.testing.assert_allclose(compiled(loss, None, 2)(x, y), [percent * added], rtol=1e-6)


@pytest.mark.parametrize("eps", [0, 0.5])
@pytest.mark.parametrize("name", RELATIVE)
def test_a_zero_target_with_zero_error_counts_as_nothing(name, eps):
    loss = compiled(getattr(ml, name), eps=eps)
    zero = MultiImage({SCALAR: np.zeros((1, 1, 2), np.float32)}, 1)
    assert float(loss(zero, zero)) == 0
    gradients = jax.jit(jax.grad(loss, argnums=(0, 1)))(zero, zero)
    assert all(not np.any(block) for image in gradients for block in image.values())
    # control: an error there is infinite, or as large as eps lets it
    wrong = float(loss(MultiImage({SCALAR: np.ones((1, 1, 2), np.float32)}, 1), zero))
    assert wrong == np.inf if not eps else 1 < wrong < np.inf


def test_the_error_of_each_time_step():
    x, y = (
        np.random.default_rng(seed).standard_normal((2, 6, 5)).astype(np.float32) for seed in (0, 1)
    )  # two fields of three steps, time fastest
    v, w = (np.random.default_rng(seed).standard_normal((2, 3, 5, 1)).astype(np.float32) for seed in (2, 3))
    X, Y = MultiImage({SCALAR: x, VECTOR: v}, 1), MultiImage({SCALAR: y, VECTOR: w}, 1)
    scalars, vectors = (x - y) ** 2, (v - w)[..., 0] ** 2
    by_hand = np.stack(
        [(scalars[:, t] + scalars[:, 3 + t] + vectors[:, t]).mean(axis=-1) for t in range(3)], axis=1
    )
    np.testing.assert_allclose(ml.timestep_smse_loss(X, Y, 3, None), by_hand, rtol=1e-5)
    np.testing.assert_allclose(ml.timestep_smse_loss(X, Y, 3), by_hand.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(ml.timestep_smse_loss(X, Y, 3).sum(), ml.smse_loss(X, Y), rtol=1e-5)
    np.testing.assert_allclose(ml.timestep_smse_loss(X, Y, 1), [ml.smse_loss(X, Y)], rtol=1e-5)
    # control: fields fastest
    other = np.stack([scalars[:, 2 * t] + scalars[:, 2 * t + 1] + vectors[:, t] for t in range(3)], axis=1)
    assert abs(other.mean(axis=-1) - by_hand).max() > 0.1
    for wrong in (2, 0, -3):
        with pytest.raises(ArgumentError, match=f"n_steps: got {wrong}, expected a divisor of the"):
            ml.timestep_smse_loss(X, Y, wrong)


def test_blocks_are_paired_by_key_not_by_position():
    x, y = example()
    reordered = MultiImage({VECTOR: y[VECTOR], SCALAR: y[SCALAR]}, 1)
    np.testing.assert_array_equal(ml.smse_loss(x, reordered), ml.smse_loss(x, y))


def test_images_that_do_not_match_are_refused():
    x, y = example()
    with pytest.raises(ArgumentError, match="keys of the prediction"):
        ml.smse_loss(MultiImage({SCALAR: x[SCALAR]}, 1), y)
    # One channel against two would broadcast.
    with pytest.raises(ArgumentError, match="shape of block"):
        ml.smse_loss(MultiImage({SCALAR: x[SCALAR][:, :1], VECTOR: x[VECTOR]}, 1), y)
    single = MultiImage({SCALAR: y[SCALAR][0], VECTOR: y[VECTOR][0]}, 1)
    with pytest.raises(ArgumentError, match=r"axes of block.*batch axis"):
        ml.smse_loss(single, single)


def test_losses_take_images_that_come_out_of_vmap():
    x, y = example()
    np.testing.assert_allclose(ml.smse_loss(jax.vmap(lambda image: image * 2.0)(x), y * 2.0), 10)


@pytest.mark.parametrize("name", NAMES)
def test_a_prediction_that_is_no_number_has_no_error_of_zero(name):
    target = MultiImage({SCALAR: jnp.ones((2, 1, 4))}, 1)
    lost = MultiImage({SCALAR: jnp.ones((2, 1, 4)).at[0, 0, 1].set(jnp.nan)}, 1)
    found = np.asarray(compiled(getattr(ml, name), reduce=None)(lost, target))
    assert np.isnan(found[0]) and found[1] == 0  # only the sample that holds it
