import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SV, S, bank, random_field, randomised
from small_models import run

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.geometric import MultiImage, Signature
from ginjax.layers import ConvContract, LayerWrapper, VectorNeuronNonlinear
from ginjax.models import ACTIVATION_REGISTRY, ConvBlock, UNet, handle_activation, make_conv, save_model
from ginjax.models.blocks._activation import activation_name
from ginjax.models.blocks._make_conv import RepeatConv

SCALAR = ((), 0)
WIDE = Signature([((0, 0), 2), ((1, 0), 2)])
C2 = Signature([((0, 0), 2)])


@pytest.mark.parametrize("first", [True, False])
def test_order_of_the_parts(first):
    block = randomised(
        ConvBlock(1, SV, WIDE, conv_filters=bank(1), use_group_norm=True, preactivation_order=first)
    )
    # Norm and nonlinearity act on the input's fields or on the output's.
    assert block.group_norm.input_keys == block.nonlinearity.input_keys == (SV if first else WIDE)

    class ByHand(eqx.Module):
        block: ConvBlock

        def __call__(self, x):
            b = self.block
            y = b.conv(b.nonlinearity(b.group_norm(x))) if first else b.nonlinearity(b.group_norm(b.conv(x)))
            return y, None

    x = random_field(SV, 1, 4)
    wanted = run(ByHand(block), x)
    assert wanted.get_signature() == WIDE
    assert run(block, x) == wanted


def test_parts_are_left_out_on_request():
    block = ConvBlock(1, S, S, activation_f=None, conv_filters=bank(1))
    assert block.group_norm is None and block.batch_norm is None
    x = random_field(S, 1, 4)
    assert run(block, x) == block.conv(x)


def test_group_norm_wins_and_only_plain_blocks_have_batch_norm():
    plain = {"equivariant": False, "kernel_size": 3}
    both = ConvBlock(1, C2, C2, use_group_norm=True, use_batch_norm=True, **plain)
    assert both.batch_norm is None and both.group_norm is not None
    assert ConvBlock(1, C2, C2, use_batch_norm=True, **plain).batch_norm is not None
    equivariant = ConvBlock(1, C2, C2, use_batch_norm=True, conv_filters=bank(1))
    assert equivariant.batch_norm is None and equivariant.group_norm is None


def test_options_of_the_convolution_pass_through():
    block = ConvBlock(1, S, S, conv_filters=bank(1), rhs_dilation=4, stride=2)
    assert (block.conv.rhs_dilation, block.conv.stride) == (4, 2)


# --- batch norm ------------------------------------------------------------------------------------------------------


def over_batches(model, x, state):
    """As in training: devices outside, samples inside; both axes have the names the norm asks for."""

    def both(model, x, state):
        inner = jax.vmap(model, axis_name="batch", in_axes=(0, None), out_axes=(0, None))
        outer = jax.vmap(inner, axis_name="pmap_batch", in_axes=(0, None), out_axes=(0, None))
        return outer(x, state)

    return eqx.filter_jit(both)(model, x, state)


def fields_in_batches() -> MultiImage:
    x = np.random.default_rng(0).normal(3, 2, (2, 3, 2, 4)).astype(np.float32)
    return MultiImage({SCALAR: jnp.asarray(x)}, 1)


def test_batch_norm_takes_statistics_over_both_axes():
    make = eqx.nn.make_with_state(ConvBlock)
    options = {"equivariant": False, "kernel_size": 3, "use_batch_norm": True, "activation_f": None}
    block, state = make(1, C2, C2, key=jax.random.key(0), **options)
    y, new_state = over_batches(block, fields_in_batches(), state)
    values = np.asarray(y[SCALAR])
    np.testing.assert_allclose(values.mean(axis=(0, 1, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(values.std(axis=(0, 1, 3)), 1, atol=1e-3)
    assert np.abs(values.mean(axis=(1, 3))).max() > 1e-2  # one device alone is not centred
    # At inference the running statistics are used, and no axis name is needed.
    x = fields_in_batches().get_one(0, keepdims=False).get_one(0, keepdims=False)
    z, _ = eqx.nn.inference_mode(block)(x, new_state)
    assert np.isfinite(z[SCALAR]).all()


def test_a_plain_unet_carries_the_state_of_its_batch_norms():
    model, state = eqx.nn.make_with_state(UNet)(
        1, C2, C2, 2, 1, 1, equivariant=False, kernel_size=3, use_batch_norm=True, key=jax.random.key(0)
    )
    y, new_state = over_batches(model, fields_in_batches(), state)
    assert y[SCALAR].shape == (2, 3, 2, 4)
    assert not eqx.tree_equal(state, new_state)


def test_running_statistics_are_not_lost_in_a_file_without_a_word(tmp_path):
    options = {"equivariant": False, "kernel_size": 3, "use_batch_norm": True}
    model, _ = eqx.nn.make_with_state(UNet)(1, C2, C2, 2, 1, 1, **options)
    with pytest.raises(UnsupportedError, match="a model with batch norm in a file"):
        save_model(tmp_path / "model.safetensors", model)
    assert not list(tmp_path.iterdir())
    save_model(tmp_path / "model.safetensors", UNet(1, C2, C2, 2, 1, 1, use_group_norm=True, **options))


# --- activations -----------------------------------------------------------------------------------------------------


def test_no_activation_is_the_identity():
    x = random_field(SV, 2, 4)
    for equivariant in (True, False):
        assert handle_activation(None, equivariant, SV, 2, None)(x) is x


def test_equivariant_activations_are_vector_neurons():
    key = jax.random.key(0)
    assert isinstance(handle_activation("relu", True, SV, 2, key), VectorNeuronNonlinear)
    plain = handle_activation(jnp.abs, False, S, 2, None)
    assert isinstance(plain, LayerWrapper)
    x = random_field(S, 2, 4)
    np.testing.assert_array_equal(plain(x)[SCALAR], jnp.abs(x[SCALAR]))


@pytest.mark.parametrize("name", ACTIVATION_REGISTRY)
def test_the_registry_goes_both_ways(name):
    assert activation_name(name) == activation_name(ACTIVATION_REGISTRY[name]) == name
    x = jnp.linspace(-2, 2, 5)
    assert np.isfinite(ACTIVATION_REGISTRY[name](x)).all()


def test_gelu_is_the_tanh_form():
    x = np.linspace(-3, 3, 7)
    expected = x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    np.testing.assert_allclose(ACTIVATION_REGISTRY["gelu"](x), expected, atol=1e-6)


def test_unknown_activations_are_refused():
    for activation in ("swoosh", 3):
        with pytest.raises(ArgumentError, match="activation: got"):
            handle_activation(activation, True, S, 2, None)
    assert activation_name(jnp.cbrt) is jnp.cbrt


# --- one convolution -------------------------------------------------------------------------------------------------


def test_make_conv_makes_both_kinds():
    assert isinstance(make_conv(2, S, S, "auto", True, bank(2)), ConvContract)
    plain = make_conv(2, C2, S, True, False, None, 3, padding_mode="CIRCULAR")
    conv = plain.modules[SCALAR]
    assert conv.weight.shape == (1, 2, 3, 3) and conv.use_bias
    assert not make_conv(2, C2, S, False, False, None, 3).modules[SCALAR].use_bias
    up = make_conv(2, C2, S, True, False, None, 2, lhs_dilation=(2, 2))
    x = random_field(C2, 2, 3)
    assert up(x).get_spatial_dims() == (6, 6)
    assert plain(x).get_spatial_dims() == (3, 3)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((S, S, "auto", True), "invariant_filters: expected filters"),
        ((SV, S, True, False, None, 3), "signature of a plain convolution.*even scalars only"),
        ((S, S, True, False), "kernel_size: expected a side length"),
    ],
)
def test_what_a_convolution_needs(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        make_conv(2, *arguments)


def test_repetition_comes_before_the_convolution():
    conv = ConvContract(S, S, bank(1), key=jax.random.key(1))
    x = MultiImage({SCALAR: jnp.asarray([[1.0, 2.0]])}, 1, (False,))
    repeated = MultiImage({SCALAR: jnp.asarray([[1.0, 1.0, 2.0, 2.0]])}, 1, (False,))
    assert RepeatConv(conv, 2)(x) == conv(repeated)
