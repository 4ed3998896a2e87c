"""The U-Net: down-sampling and up-sampling with skip connections."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
from jax import Array

from ...errors import ArgumentError
from ...filters import BankRecipe, FilterBank
from ...geometric import MultiImage, Signature
from ...layers import MaxNormPool, UseBias
from .._any_dimensional import AnyDimensionalModel
from .._spec import MAX_CHANNELS, ModelSpec
from ..blocks import (
    MAX_KERNEL,
    Activation,
    ConvBlock,
    Convolution,
    Frame,
    Nonlinearity,
    RepeatConv,
    bank_for,
    run,
)

Upsample = Literal["transpose", "repeat"]

UPSAMPLE_RECIPE = BankRecipe(2)
"""The recipe of the filters of transposed convolutions: every invariant filter of side 2."""


class UNet(AnyDimensionalModel):
    """A U-Net: pooling and convolutions on the way down, up-sampling and convolutions on the way up, skip connections.

    The number of channels doubles at each level. The sides of the grid must be divisible by `2**num_downsamples`.

    ??? cite "Reference"

        Ronneberger et al., *U-Net: Convolutional Networks for Biomedical Image Segmentation*, 2015,
        arXiv:1505.04597.
    """

    architecture: ClassVar[str] = "UNet"
    words: ClassVar[Mapping[str, str]] = {
        "channels": "depth",
        "blocks": "num_conv",
        "levels": "num_downsamples",
        "activation": "activation_f",
        "norm": "use_group_norm",
        "bias": "use_bias",
        "upsample": "upsample",
        "plain": "equivariant",
        "nonlinearity": "nonlinearity",
        "padding": "padding_mode",
    }
    sizes: ClassVar[Mapping[str, int]] = {"depth": MAX_CHANNELS, "kernel_size": MAX_KERNEL}
    repeats: ClassVar[Mapping[str, int]] = {"num_downsamples": 24, "num_conv": 4096}
    added_options: ClassVar[frozenset[str]] = frozenset({"nonlinearity"})
    first_convs: ClassVar[tuple[str, ...]] = ("embedding.0.conv",)
    last_convs: ClassVar[tuple[str, ...]] = ("decode",)

    embedding: list[ConvBlock]
    downsample_blocks: list[tuple[MaxNormPool, list[ConvBlock]]]
    upsample_blocks: list[tuple[Convolution | RepeatConv, list[ConvBlock]]]
    decode: Convolution | ConvBlock
    spec: ModelSpec = eqx.field(static=True)
    D: int = eqx.field(static=True)

    def __init__(
        self,
        D: int,
        input_keys: Any,
        output_keys: Any,
        depth: int,
        num_downsamples: int = 4,
        num_conv: int = 2,
        use_bias: UseBias = "auto",
        activation_f: Activation = jax.nn.gelu,
        equivariant: bool = True,
        conv_filters: MultiImage | FilterBank | None = None,
        upsample_filters: MultiImage | FilterBank | None = None,
        kernel_size: int | None = None,
        use_group_norm: bool = False,
        use_batch_norm: bool = False,
        mid_keys: Any = None,
        padding_mode: str | Sequence[str] = "ZEROS",
        key: Array | None = None,
        upsample: Upsample = "transpose",
        nonlinearity: Nonlinearity = "vector-neuron",
        product_filters: MultiImage | FilterBank | None = None,
    ):
        """Arguments as in `ResNet`, and:

        - `num_downsamples`: the number of levels below the finest one.
        - `num_conv`: the number of blocks on each level.
        - `use_batch_norm`: whether the blocks of a plain network have batch norm.
        - `upsample`: `"transpose"` is a transposed convolution with `upsample_filters` (side 2). `"repeat"` is nearest-neighbour
          repetition and then an ordinary convolution with `conv_filters`, which converts to another dimension exactly for
          every signature.
        - `nonlinearity`, `product_filters`: with `"product"` the blocks are norm -> products -> conv.
        """
        self.D, self.spec = D, self.spec_of(locals())
        if upsample not in ("transpose", "repeat"):
            raise ArgumentError("upsample", got=repr(upsample), expected="transpose or repeat")
        frame = Frame.of(self.spec, D, conv_filters, key, product_filters)
        use_transpose = upsample == "transpose"
        if not use_transpose and frame.bank is not None and frame.bank.side % 2 == 0:
            raise ArgumentError(
                "conv_filters", got=f"side {frame.bank.side}", expected="an odd side with upsample='repeat'"
            )
        up_bank = bank_for(D, equivariant and use_transpose, upsample_filters, "upsample_filters")

        def blocks(
            a: Signature, b: Signature, begin: Callable[..., ConvBlock] = frame.block
        ) -> list[ConvBlock]:
            norms = {"use_group_norm": use_group_norm, "use_batch_norm": use_batch_norm}
            return [begin(a, b, **norms), *(frame.block(b, b, **norms) for _ in range(num_conv - 1))]

        def up(a: Signature, b: Signature) -> Convolution | RepeatConv:
            if not use_transpose:
                return RepeatConv(frame.conv(a, b), 2)
            return frame.conv(
                a,
                b,
                invariant_filters=up_bank,
                kernel_size=2,
                padding=((1, 1),) * D if equivariant else "VALID",
                lhs_dilation=(2,) * D,
            )

        levels = [_times(frame.middle, 2**level) for level in range(num_downsamples + 1)]
        self.embedding = blocks(frame.sources, frame.middle, frame.first)
        self.downsample_blocks = [
            (MaxNormPool(2, equivariant), blocks(fine, coarse)) for fine, coarse in itertools.pairwise(levels)
        ]
        self.upsample_blocks = [
            (up(coarse, fine), blocks(_times(fine, 2), fine))
            for fine, coarse in reversed(list(itertools.pairwise(levels)))
        ]
        self.decode = (
            frame.last(frame.middle, frame.targets)
            if nonlinearity == "product"
            else frame.conv(frame.middle, frame.targets)
        )

    def __call__(self, x: MultiImage, batch_stats: Any = None) -> tuple[MultiImage, Any]:
        if any(side % self.grid_factor for side in x.get_spatial_dims()):
            raise ArgumentError(
                "sides of the grid",
                got=x.get_spatial_dims(),
                expected=f"multiples of {self.grid_factor} for {len(self.downsample_blocks)} down-samplings",
            )
        inner, batch_stats = run(self.embedding, self.enter(x), batch_stats)
        skips = []
        for pool, blocks in self.downsample_blocks:
            skips.append(inner)
            inner, batch_stats = run(blocks, pool(inner), batch_stats)
        for up, blocks in self.upsample_blocks:
            inner, batch_stats = run(blocks, up(inner).concat(skips.pop()), batch_stats)
        # Decided by the specification: the module itself may have been replaced, such as by one with ordinary kernels.
        decode: Any = self.decode
        if dict(self.spec.options).get("nonlinearity") == "product":
            inner, batch_stats = decode(inner, batch_stats)
        else:
            inner = decode(inner)
        return self.leave(inner), batch_stats

    @classmethod
    def bank_recipes(cls, options: Mapping[str, Any], recipe: BankRecipe) -> dict[str, BankRecipe]:
        up = {"upsample": UPSAMPLE_RECIPE} if options["upsample"] == "transpose" else {}
        return super().bank_recipes(options, recipe) | up

    @classmethod
    def grid_factor_of(cls, options: Mapping[str, Any]) -> int:
        return 2 ** options["num_downsamples"]

    @classmethod
    def least_layers(cls, options: Mapping[str, Any]) -> int:
        return options["num_downsamples"] * options["num_conv"]

    def level_of(self, name: str) -> int:
        stage, _, rest = name.partition(".")
        if stage == "downsample_blocks":
            return int(rest.split(".")[0]) + 1
        if stage == "upsample_blocks":
            return len(self.upsample_blocks) - 1 - int(rest.split(".")[0])
        return 0


def _times(signature: Signature, factor: int) -> Signature:
    return Signature((key, channels * factor) for key, channels in signature)
