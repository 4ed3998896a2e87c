"""Every layer here commutes with the symmetries of the grid, and with the embedding into a higher dimension."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sweeps import few, few_rows

from ginjax.geometric import MultiImage, Signature, make_all_operators
from ginjax.layers import GroupNorm, LayerWrapper, MaxNormPool, VectorNeuronNonlinear

pytestmark = pytest.mark.gpu

FIELDS = Signature((((0, 0), 2), ((0, 1), 2), ((1, 0), 2), ((1, 1), 2)))
SCALARS = Signature((((0, 0), 2),))
SIDE = 4


def group_norm(D: int, groups: int) -> GroupNorm:
    """Scales and biases that differ from their initial values, so that these terms are tested too."""
    layer = GroupNorm(FIELDS, D, groups)
    numbers = iter(np.linspace(0.5, 1.5, 20))
    return jax.tree.map(lambda leaf: jnp.asarray([next(numbers) for _ in leaf], jnp.float32), layer)


class AddToFirstComponent(eqx.Module):
    """Not equivariant, on purpose."""

    def __call__(self, x: MultiImage) -> MultiImage:
        return MultiImage({**x, (1, 0): x[(1, 0)] + jnp.eye(x.D)[0]}, x.D, x.is_torus)


LAYERS = {
    "layer norm": lambda D: group_norm(D, 1),
    "group norm": lambda D: group_norm(D, 2),
    "vector neurons": lambda D: VectorNeuronNonlinear(FIELDS, D, jax.nn.gelu, key=jax.random.key(0)),
    "pooling": lambda D: MaxNormPool(2),
    "wrapper": lambda D: LayerWrapper(jnp.tanh, SCALARS),
}


def sample(D: int, layer: str = "") -> MultiImage:
    rng = np.random.default_rng(0)
    signature = SCALARS if layer == "wrapper" else FIELDS
    shapes = {(k, p): (c, *(SIDE,) * D, *(D,) * len(k)) for (k, p), c in signature}
    return MultiImage(
        {key: jnp.asarray(rng.normal(size=s).astype(np.float32)) for key, s in shapes.items()}, D
    )


def act(g: np.ndarray, x: MultiImage) -> MultiImage:
    """The definition of the group action, in NumPy: `det(g)^p g^(x)k A(g^-1 i)`, `i` from the centre of the grid."""
    blocks = {}
    for (k, p), block in x.items():
        block = np.asarray(block)
        centre = (block.shape[1] - 1) / 2
        pixels = np.indices(block.shape[1 : 1 + x.D]) - centre
        source = np.rint(np.tensordot(g.T, pixels, 1) + centre).astype(int)
        moved = block[:, *source] * round(np.linalg.det(g)) ** p
        blocks[(k, p)] = moved @ g.T.astype(block.dtype) if k else moved
    return MultiImage(blocks, x.D)


def defect(layer, x: MultiImage) -> float:
    """The largest `|f(g.x) - g.f(x)|` over all of `B_D`, whose elements make a batch."""
    operators = make_all_operators(x.D)
    moved = jax.tree.map(lambda *blocks: np.stack(blocks), *(act(g, x) for g in operators))
    y = eqx.filter_jit(eqx.filter_vmap(layer))(moved)
    at_rest = y.get_one(0, keepdims=False)
    expected = [act(g, at_rest) for g in operators]
    return max(
        float(np.abs(np.asarray(block[i]) - expected[i][key]).max())
        for key, block in y.items()
        for i in range(len(operators))
    )


SIMPLER = "layer norm", "pooling", "wrapper"
"""A layer norm is a group norm of one group; the others do not look at the dimension."""
ALL_DIMENSIONS = [(name, D) for name in LAYERS for D in (1, 2, 3)]
FEW = [(name, D) for name, D in ALL_DIMENSIONS if D == 1 or (name in SIMPLER and D == 3)]


@pytest.mark.parametrize(
    ("name", "D"), [*(each for each in ALL_DIMENSIONS if each not in FEW), *few_rows(*FEW)]
)
def test_layers_are_equivariant(name, D):
    assert defect(LAYERS[name](D), sample(D, name)) < 2e-5


@pytest.mark.parametrize("D", [1, 2, 3])
def test_the_defect_sees_a_layer_that_is_not_equivariant(D):
    assert defect(AddToFirstComponent(), sample(D)) > 0.5


def embed(x: MultiImage, side: int = SIDE) -> MultiImage:
    """Constant along a new last axis of `side` pixels, new tensor components zero."""
    blocks = {}
    for key, block in x.items():
        repeated = np.repeat(np.expand_dims(np.asarray(block), 1 + x.D), side, axis=1 + x.D)
        padding = [(0, 0)] * (2 + x.D) + [(0, 1)] * len(key[0])
        blocks[key] = jnp.asarray(np.pad(repeated, padding))
    return MultiImage(blocks, x.D + 1)


@pytest.mark.parametrize("D", [2, *few(1)])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_commute_with_the_embedding(name, D):
    x = sample(D, name)
    apply = eqx.filter_jit(lambda layer, x: layer(x))
    y = apply(LAYERS[name](D), x)
    low, high = embed(y, y.get_spatial_dims()[0]), apply(LAYERS[name](D + 1), embed(x))
    assert list(low) == list(high)
    for key, block in high.items():
        np.testing.assert_allclose(block, low[key], atol=5e-6)
        if key[0]:
            # Later layers magnify rounding noise by 1/sqrt(eps), so new components must be zero, not just small.
            assert not np.asarray(block[..., D]).any()


def test_noise_in_new_components_is_magnified():
    clean = embed(sample(2))
    noise = 1e-7 * jnp.roll(clean[(1, 0)][..., 0], 1, axis=1)
    noisy = MultiImage({**clean, (1, 0): clean[(1, 0)].at[..., 2].add(noise)}, 3)
    apply = eqx.filter_jit(LAYERS["layer norm"](3))
    assert np.abs(apply(noisy)[(1, 0)][..., 2]).max() > 1e-5
    assert not np.asarray(apply(clean)[(1, 0)][..., 2]).any()
