"""Every architecture as small as it goes, and one compiled way to run them all.

Compiling takes far longer than running, so tests share shapes: a model of one signature and dimension is compiled
once per dtype, whoever asks.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from helpers import FULL2, FULL3, act, bank

from ginjax.filters import FilterBank
from ginjax.geometric import MultiImage, make_all_operators
from ginjax.models import DilResNet, ResNet, SimpleConvSeries, UNet

SIDE = 4


def _unet(upsample: str):
    def make(D: int, signature, conv: FilterBank, key) -> UNet:
        up = bank(D, FULL2) if upsample == "transpose" else None
        return UNet(
            D,
            signature,
            signature,
            2,
            num_downsamples=1,
            num_conv=1,
            conv_filters=conv,
            upsample_filters=up,
            upsample=upsample,
            key=key,
        )

    return make


ARCHITECTURES = {
    "ResNet": lambda D, s, conv, key: ResNet(D, s, s, 2, num_blocks=1, conv_filters=conv, key=key),
    "DilResNet": lambda D, s, conv, key: DilResNet(D, s, s, 2, num_blocks=1, conv_filters=conv, key=key),
    "UNet transpose": _unet("transpose"),
    "UNet repeat": _unet("repeat"),
    "SimpleConvSeries": lambda D, s, conv, key: SimpleConvSeries(s, s, conv, 2, 2, "auto", "gelu", key),
}


run = eqx.filter_jit(lambda model, x: model(x)[0])
"""`model(x)` without the auxiliary data, compiled."""


def small_model(name: str, D: int, signature, filters=FULL3, seed: int = 0, dtype=np.float32):
    """A small model with every parameter away from its initial value (float64 ones need x64 to be on).

    `filters` is a bank, or a recipe for one of even filters.
    """
    conv = filters if isinstance(filters, FilterBank) else bank(D, filters)
    # Drawing the initial weights would compile a program for each of their shapes.
    empty = eqx.filter_eval_shape(ARCHITECTURES[name], D, signature, conv, jax.random.key(0))
    rng = np.random.default_rng(seed)

    def draw(slot: jax.ShapeDtypeStruct):
        # Weights of about 1/sqrt(fan-in), norms and biases of order one.
        size = 1 / np.sqrt(np.prod(slot.shape[1:])) if len(slot.shape) > 1 else 0.5
        return jnp.asarray(size * rng.standard_normal(slot.shape) + (len(slot.shape) < 2), dtype)

    return jax.tree.map(lambda a: draw(a) if isinstance(a, jax.ShapeDtypeStruct) else a, empty)


def convert(model, D: int, rescale="compatibility", recipe=FULL3):
    """The model in dimension `D`, with the filters of the same recipe."""
    up = bank(D, FULL2) if model.spec.option("upsample") == "transpose" else None
    return model.convertD(bank(D, recipe), rescale, upsample_filters=up)


def defect_over_group(model, x: MultiImage) -> float:
    """`max_g |f(g x) - g f(x)| / max |f(x)|` over all of `B_D`."""
    y = run(model, x)
    moved = [(run(model, act(g, x)), act(g, y)) for g in make_all_operators(x.D)]
    largest = max(np.abs(block).max() for block in y.values())
    return max(float(np.abs(np.asarray(a[key]) - b[key]).max()) for a, b in moved for key in y) / largest
