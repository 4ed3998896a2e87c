"""Pooling by the largest norm."""

import equinox as eqx

from ..errors import ArgumentError
from ..geometric import MultiImage, max_pool
from ._check import Image, in_form_of


class MaxNormPool(eqx.Module):
    """For each channel, keep the tensor with the largest norm of every patch of pixels.

    Of equal norms the first in row-major order is kept.

    **Arguments:**

    - `patch_len`: the side of a patch in pixels; it must divide every side of the grid.
    - `use_norm`: False compares values instead of norms, which is possible for scalars only.

    **Raises:** `ArgumentError` for a patch length below 1. A call raises it if `patch_len` does not divide a side, or if
    `use_norm` is False and the input has tensors.
    """

    patch_len: int = eqx.field(static=True)
    use_norm: bool = eqx.field(static=True)

    def __init__(self, patch_len: int, use_norm: bool = True):
        if patch_len < 1:
            raise ArgumentError("the patch length is too small", got=patch_len, expected=">= 1")
        self.patch_len = patch_len
        self.use_norm = use_norm

    def __call__(self, x: Image) -> Image:
        image = x if isinstance(x, MultiImage) else x.to_image()
        n_leading = image.get_n_leading()
        blocks = {
            key: max_pool(x.D, block, self.patch_len, self.use_norm, n_leading=n_leading)
            for key, block in image.items()
        }
        return in_form_of(x, MultiImage(blocks, x.D, x.is_torus))
