"""Networks with products: exact under conversion in every architecture, and files that say so."""

import numpy as np
import pytest
from drawn_records import drawn_record

from ginjax.checkpoint import convert_record, read_model, write_model
from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe
from ginjax.geometric import Signature
from ginjax.models import (
    ConvBlock,
    ModelDesign,
    Network,
    ResNet,
    from_record,
    model_banks,
    named_arrays,
    to_dimension,
    to_record,
    verify_records,
)
from ginjax.transfer import condition_residual

pytestmark = pytest.mark.gpu

S, V, PS = ((), 0), ((False,), 0), ((), 1)
ARCHITECTURES = ("ResNet", "DilResNet", "UNet", "SimpleConvSeries")


def design(architecture="SimpleConvSeries", signature=((S, 1), (V, 1)), **changed):
    said = {
        "channels": 2,
        "blocks": 2 if architecture == "SimpleConvSeries" else 1,
        "levels": 1,
        "nonlinearity": "product",
    } | changed
    return ModelDesign(architecture, Signature(signature), Signature(signature), **said)


def record(D=2, **said):
    made = design(**said)
    return drawn_record(made.spec(), D, banks=made.banks(D))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    "recipe", [BankRecipe(3), BankRecipe(3, support="orthoplex"), BankRecipe(5)], ids=str
)
def test_every_path_converts_exactly_and_comes_back(architecture, recipe):
    low = record(architecture=architecture, recipe=recipe, signature=((V, 1),))
    up = convert_record(low, 3, "compatibility")
    assert up.certificate.exact and up.certificate.residual < 1e-6
    assert any(layer.role == "product" for layer in low.layers)
    assert not any(k > 1 for layer in low.layers for k, _, _ in layer.outputs)
    down = convert_record(up.after, 2, "compatibility")
    assert max(np.abs(down.after.arrays[name] - low.arrays[name]).max() for name in low.arrays) < 1e-5
    assert residual(low, up.after, up.after.arrays) < 1e-6
    broken = dict(up.after.arrays)
    name = next(n for n in broken if "product_conv.weight.k2p0->k1p0" in n)
    broken[name] = 1.1 * broken[name]
    assert residual(low, up.after, broken) > 1e-3  # control: a filter of the products changed


def residual(low, high, arrays):
    return condition_residual((low.arrays, low.layers, low.banks), (arrays, high.layers, high.banks))


def test_a_network_runs_as_its_certificate_says():
    low = record(blocks=2)
    found = verify_records(low, convert_record(low, 3, "compatibility").after, side=4)
    assert found.lifts and found.is_equivariant
    # control: the volume rule keeps sizes, not what the network computes
    assert not verify_records(low, convert_record(low, 3, "volume").after, side=4).lifts


def test_the_parity_lift_of_products():
    low = record(signature=((S, 1), (PS, 1)), blocks=2)
    up = convert_record(low, 3, "compatibility", parity_lift=True)
    assert up.certificate.exact
    assert verify_records(low, up.after, side=4).lift_float64 < 1e-5


def test_files_bring_it_back_and_networks_without_products_say_nothing_of_them(tmp_path):
    model = design(blocks=2).build(1)
    assert set(model_banks(model)) == {"conv", "product"}
    write_model(tmp_path / "m", to_record(model))
    back = from_record(read_model(tmp_path / "m"))
    arrays = named_arrays(model)
    assert all(np.array_equal(arrays[name], value) for name, value in named_arrays(back).items())
    assert model.spec.option("nonlinearity") == "product"
    plain = design(nonlinearity="vector-neuron")
    assert "nonlinearity" not in dict(plain.build(1).spec.options)
    high, certificate = to_dimension(model, 2, "compatibility")
    assert certificate.exact and high.D == 2


def test_filters_for_products_are_made_beside_the_others():
    filters = design("ResNet").banks(2)
    arguments = {"depth": 2, "num_blocks": 1, "activation_f": "tanh", "nonlinearity": "product"}
    signature = Signature([(V, 1)])
    given = ResNet(
        2, signature, signature, conv_filters=filters["conv"], product_filters=filters["product"], **arguments
    )
    made = ResNet(2, signature, signature, conv_filters=filters["conv"], **arguments)
    assert given.blocks[0][0].product_conv.bank == made.blocks[0][0].product_conv.bank
    high = made.convertD(design("ResNet").banks(3)["conv"], "compatibility")
    assert high.D == 3 and set(model_banks(high)) == {"conv", "product"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"nonlinearity": "cubic"}, "nonlinearity: got 'cubic', expected vector-neuron or product"),
        ({"activation": None}, "nonlinearity: got 'product' without an activation"),
        ({"plain": True, "architecture": "ResNet"}, "nonlinearity: got 'product' in a plain network"),
    ],
)
def test_what_cannot_be_is_refused(said, words):
    with pytest.raises(ArgumentError, match=words):
        design(**said).build(1)


def test_a_block_by_itself_knows_its_nonlinearities():
    with pytest.raises(ArgumentError, match="nonlinearity: got 'cubic'"):
        ConvBlock(2, [(V, 1)], [(V, 1)], conv_filters=design().banks(2)["conv"], nonlinearity="cubic")


def test_the_words_of_the_command_line():
    made = Network("series", nonlinearity="product", channels=2, blocks=1)
    assert made.design([], []).nonlinearity == "product"
    with pytest.raises(ArgumentError, match="nonlinearity"):
        Network("series", nonlinearity="cubic").design([], []).spec()
