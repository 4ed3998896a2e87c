"""A converted network agrees with the one it came from on fields that are constant along the added axes."""

import jax
import numpy as np
import pytest
from helpers import (
    ORTHOPLEX5,
    SIGNATURES,
    SV,
    S,
    V,
    embed,
    lift_defect,
    random_field,
    relative_difference,
)
from small_models import ARCHITECTURES, SIDE, convert, run, small_model

from ginjax.geometric import MultiImage
from ginjax.models import named_arrays, transfer_certified, with_arrays

STEPS = ((1, 2), (2, 3), (1, 3))
TOLERANCES = {"float64": 1e-9, "float32": 1e-4}


def sweep():
    """Every architecture, signature, dtype and step.

    Every day once an architecture in float64, of scalars and vectors together, and one step at a time, which three at
    once are made of; up to three dimensions, which take longest to compile, only where blocks are not those of another
    one. Single precision every day of one architecture.
    """
    for dtype in TOLERANCES:
        for name in ARCHITECTURES:
            # Transposed up-convolutions of side 2 transfer exactly for scalars only.
            exact = ["scalar"] if name == "UNet transpose" else list(SIGNATURES)
            for signature in exact:
                for step in STEPS:
                    last, double = signature == exact[-1], dtype == "float64"
                    quick = last and (double or name == "ResNet") and step == (1, 2)
                    quick |= last and double and step == (2, 3) and name != "DilResNet"
                    marks = () if quick else pytest.mark.slow
                    label = f"{name}, {signature}, {step[0]} to {step[1]}, {dtype}"
                    yield pytest.param(name, SIGNATURES[signature], step, dtype, marks=marks, id=label)


def lift(low, high, x) -> float:
    """Both models compiled once per signature, dimension and dtype, however many steps and weights are tried."""
    return lift_defect(lambda f: run(low, f), lambda f: run(high, f), x, (SIDE,) * (high.D - low.D))


@pytest.mark.parametrize("name, signature, step, dtype", list(sweep()))
def test_conversion_is_compatible(name, signature, step, dtype):
    start, end = step
    with jax.enable_x64(dtype == "float64"):
        # A network of weights that multiply rounding hardly: of this one, not of the conversion, the bound would speak.
        low = small_model(name, start, signature, seed=2, dtype=dtype)
        x = random_field(signature, start, SIDE, dtype=dtype)
        assert lift(low, convert(low, end), x) < TOLERANCES[dtype]


@pytest.mark.parametrize("step", [(1, 2), (2, 3)])
def test_orthoplex_filters_of_side_5(x64, step):
    low = small_model("SimpleConvSeries", step[0], SV, ORTHOPLEX5, dtype=np.float64)
    x = random_field(SV, step[0], SIDE, dtype=np.float64)
    assert lift(low, convert(low, step[1], recipe=ORTHOPLEX5), x) < 1e-9


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "UNet transpose"])
def test_new_components_stay_exactly_zero(name):
    """In single precision too: noise there would be magnified by every norm that follows."""
    high = convert(small_model(name, 1, SV), 2)
    vectors = np.asarray(run(high, embed(random_field(SV, 1, SIDE), (SIDE,)))[1, 0])
    assert not vectors[..., 1].any()
    assert vectors[..., 0].any()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_that_are_only_extended_are_not_compatible(name):
    low, x = small_model(name, 1, S), random_field(S, 1, SIDE)
    assert lift(low, convert(low, 2, "none"), x) > 1e-3


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_one_wrong_weight_shows(name):
    low, x = small_model(name, 1, S), random_field(S, 1, SIDE)
    high = convert(low, 2)
    arrays = named_arrays(high)
    # In the last layer, where no nonlinearity can hide it.
    last = sorted(n for n in arrays if ".weight." in n and n.startswith(("deco", "layers")))[-1]
    arrays[last] = arrays[last].copy()
    arrays[last][0, :, 1] += 0.5
    assert lift(low, high, x) < 1e-4
    assert lift(low, with_arrays(high, arrays), x) > 1e-3


def test_transposed_up_convolutions_of_vectors_are_reported(x64):
    low = small_model("UNet transpose", 2, SV, dtype=np.float64)
    new = small_model("UNet transpose", 3, SV, dtype=np.float64)
    _, certificate = transfer_certified(low, new, "compatibility")
    assert not certificate.exact
    inexact = {(path.layer, path.path) for path in certificate.inexact_paths}
    # From scalars to vectors never, from vectors to vectors only out of one dimension.
    assert inexact == {("upsample_blocks.0.0", path) for path in ("k0p0->k1p0", "k1p0->k1p0")}
    assert all(path.note for path in certificate.inexact_paths)


@pytest.mark.parametrize("name, signature", [("UNet repeat", V), ("ResNet", SV), ("UNet transpose", S)])
def test_the_certificate_of_an_exact_conversion(x64, name, signature):
    low = small_model(name, 1, signature, dtype=np.float64)
    new = small_model(name, 2, signature, dtype=np.float64)
    _, certificate = transfer_certified(low, new, "compatibility")
    assert certificate.exact and certificate.residual < 1e-12
    assert not transfer_certified(low, new, "none")[1].exact


def test_old_axes_may_be_zero_padded(x64):
    low = small_model("ResNet", 1, S, dtype=np.float64)
    x = random_field(S, 1, SIDE, is_torus=(False,), dtype=np.float64)
    high = convert(low, 2)
    assert lift(low, high, x) < 1e-9
    # The added axis must be periodic: zeros beyond it are no constant continuation.
    y = embed(run(low, x), (SIDE,))
    bounded = MultiImage(dict(embed(x, (SIDE,)).items()), 2, (False, False))
    assert relative_difference(run(high, bounded), y) > 1e-3
