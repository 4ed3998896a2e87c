"""U-Net on fields."""

import itertools
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
from jax import Array

from ...errors import ArgumentError
from ...filters import FilterBank
from ...geometric import MultiImage, Signature
from ...layers import ConvContract, LayerWrapper, MaxNormPool, UseBias, field_signature
from .._module import AnyDimensionalModel
from .._spec import ModelSpec
from ..blocks import (
    Activation,
    ConvBlock,
    RepeatConv,
    activation_name,
    bank_for,
    check_count,
    enter,
    keys_from,
    layer_signatures,
    leave,
    make_conv,
    run,
)

Upsample = Literal["transpose", "repeat"]


class UNet(AnyDimensionalModel):
    """Pool and convolve down, up-sample and convolve up, with skip connections; channels double at each level.

    The sides of the grid must be divisible by `2**num_downsamples`.

    ??? cite "Reference"

        Ronneberger et al., *U-Net: Convolutional Networks for Biomedical Image Segmentation*, 2015,
        arXiv:1505.04597.
    """

    bank_roles: ClassVar[tuple[str, ...]] = ("conv", "upsample")

    embedding: list[ConvBlock]
    downsample_blocks: list[tuple[MaxNormPool, list[ConvBlock]]]
    upsample_blocks: list[tuple[ConvContract | LayerWrapper | RepeatConv, list[ConvBlock]]]
    decode: ConvContract | LayerWrapper
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
        padding_mode: str = "ZEROS",
        key: Array | None = None,
        upsample: Upsample = "transpose",
    ):
        """Arguments as in `ResNet`, and:

        - `num_downsamples`: levels below the finest.
        - `num_conv`: blocks on each level.
        - `upsample`: `"transpose"`, a transposed convolution with `upsample_filters` (side 2), or `"repeat"`,
          nearest-neighbour repetition followed by an ordinary convolution with `conv_filters`, which converts to
          another dimension exactly for every signature.
        """
        for name, value in (("num_downsamples", num_downsamples), ("num_conv", num_conv)):
            check_count(name, value)
        if upsample not in ("transpose", "repeat"):
            raise ArgumentError("upsample", got=repr(upsample), expected="transpose or repeat")
        sources, middle, targets = layer_signatures(D, input_keys, output_keys, mid_keys, depth, equivariant)
        bank = bank_for(D, equivariant, conv_filters)
        if equivariant and upsample == "repeat" and bank is not None and bank.side % 2 == 0:
            raise ArgumentError(
                "conv_filters", got=f"side {bank.side}", expected="an odd side with upsample='repeat'"
            )
        use_transpose = upsample == "transpose"
        up_bank = bank_for(D, equivariant and use_transpose, upsample_filters, "upsample_filters")
        keys = keys_from(key)

        def blocks(a: Signature, b: Signature) -> list[ConvBlock]:
            return [
                ConvBlock(
                    D,
                    a if i == 0 else b,
                    b,
                    use_bias,
                    activation_f,
                    equivariant,
                    bank,
                    kernel_size,
                    use_group_norm,
                    use_batch_norm,
                    padding_mode=padding_mode,
                    key=next(keys),
                )
                for i in range(num_conv)
            ]

        def up(a: Signature, b: Signature) -> ConvContract | LayerWrapper | RepeatConv:
            if not use_transpose:
                conv = make_conv(
                    D,
                    a,
                    b,
                    use_bias,
                    equivariant,
                    bank,
                    kernel_size,
                    padding_mode=padding_mode,
                    key=next(keys),
                )
                return RepeatConv(conv, 2)
            padding = ((1, 1),) * D if equivariant else "VALID"
            return make_conv(
                D,
                a,
                b,
                use_bias,
                equivariant,
                up_bank,
                2,
                padding=padding,
                lhs_dilation=(2,) * D,
                key=next(keys),
            )

        levels = [_times(middle, 2**level) for level in range(num_downsamples + 1)]
        self.embedding = blocks(sources, middle)
        self.downsample_blocks = [
            (MaxNormPool(2, equivariant), blocks(fine, coarse)) for fine, coarse in itertools.pairwise(levels)
        ]
        self.upsample_blocks = [
            (up(coarse, fine), blocks(_times(fine, 2), fine))
            for fine, coarse in reversed(list(itertools.pairwise(levels)))
        ]
        self.decode = make_conv(
            D,
            middle,
            targets,
            use_bias,
            equivariant,
            bank,
            kernel_size,
            padding_mode=padding_mode,
            key=next(keys),
        )
        self.D = D
        self.spec = ModelSpec.make(
            "UNet",
            input_keys,
            output_keys,
            depth=depth,
            num_downsamples=num_downsamples,
            num_conv=num_conv,
            use_bias=use_bias,
            activation_f=activation_name(activation_f),
            equivariant=equivariant,
            kernel_size=kernel_size,
            use_group_norm=use_group_norm,
            use_batch_norm=use_batch_norm,
            mid_keys=None if mid_keys is None else field_signature(mid_keys),
            padding_mode=padding_mode,
            upsample=upsample,
        )

    def __call__(self, x: MultiImage, batch_stats: Any = None) -> tuple[MultiImage, Any]:
        equivariant, factor = self.spec.equivariant, self.grid_factor
        if any(side % factor for side in x.get_spatial_dims()):
            raise ArgumentError(
                "sides of the grid",
                got=x.get_spatial_dims(),
                expected=f"multiples of {factor} for {len(self.downsample_blocks)} down-samplings",
            )
        x, batch_stats = run(self.embedding, enter(x, equivariant), batch_stats)
        skips = []
        for pool, blocks in self.downsample_blocks:
            skips.append(x)
            x, batch_stats = run(blocks, pool(x), batch_stats)
        for up, blocks in self.upsample_blocks:
            x, batch_stats = run(blocks, up(x).concat(skips.pop()), batch_stats)
        return leave(self.decode(x), equivariant, self.spec.outputs), batch_stats

    @property
    def grid_factor(self) -> int:
        return 2 ** len(self.downsample_blocks)

    def level_of(self, name: str) -> int:
        stage, _, rest = name.partition(".")
        if stage == "downsample_blocks":
            return int(rest.split(".")[0]) + 1
        if stage == "upsample_blocks":
            return len(self.upsample_blocks) - 1 - int(rest.split(".")[0])
        return 0


def _times(signature: Signature, factor: int) -> Signature:
    return Signature((key, channels * factor) for key, channels in signature)
