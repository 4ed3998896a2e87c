from dataclasses import replace

import jax
import numpy as np
import pytest
from helpers import FIXTURES, SV, S, random_field, randomised
from small_models import convert, small_model
from sweeps import few

from ginjax.checkpoint import convert_record, read_model, write_model
from ginjax.errors import ArgumentError, NumericsError
from ginjax.geometric import MultiImage
from ginjax.models import (
    LIFT_TOLERANCE,
    ROUNDED_LIFT_TOLERANCE,
    ModelSpec,
    equivariance_defect,
    from_record,
    load_pair,
    verify_transfer,
)
from ginjax.models.verify._equivariance import generators
from ginjax.models.verify._lift_test import spec_difference
from ginjax.transfer import make_rule

FIXTURE = FIXTURES / "diffusion_1d.safetensors"


@pytest.fixture(scope="module")
def low():
    return small_model("SimpleConvSeries", 1, SV)


@pytest.fixture(scope="module")
def exact(low):
    return verify_transfer(low, convert(low, 2), side=4)


def test_a_compatible_conversion_keeps_its_promise(exact):
    assert (exact.dtype, exact.side) == ("float32", 4)
    assert exact.lifts and exact.is_equivariant
    assert 0 < exact.lift_float64 < ROUNDED_LIFT_TOLERANCE["float32"]
    assert exact.lift_own < LIFT_TOLERANCE["float32"]


@pytest.mark.parametrize("change", ["volume", "other weights"])
def test_anything_else_does_not(low, change):
    """Both controls are equivariant all the same, because filters are."""
    high = convert(low, 2, "volume") if change == "volume" else randomised(convert(low, 2), scale=0.01)
    found = verify_transfer(low, high, side=4)
    assert not found.lifts
    assert found.lift_float64 > 1e-3
    assert found.is_equivariant


def test_the_numbers_are_those_of_the_seed(low, exact):
    assert verify_transfer(low, convert(low, 2), side=4) == exact
    assert verify_transfer(low, convert(low, 2), side=4, seed=5) != exact


def test_an_axis_that_is_not_periodic(low):
    assert verify_transfer(low, convert(low, 2), side=4, is_torus=(False,)).lifts


def test_float64_weights_are_exact_to_rounding():
    with jax.enable_x64(True):
        low = small_model("SimpleConvSeries", 1, S, dtype=np.float64)
        found = verify_transfer(low, convert(low, 2), side=4)
    assert found.dtype == "float64"
    assert found.lifts and 0 < found.lift_float64 == found.lift_own < 1e-12


@pytest.mark.parametrize("dtype", ["float32", *few("float16")])
def test_the_precision_is_that_of_the_coarser_file(dtype):
    record = read_model(FIXTURE)
    converted = convert_record(record, 2, make_rule("compatibility"), dtype=dtype).after
    found = verify_transfer(from_record(record), from_record(converted), side=4)
    assert found.dtype == dtype
    assert found.lifts


def test_equivariance_has_a_control():
    x = random_field(SV, 2, 4)
    assert equivariance_defect(lambda x: (x, None), x) == 0.0

    def shifted(x):
        blocks = {
            key: block * np.linspace(1, 2, 4).reshape(4, 1, *(1,) * len(key[0])) for key, block in x.items()
        }
        return MultiImage(blocks, x.D, x.is_torus), None

    assert equivariance_defect(shifted, x) > 0.1


@pytest.mark.parametrize(("D", "order"), [(1, 2), (2, 8), (3, 48)])
def test_the_generators_generate_the_group(D, order):
    found = {np.eye(D, dtype=int).tobytes(): np.eye(D, dtype=int)}
    while True:
        products = {(p := g @ h).tobytes(): p for g in found.values() for h in generators(D)}
        if products.keys() <= found.keys():
            break
        found |= products
    assert len(found) == order


def test_pairs_that_do_not_belong_together(low):
    high = convert(low, 2)
    with pytest.raises(ArgumentError, match="dimension of the second model: got 1") as caught:
        verify_transfer(high, low)
    assert "before conversion first" in caught.value.hint
    with pytest.raises(ArgumentError, match="more than 2"):
        verify_transfer(high, high)
    with pytest.raises(
        ArgumentError, match=r"inputs of the second model: got .*, expected .* as of the first"
    ):
        verify_transfer(small_model("SimpleConvSeries", 1, S), high)


def test_the_first_difference_between_two_specifications_is_named():
    one = ModelSpec.make("ResNet", S, S, depth=4, num_blocks=1)
    for name, got in (
        ("architecture", ModelSpec.make("UNet", S, S, depth=4, num_blocks=1)),
        ("inputs", ModelSpec.make("ResNet", SV, S, depth=4, num_blocks=1)),
        ("outputs", ModelSpec.make("ResNet", S, SV, depth=4, num_blocks=1)),
        ("option 'depth'", ModelSpec.make("ResNet", S, S, depth=8, num_blocks=1)),
        ("option 'num_blocks'", ModelSpec.make("ResNet", S, S, depth=4)),
    ):
        assert spec_difference(got, one)[0] == name
    assert spec_difference(ModelSpec.make("ResNet", S, S, depth=8, num_blocks=1), one)[1:] == ("8", "4")


def test_the_limit_of_equivariance_grows_with_the_rounding_of_the_converted_network():
    record = read_model(FIXTURE)
    loud = replace(record, arrays={name: 64 * array for name, array in record.arrays.items()})
    exact = convert_record(loud, 2, make_rule("compatibility")).after
    found = verify_transfer(from_record(loud), from_record(exact), side=8)
    (name,) = (each for each in found.checks() if each.startswith("equivariance"))
    value, limit = found.checks()[name]
    assert found.noise_high > 0 and limit == max(LIFT_TOLERANCE["float32"], 10 * found.noise_high)
    assert value <= limit
    assert limit > LIFT_TOLERANCE["float32"]  # otherwise this network shows nothing
    # Controls: rounding is forgiven and no defect, and only as much as was measured.
    assert replace(found, equivariance=0.5).is_equivariant is False
    assert replace(found, noise_high=0.0).checks()[name][1] == LIFT_TOLERANCE["float32"]
    assert found.checks(1e-3)[name][1] == 1e-3


def test_a_network_that_diverged(low):
    broken = randomised(low, scale=np.nan)
    with pytest.raises(NumericsError, match="NaN or infinite"):
        verify_transfer(broken, convert(low, 2), side=4)


def test_the_default_side_suits_the_pooling_of_a_unet():
    low = small_model("UNet repeat", 1, S)
    found = verify_transfer(low, convert(low, 2))
    assert found.side == 8
    assert found.lifts


def test_a_pair_is_read_without_rounding(tmp_path):
    record = read_model(FIXTURE)
    wide = convert_record(record, 2, make_rule("compatibility"), dtype="float64").after
    write_model(tmp_path / "m", wide)
    _, second = load_pair(FIXTURE, tmp_path / "m")
    leaves = jax.tree_util.tree_leaves(second.model)
    assert {np.dtype(leaf.dtype).name for leaf in leaves if hasattr(leaf, "dtype")} == {"float64"}
