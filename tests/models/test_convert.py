"""Conversion of models in memory: the same functions as for files, however the steps are taken."""

import numpy as np
import pytest
from helpers import FULL2, FULL3, SV, S, bank
from small_models import ARCHITECTURES, convert, small_model

from ginjax.checkpoint import convert_file, read_model
from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.filters import BankRecipe
from ginjax.geometric import FilterScaling, Rescaling, get_invariant_filters, make_all_operators
from ginjax.models import (
    ResNet,
    SimpleConvSeries,
    model_banks,
    named_arrays,
    save_model,
    transfer_certified,
)


def largest_gap(a, b) -> float:
    a, b = named_arrays(a), named_arrays(b)
    assert a.keys() == b.keys()
    return max(float(np.abs(a[name] - b[name]).max(initial=0)) for name in a)


def orthoplex_arrays(D: int):
    """Filters as a script makes them. In one dimension they are those of several recipes."""
    return get_invariant_filters(
        [5],
        [0],
        [0],
        D,
        make_all_operators(D),
        FilterScaling.ONE,
        max_pixel_l1=2,
        combine_equal_l1=True,
    )


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_two_steps_are_one(x64, name):
    low = small_model(name, 1, SV, dtype=np.float64)
    assert largest_gap(convert(convert(low, 2), 3), convert(low, 3)) < 1e-12


@pytest.mark.parametrize("rule", ["compatibility", "volume", "none"])
def test_two_steps_are_one_where_low_dimensions_leave_the_recipe_open(x64, rule):
    low = SimpleConvSeries(S, S, orthoplex_arrays(1), 2, 1, "auto", None)
    assert model_banks(low)["conv"].recipe == BankRecipe(5)  # the first that fits
    at_once = low.convertD(orthoplex_arrays(3), rule)
    steps = low.convertD(orthoplex_arrays(2), rule).convertD(orthoplex_arrays(3), rule)
    assert largest_gap(at_once, steps) < 1e-12
    assert model_banks(at_once)["conv"].recipe.support == "summed"
    # Taken for what it looks like in one dimension, it would become something else.
    assert len(bank(3, BankRecipe(5)).blocks[0, 0]) > len(model_banks(at_once)["conv"].blocks[0, 0])


@pytest.mark.parametrize("rule", ["compatibility", "volume", "none"])
def test_equal_to_the_last_bit_with_the_conversion_of_a_file(tmp_path, rule):
    low = small_model("UNet repeat", 1, SV)
    save_model(tmp_path / "low.safetensors", low)
    convert_file(tmp_path / "low.safetensors", tmp_path / "high.safetensors", 3, rule)
    in_file = read_model(tmp_path / "high.safetensors").arrays
    in_memory = named_arrays(convert(low, 3, rule))
    assert set(in_file) == set(in_memory)
    for name, array in in_memory.items():
        np.testing.assert_array_equal(in_file[name], array)


def test_rules_by_enum_and_by_name():
    low = small_model("SimpleConvSeries", 1, SV)
    for rule in Rescaling:
        if rule is not Rescaling.COMPATIBILITY_NORM:
            assert largest_gap(convert(low, 2, rule), convert(low, 2, rule.value)) == 0
    assert largest_gap(convert(low, 2, "spin-embed"), convert(low, 2)) == 0
    assert largest_gap(convert(low, 2, "none"), convert(low, 2)) > 1e-2


def test_flex_moves_between_exact_solutions(x64):
    low = small_model("SimpleConvSeries", 2, SV, dtype=np.float64)
    sparse, half, spin = (low.convertD(bank(3), "compat-flex", flex=t) for t in (0.0, 0.5, 1.0))
    assert largest_gap(sparse, spin) > 1e-2
    for name, array in named_arrays(half).items():
        mean = (named_arrays(sparse)[name] + named_arrays(spin)[name]) / 2
        np.testing.assert_allclose(array, mean, atol=1e-14)
    with pytest.raises(ArgumentError, match="flex"):
        low.convertD(bank(3), "compatibility", flex=0.5)


def test_nothing_but_convolution_weights_depends_on_the_dimension():
    low = small_model("ResNet", 1, SV)
    before, after = named_arrays(low), named_arrays(convert(low, 2))
    assert before.keys() == after.keys()
    for name, array in before.items():
        if ".weight.k" not in name:
            np.testing.assert_array_equal(after[name], array)
    assert convert(low, 2).spec == low.spec


def test_arguments_of_old_scripts():
    low = small_model("SimpleConvSeries", 1, S)
    filters = get_invariant_filters([3], [0], [0], 2, make_all_operators(2), FilterScaling.ONE)
    positional = low.convertD(filters, Rescaling.COMPATIBILITY, None)
    assert largest_gap(positional, convert(low, 2)) == 0
    new = small_model("SimpleConvSeries", 2, S, seed=3)
    assert largest_gap(low.transfer_weights(new, Rescaling.COMPATIBILITY, verbose=True), positional) == 0
    assert largest_gap(new, positional) > 1e-3  # the model handed in is left alone


def test_weights_keep_their_precision(x64):
    for dtype in (np.float32, np.float64):
        new = convert(small_model("SimpleConvSeries", 1, S, dtype=dtype), 2)
        assert {a.dtype for a in named_arrays(new).values()} == {np.dtype(dtype)}


def test_the_certificate_names_the_paths():
    low, new = small_model("SimpleConvSeries", 1, SV), small_model("SimpleConvSeries", 2, SV)
    _, certificate = transfer_certified(low, new, "compatibility")
    assert (certificate.from_dim, certificate.to_dim, certificate.exact) == (1, 2, True)
    names = {(path.layer, path.path) for path in certificate.paths}
    assert ("layers.0.conv", "k0p0->k1p0") in names and len(names) == 8


def test_plain_models_are_refused():
    plain = ResNet(1, S, S, 1, 1, equivariant=False, kernel_size=3)
    with pytest.raises(UnsupportedError, match=r"not equivariant.*equivariant=True"):
        plain.convertD(bank(2))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((bank(2), "fourier"), "rule: got 'fourier'"),
        ((None,), "invariant_filters"),
        ((bank(2, FULL2),), "side|filters"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        small_model("SimpleConvSeries", 1, S, FULL3).convertD(*arguments)


def test_a_transposed_unet_needs_its_second_bank():
    with pytest.raises(ArgumentError, match="upsample_filters: expected filters in dimension 2"):
        small_model("UNet transpose", 1, S).convertD(bank(2))
