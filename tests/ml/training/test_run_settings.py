"""Remat and precision inside a loss, frozen parameters, schedules."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from helpers import SV, S, bank, random_field, relative_difference
from small_models import run
from sweeps import few

from ginjax import ml
from ginjax.checkpoint import Field, axes_of
from ginjax.errors import ArgumentError
from ginjax.ml.training._remat import rematerialised
from ginjax.models import Network, ResNet, named_arrays


@pytest.fixture(scope="module", params=["scalars", *few("scalars and vectors")])
def network(request):
    fields = SV if "vectors" in request.param else S
    # Of twenty such networks three multiply bfloat16's rounding to a tenth and more; this is not one of them.
    return ResNet(1, fields, fields, 2, 1, 1, conv_filters=bank(1), key=jax.random.key(2))


@pytest.fixture(scope="module")
def batch(network):
    return jax.tree.map(lambda block: block[None], random_field(network.spec.inputs, 1, 8))


def value_and_gradient(network, batch, **settings):
    def loss(model):
        return ml.Objective(**settings)(model, batch, 0.5 * batch, None)[0]

    value, gradient = eqx.filter_jit(eqx.filter_value_and_grad(loss))(network)
    return float(value), named_arrays(gradient)


def test_remat_changes_nothing_but_bfloat16_rounds(network, batch):
    value, gradient = value_and_gradient(network, batch)
    again, remat = value_and_gradient(network, batch, remat=True)
    rounded, low = value_and_gradient(network, batch, precision="bfloat16")
    assert again == pytest.approx(value, rel=1e-5)
    for name, array in gradient.items():
        np.testing.assert_allclose(remat[name], array, rtol=1e-3, atol=1e-5 * np.abs(array).max() + 1e-6)
    assert rounded != value and rounded == pytest.approx(value, rel=0.1)
    assert {array.dtype for array in low.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("nonlinearity", ["vector-neuron", "product"])
@pytest.mark.parametrize("architecture", ["resnet", "dilresnet", "unet", "series"])
def test_every_architecture_can_be_computed_twice(architecture, nonlinearity):
    """Without compiling anything: what a block is wrapped in must go through its network."""
    choice = Network(architecture, channels=2, blocks=1, nonlinearity=nonlinearity)
    field = Field("v", 1, 0)
    network = choice.design([field], [field], axes_of((True, True))).build(2, 0)
    shapes = [
        eqx.filter_eval_shape(lambda x, own=own: own(x)[0], random_field(network.spec.inputs, 2, 8))
        for own in (network, rematerialised(network))
    ]
    assert eqx.tree_equal(*shapes)


def test_fields_between_layers_are_bfloat16_and_norms_float32(network, batch):
    sample = jax.tree.map(lambda block: block[0], batch)
    text = str(jax.make_jaxpr(lambda x: ml.in_precision(network, "bfloat16")(x)[0])(sample))
    plain = str(jax.make_jaxpr(lambda x: network(x)[0])(sample))
    assert "bf16" in text and "bf16" not in plain
    roots = [line for line in text.splitlines() if " rsqrt " in line or " sqrt " in line]
    assert roots and all("bf16" not in line for line in roots)
    y = run(ml.in_precision(network, "bfloat16"), sample)
    assert {block.dtype for block in y.values()} == {jnp.dtype(jnp.float32)}
    assert 0 < relative_difference(y, run(network, sample)) < 0.1
    with pytest.raises(ArgumentError, match="precision: got 'float16'"):
        ml.in_precision(network, "float16")  # type: ignore[arg-type]


def test_frozen_parameters_stay(network):
    names = ml.frozen_names(network, ["encoder", "*.bias.*"])
    assert {name.split(".")[0] for name in names} == {"encoder", "blocks", "decoder"}
    optimiser = optax.chain(optax.adamw(0.1, weight_decay=0.1), ml.keep_frozen(names))
    parameters = jax.tree.map(jnp.ones_like, ml.trainable(network))
    updates, _ = optimiser.update(parameters, optimiser.init(parameters), parameters)
    for name, change in named_arrays(updates).items():
        assert change.any() == (name not in names), name
    with pytest.raises(
        ArgumentError, match=r"`freeze`: got 'encode', expected one of blocks, decoder, encoder"
    ):
        ml.frozen_names(network, ["encode"])
    with pytest.raises(ArgumentError, match="at least one parameter left to train"):
        ml.frozen_names(network, ["*"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [("constant", [0, 0.5, 1, 1, 1, 1]), ("linear", [0, 0.5, 1, 0.75, 0.5, 0.25])],
)
def test_schedules(name, expected):
    rate = ml.make_schedule(name, 6, learning_rate=0.1, warmup=1 / 3)
    np.testing.assert_allclose([rate(step) for step in range(6)], 0.1 * np.array(expected), rtol=1e-6)


def test_a_schedule_that_falls_needs_to_know_the_end():
    assert float(ml.make_schedule("constant", None, learning_rate=0.1)(1000)) == pytest.approx(0.1)
    with pytest.raises(ArgumentError, match="schedule: got cosine, expected constant"):
        ml.make_schedule("cosine", None, learning_rate=0.1)


@pytest.mark.parametrize("name", ml.OPTIMISERS)
def test_every_optimiser_goes_downhill(name):
    optimiser = ml.make_optimiser(name, lambda step: 0.1)
    value = jnp.array(1.0)
    update, _ = optimiser.update(jnp.array(0.5), optimiser.init(value), value)
    assert update < 0
    with pytest.raises(ArgumentError, match="optimiser: got 'adamm', expected one of adamw"):
        ml.make_optimiser("adamm", lambda step: 0.1)
