"""What the architectures are made of, and what they refuse."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import FULL2, SV, S, V, bank, embed, random_field
from small_models import ARCHITECTURES, SIDE, run, small_model

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.geometric import MultiImage, Signature
from ginjax.models import (
    ConvBlock,
    DilResNet,
    ResNet,
    SimpleConvSeries,
    UNet,
    count_params,
    get_filter_sum,
    get_scaled_filters,
)

SCALAR, VECTOR = ((), 0), ((False,), 0)


def shape_of(model, x) -> MultiImage:
    return eqx.filter_eval_shape(lambda m, x: m(x)[0], model, x)


# --- frames ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_a_series_of_any_depth(depth):
    model = eqx.filter_eval_shape(SimpleConvSeries, S, V, bank(2), 3, depth, "auto", "relu")
    assert [layer.conv.target_keys for layer in model.layers[:-1]] == [
        Signature([((0, 0), 3), ((1, 0), 3)])
    ] * (depth - 1)
    assert len(model.layers) == depth
    assert isinstance(model.layers[-1].nonlinearity, eqx.nn.Identity)
    y = shape_of(model, random_field(S, 2, 4))
    assert y.get_signature() == V and y.get_spatial_dims() == (4, 4)


def test_a_deep_series_runs():
    model = SimpleConvSeries(S, S, bank(1), 2, 4, "auto", jax.nn.gelu, jax.random.key(0))
    y = run(model, random_field(S, 1, 4))
    assert np.isfinite(y[SCALAR]).all() and np.abs(y[SCALAR]).max() > 0


@pytest.mark.parametrize("architecture", [ResNet, DilResNet])
def test_residual_frame(architecture):
    model = eqx.filter_eval_shape(architecture, 2, S, V, 3, 2, conv_filters=bank(2))
    assert (len(model.encoder), len(model.blocks), len(model.decoder)) == (2, 2, 2)
    assert len(model.blocks[0]) == (2 if architecture is ResNet else 7)
    framing = [*model.encoder, *model.decoder]
    assert all(b.group_norm is None and not b.preactivation_order for b in framing)
    inner = model.blocks[0][0]
    assert (inner.group_norm is not None, inner.preactivation_order) == ((architecture is ResNet,) * 2)
    assert isinstance(model.decoder[-1].nonlinearity, eqx.nn.Identity)
    assert model.encoder[0].conv.target_keys == Signature([((0, 0), 3), ((1, 0), 3)])
    plain = eqx.filter_eval_shape(architecture, 2, SV, SV, 3, 1, equivariant=False, kernel_size=3)
    kernels = [b.conv.modules[SCALAR].weight.shape[2:] for b in (plain.encoder[0], plain.blocks[0][0])]
    assert kernels == [(1, 1), (3, 3)]
    assert shape_of(plain, random_field(SV, 2, 4)).get_signature() == SV


def test_blocks_add_to_what_they_get():
    model = small_model("ResNet", 1, S)
    zeros = jax.tree.map(lambda a: jnp.zeros_like(a) if eqx.is_array(a) else a, model.blocks)
    silent = eqx.tree_at(lambda m: m.blocks, model, zeros)

    class Frame(eqx.Module):
        model: ResNet

        def __call__(self, x):
            for block in (*self.model.encoder, *self.model.decoder):
                x, _ = block(x)
            return x, None

    x = random_field(S, 1, SIDE)
    assert run(silent, x) == run(Frame(silent), x)
    assert run(model, x) != run(silent, x)


def test_unet_levels():
    model = eqx.filter_eval_shape(
        UNet, 2, S, S, 3, num_downsamples=2, num_conv=2, conv_filters=bank(2), upsample_filters=bank(2, FULL2)
    )
    down = [[b.conv.target_keys[0][1] for b in blocks] for _, blocks in model.downsample_blocks]
    assert down == [[6, 6], [12, 12]]
    up = [
        (conv.target_keys[0][1], [b.conv.input_keys[0][1] for b in blocks])
        for conv, blocks in model.upsample_blocks
    ]
    assert up == [(6, [12, 6]), (3, [6, 3])]
    assert model.upsample_blocks[0][0].padding == ((1, 1), (1, 1))
    assert shape_of(model, random_field(S, 2, 8)).get_spatial_dims() == (8, 8)
    with pytest.raises(ArgumentError, match=r"got \(6, 6\), expected multiples of 4 for 2 down-samplings"):
        shape_of(model, random_field(S, 2, 6))


def test_the_middle_may_be_chosen():
    mid = [((0, 0), 1), ((1, 0), 2), ((0, 1), 1)]
    model = eqx.filter_eval_shape(ResNet, 2, S, S, 9, 1, mid_keys=mid, conv_filters=bank(2))
    assert model.encoder[0].conv.target_keys == Signature(mid)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_auxiliary_data_is_passed_along(name):
    model = small_model(name, 1, S)
    aux = eqx.filter_eval_shape(lambda m, x: m(x, jnp.ones(3))[1], model, random_field(S, 1, SIDE))
    assert aux.shape == (3,)


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ResNet(2, S, S, 1), "conv_filters: expected filters in dimension 2"),
        (
            lambda: ResNet(2, S, S, 1, conv_filters=bank(1)),
            "conv_filters: got dimension 1, expected dimension 2",
        ),
        (lambda: ResNet(2, S, S, 0, conv_filters=bank(2)), "depth: got 0"),
        (lambda: ResNet(2, [((0, 0), 0)], S, 1, conv_filters=bank(2)), "at least one channel"),
        (lambda: DilResNet(2, S, S, 1, num_blocks=0, conv_filters=bank(2)), "num_blocks: got 0"),
        (lambda: UNet(2, S, S, 1, conv_filters=bank(2)), "upsample_filters: expected"),
        (
            lambda: UNet(2, S, S, 1, conv_filters=bank(2, FULL2), upsample="repeat"),
            "side 2, expected an odd side",
        ),
        (lambda: UNet(2, S, S, 1, num_conv=True, conv_filters=bank(2)), "num_conv: got True"),
        (lambda: SimpleConvSeries(S, S, bank(2), 0, 1, "auto", None), "width: got 0"),
        (lambda: SimpleConvSeries(S, S, bank(2), 1, 0, "auto", None), "depth: got 0"),
    ],
)
def test_what_an_architecture_needs(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_covariant_fields_are_refused():
    with pytest.raises(UnsupportedError, match="covariant"):
        ResNet(2, [(((True,), 0), 1)], S, 1, conv_filters=bank(2))


# --- derivatives -----------------------------------------------------------------------------------------------------


def test_gradients_are_finite_where_fields_vanish():
    """Norms, whitening and directions of vectors all divide by something that is zero here."""
    model, x = small_model("ResNet", 2, SV), random_field(SV, 1, SIDE)

    def loss(both):
        model, x = both
        y, _ = model(x)
        return sum((block**2).sum() for block in y.values())

    gradient = eqx.filter_jit(eqx.filter_grad(loss))
    embedded = embed(x, (SIDE,))
    for field in (embedded, embedded * 0.0):
        leaves = jax.tree.leaves(gradient((model, field)))
        assert all(np.isfinite(leaf).all() for leaf in leaves)
    assert any(np.abs(leaf).max() > 0 for leaf in leaves)


# --- questions -------------------------------------------------------------------------------------------------------


def test_parameters_are_counted_without_filters():
    filters = bank(2)
    block = eqx.filter_eval_shape(ConvBlock, 2, S, S, conv_filters=filters)
    assert sum(leaf.size for leaf in jax.tree.leaves(block) if hasattr(leaf, "size")) == 3 + 1
    model = SimpleConvSeries(S, S, filters, 2, 1, "auto", None)
    assert count_params(model) == 3 + 1
    assert count_params(eqx.nn.Linear(3, 2, key=jax.random.key(0))) == 8


def test_scaled_filters_and_their_sums():
    filters = np.arange(2 * 9 * 2, dtype=float).reshape(2, 3, 3, 2)
    w = np.array([[[1.0, -2.0]], [[0.0, 3.0]]])
    scaled = get_scaled_filters(2, filters, w)
    assert scaled.shape == (2, 1, 2, 3, 3, 2)
    np.testing.assert_allclose(scaled[0, 0, 1], -2 * filters[1])
    summed = filters.sum(axis=(1, 2))
    expected = [[np.linalg.norm(summed[0] - 2 * summed[1])], [np.linalg.norm(3 * summed[1])]]
    np.testing.assert_allclose(get_filter_sum(2, filters, w), expected, rtol=1e-6)
