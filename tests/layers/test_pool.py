from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file

from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.layers import MaxNormPool

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("maxnormpool_*.safetensors")), ids=lambda p: p.stem)
def test_stored_outputs(path):
    stored, D = load_file(path), int(path.stem.split("_")[1][0])
    x = MultiImage({(k, 0): jnp.asarray(stored[f"x/k{k}p0"]) for k in range(3)}, D, (False,) * D)
    y = eqx.filter_jit(MaxNormPool(2))(x)
    assert y.is_torus == x.is_torus
    for k in range(3):
        np.testing.assert_array_equal(y[(k, 0)], stored[f"y/k{k}p0"])


def test_largest_value_or_largest_norm():
    x = MultiImage({(0, 0): jnp.array([[1.0, -3, -2, -1]])}, 1)
    np.testing.assert_array_equal(MaxNormPool(2)(x)[(0, 0)], [[-3, -2]])
    np.testing.assert_array_equal(MaxNormPool(2, use_norm=False)(x)[(0, 0)], [[1, -1]])


def test_bad_patches_are_refused():
    x = MultiImage({(0, 0): jnp.zeros((1, 4))}, 1)
    with pytest.raises(ArgumentError, match="whole patches"):
        MaxNormPool(3)(x)
    with pytest.raises(ArgumentError, match="patch length"):
        MaxNormPool(0)
