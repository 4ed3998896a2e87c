"""Products of float32 numbers are float32 products unless the user says otherwise."""

import jax
import jax.numpy as jnp
from helpers import SV, bank, random_field

from ginjax.layers import ConvContract, VectorNeuronNonlinear


def products(function, x) -> tuple[int, int]:
    """How many products a program has, and how many of them ask for full precision."""
    lines = jax.jit(lambda x: function(x)).lower(x).as_text().splitlines()
    found = [line for line in lines if "stablehlo.convolution" in line or "stablehlo.dot_general" in line]
    return len(found), sum("HIGHEST, HIGHEST" in line for line in found)


def test_convolution_and_neurons_ask_for_full_precision():
    x = random_field(SV, 2, 4)
    conv = ConvContract(SV, SV, bank(2), key=jax.random.key(0))
    neurons = VectorNeuronNonlinear(SV, 2, jnp.tanh, key=jax.random.key(0))
    for layer in (conv, neurons):
        count, full = products(layer, x)
        assert count == full > 0


def test_a_choice_of_the_user_is_left_alone():
    conv = ConvContract(SV, SV, bank(2), key=jax.random.key(0))
    with jax.default_matmul_precision("default"):
        assert products(conv, random_field(SV, 2, 4))[1] == 0
