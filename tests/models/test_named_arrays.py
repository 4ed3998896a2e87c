import equinox as eqx
import jax
import numpy as np
import pytest
from helpers import FULL2, FULL3, SV, S, bank
from small_models import ARCHITECTURES, small_model

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.layers import ConvContract
from ginjax.models import ResNet, layer_table, model_banks, named_arrays, with_arrays
from ginjax.models._named_arrays import _settings

SV_ROWS = ((0, 0, 1), (1, 0, 1))
MIDDLE = ((0, 0, 2), (1, 0, 2))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_round_trip(name):
    model, other = small_model(name, 2, SV), small_model(name, 2, SV, seed=1)
    arrays = named_arrays(model)
    assert list(arrays) == sorted(arrays)
    assert sum(a.size for a in arrays.values()) == sum(
        a.size for a in jax.tree.leaves(model) if eqx.is_array(a)
    )
    assert not eqx.tree_equal(model, other)
    assert eqx.tree_equal(with_arrays(other, arrays), model)


def test_names_say_where_an_array_is():
    arrays = named_arrays(small_model("ResNet", 2, SV))
    shapes = {name: array.shape for name, array in arrays.items()}
    assert shapes["blocks.0.1.conv.weight.k0p0->k1p0"] == (2, 2, len(bank(2).blocks[1, 0]))
    assert shapes["encoder.0.conv.weight.k1p0->k1p0"] == (2, 1, len(bank(2).blocks[2, 0]))
    assert shapes["blocks.0.1.conv.bias.k1p0"] == (2,)
    assert shapes["blocks.0.1.group_norm.scale.k1p0"] == (2,)
    assert shapes["blocks.0.1.group_norm.vanilla_norm.k0p0.weight"] == (2,)
    assert shapes["blocks.0.0.nonlinearity.weights.k1p0"] == (2, 2)
    plain = ResNet(1, S, S, 2, 1, equivariant=False, kernel_size=3)
    assert named_arrays(plain)["blocks.0.0.conv.modules.k0p0.weight"].shape == (2, 2, 3)


def test_dtypes_are_kept(x64):
    model = small_model("SimpleConvSeries", 1, S)
    arrays = {name: array.astype(np.float64) for name, array in named_arrays(model).items()}
    assert all(a.dtype == np.float64 for a in named_arrays(with_arrays(model, arrays)).values())


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda a: a.pop("layers.0.conv.bias.k0p0"), r"1 missing \(layers.0.conv.bias.k0p0\), 0 not known"),
        (lambda a: a.update(extra=np.zeros(1)), r"0 missing \(\), 1 not known \(extra\)"),
        (
            lambda a: a.update({"layers.0.conv.bias.k0p0": np.zeros(3)}),
            r"array 'layers.0.conv.bias.k0p0': got \(3,\), expected \(2,\)",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_named(change, message):
    model = small_model("SimpleConvSeries", 1, S)
    arrays = named_arrays(model)
    change(arrays)
    with pytest.raises(ArgumentError, match=message):
        with_arrays(model, arrays)


def test_layer_table_of_a_unet():
    rows = {row.name: row for row in layer_table(small_model("UNet transpose", 2, SV))}
    doubled = tuple((k, p, 2 * c) for k, p, c in MIDDLE)
    found = {name: (row.role, row.inputs, row.outputs, row.input_dilation) for name, row in rows.items()}
    assert found == {
        "embedding.0.conv": ("conv", SV_ROWS, MIDDLE, 1),
        "downsample_blocks.0.1.0.conv": ("conv", MIDDLE, doubled, 1),
        "upsample_blocks.0.0": ("upsample", doubled, MIDDLE, 2),
        "upsample_blocks.0.1.0.conv": ("conv", doubled, MIDDLE, 1),
        "decode": ("conv", MIDDLE, SV_ROWS, 1),
    }
    assert all(row.stride == row.filter_dilation == 1 for row in rows.values())


def test_layer_table_of_a_dilated_network():
    rows = {row.name: row for row in layer_table(small_model("DilResNet", 1, S))}
    dilations = [rows[f"blocks.0.{i}.conv"].filter_dilation for i in range(7)]
    assert dilations == [1, 2, 4, 8, 4, 2, 1]


def test_banks_by_role():
    assert model_banks(small_model("UNet transpose", 2, SV)) == {"conv": bank(2), "upsample": bank(2, FULL2)}
    assert model_banks(small_model("UNet repeat", 2, SV)) == {"conv": bank(2)}
    assert model_banks(ResNet(1, S, S, 2, 1, equivariant=False, kernel_size=3)) == {}


class Two(eqx.Module):
    first: ConvContract
    second: ConvContract


def test_what_a_layer_table_cannot_say_is_refused():
    uneven = Two(ConvContract(S, S, bank(2), stride=(1, 2)), ConvContract(S, S, bank(2)))
    with pytest.raises(UnsupportedError, match=r"stride of first: got \(1, 2\)"):
        layer_table(uneven)
    different = Two(ConvContract(S, S, bank(2)), ConvContract(S, S, bank(2, FULL2)))
    with pytest.raises(UnsupportedError, match="several filter banks"):
        layer_table(different)
    assert FULL2 != FULL3


@pytest.mark.parametrize(
    ("stride", "padding", "said"),
    [
        (1, "SAME", (1, None)),
        (1, 1, (1, None)),
        (1, "VALID", (1, (0, 0))),
        (2, "SAME", (2, None)),
        (2, 1, (2, (1, 1))),
        (2, ((1, 2), (1, 2)), (2, (1, 2))),
    ],
)
def test_the_table_of_plain_layers_says_strides_and_paddings(stride, padding, said):
    conv = eqx.nn.Conv(2, 1, 1, 3, stride, padding, key=jax.random.key(0))
    found = _settings("conv", conv)
    assert (found["stride"], found["padding"]) == said
    assert _settings("conv", conv, padded_before=True)["padding"] is None


def test_plain_layers_have_to_be_alike_along_all_axes():
    for stride, padding in (((1, 2), "SAME"), (1, ((0, 0), (1, 1))), (2, "SAME_LOWER")):
        with pytest.raises(UnsupportedError):
            _settings("conv", eqx.nn.Conv(2, 1, 1, 3, stride, padding, key=jax.random.key(0)))
