"""Every architecture commutes with every element of `B_D`."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import FULL3, SV, bank, random_field
from small_models import ARCHITECTURES, SIDE, defect_over_group, run, small_model
from sweeps import few

from ginjax.filters import FilterBank, FilterBlock
from ginjax.geometric import MultiImage, Signature
from ginjax.models import ResNet

pytestmark = pytest.mark.gpu

ODD = Signature([((0, 0), 1), ((0, 1), 1), ((1, 1), 1)])


def sweep():
    """Every architecture in every dimension; every day each in one of them or two, and of those with blocks one in 3D."""
    slow = {("ResNet", 1), ("ResNet", 3), ("DilResNet", 3), ("UNet repeat", 3), ("UNet transpose", 1)}
    for name in ARCHITECTURES:
        for D in (1, 2, 3):
            marks = pytest.mark.slow if (name, D) in slow else ()
            yield pytest.param(name, D, marks=marks, id=f"{name}-{D}")


@pytest.mark.parametrize(("name", "D"), list(sweep()))
def test_architectures_are_equivariant(name, D):
    assert defect_over_group(small_model(name, D, SV), random_field(SV, D, SIDE)) < 1e-4


@pytest.mark.parametrize("name", ["UNet repeat", *few("ResNet")])
def test_pseudo_scalars_and_pseudo_vectors_are_equivariant(name):
    filters = bank(2, FULL3, [(k, p) for k in range(3) for p in range(2)])
    x = random_field(ODD, 2, SIDE)
    model = small_model(name, 2, ODD, filters)
    assert defect_over_group(model, x) < 1e-4
    # The odd input matters: without it this would be no test of its parity.
    without = MultiImage({**x, (0, 1): jnp.zeros_like(x[0, 1])}, 2)
    assert np.abs(run(model, x)[0, 0] - run(model, without)[0, 0]).max() > 1e-3


@pytest.mark.parametrize("name", ["ResNet", "SimpleConvSeries"])
def test_filters_without_symmetry_break_it(name):
    rng = np.random.default_rng(0)
    blocks = {(k, 0): FilterBlock(rng.standard_normal((1, 3, 3, *(2,) * k)), ()) for k in range(3)}
    model = small_model(name, 2, SV, FilterBank(2, 3, None, blocks))
    assert defect_over_group(model, random_field(SV, 2, SIDE)) > 1e-2


def test_plain_networks_are_not_equivariant():
    plain = ResNet(2, SV, SV, 2, num_blocks=1, equivariant=False, kernel_size=3)
    assert defect_over_group(plain, random_field(SV, 2, SIDE)) > 1e-2
