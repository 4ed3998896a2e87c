"""Gradients of layers over the parts of a batch, through `jax.shard_map` and its check of what differs between devices."""

import os
import subprocess
import sys

from helpers import devices

ON_TWO_DEVICES = """
import equinox as eqx, jax, jax.numpy as jnp, numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from ginjax.filters import BankRecipe, make_bank
from ginjax.geometric import PlanarImage, Signature
from ginjax.geometric.conv import _ways
from ginjax.layers import ConvContract, LayerNorm, VectorNeuronNonlinear

keys = Signature(((((), 0), 2), (((False,), 0), 2)))
mesh = jax.make_mesh((2,), ("batch",), axis_types=(AxisType.Auto,))
rng = np.random.default_rng(0)

def normal(*shape):
    return jnp.asarray(rng.normal(size=shape), jnp.float32)

def holds_kernels(program, *arguments):
    return "ginjax_fused" in program.trace(*arguments).lower(lowering_platforms=("cuda",)).as_text()

def compare(layer, D, looped, way=None):
    x = {key: normal(2, D ** len(key[0]), c, *(3,) * D) for key, c in keys}
    weights, rest = eqx.partition(layer, eqx.is_inexact_array)
    weights = jax.tree.map(lambda leaf: normal(*leaf.shape), weights)
    def loss(weights, x):
        y = jax.vmap(lambda x: eqx.combine(weights, rest)(PlanarImage(x, D, (True,) * D)))(x)
        return sum(jnp.sum(jnp.sin(block)) for block in y.values())
    def summed(weights, x):
        return jax.lax.psum(loss(weights, x), "batch")
    with _ways.use_way(way):
        parts = jax.shard_map(summed, mesh=mesh, in_specs=(P(), P("batch")), out_specs=P())
        program = jax.jit(jax.grad(parts, (0, 1)))
        if way in (None, "fused") and type(layer) is ConvContract:
            # JAX's interpreter of kernels does not pass that check. Within `shard_map` each device has its own part.
            assert holds_kernels(program, weights, x)
            # Where the compiler is to divide a batch it cannot divide a kernel.
            batch = jax.device_put(x, NamedSharding(mesh, P("batch")))
            assert holds_kernels(jax.jit(jax.grad(loss, (0, 1))), weights, batch) == (way == "fused")
            return
        assert ("while" in program.lower(weights, x).as_text()) == looped
        found, wanted = program(weights, x), jax.jit(jax.grad(loss, (0, 1)))(weights, x)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)

compare(LayerNorm(keys, 3), 3, looped=True)
compare(VectorNeuronNonlinear(keys, 2, jax.nn.gelu, key=jax.random.key(0)), 2, looped=False)
conv = ConvContract(keys, keys, make_bank(1, BankRecipe(3), [(k, 0) for k in range(3)]), "mean")
compare(conv, 1, looped=False, way="dense")
compare(conv, 1, looped=False, way="fused")
compare(conv, 1, looped=False)
for function in (_ways.convolve_packed, _ways.gradients_packed, _ways.weights_packed):
    function.__kwdefaults__["room"] = 8  # one row at a time
conv = ConvContract(keys, keys, make_bank(2, BankRecipe(3), [(k, 0) for k in range(3)]), "mean")
compare(conv, 2, looped=True, way="basis")
"""


def test_a_gradient_is_summed_over_devices_once():
    ran = subprocess.run(
        [sys.executable, "-c", ON_TWO_DEVICES],
        env=os.environ | devices(2),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
