"""Where libraries put the axes of a kernel, and how they call it."""

import re
from dataclasses import dataclass
from typing import Literal

from ginjax._unknown_name import unknown_name

Place = Literal["first", "last"]
"""Whether new axes come before or after those that are there."""


@dataclass(frozen=True)
class KernelLayout:
    """How a library stores convolution kernels.

    **Arguments:**

    - `name`: what `--layout` calls it.
    - `spatial_first`: the spatial axes come first, `(*k, in, out)`; else last, `(out, in / groups, *k)`.
    - `kernel`: pattern of the names of kernels; its group `module` is the name of the layer.
    - `fits_padding`: whether layers whose padding nobody states are taken to choose it by the depth.
    - `mirrors`: transposed convolutions run their taps backwards.
    """

    name: str
    spatial_first: bool
    kernel: re.Pattern[str]
    fits_padding: bool = False
    mirrors: bool = False

    def place(self, low_dim: int, where: Place) -> int:
        """The index of the first new axis in a kernel of the higher dimension."""
        start = 0 if self.spatial_first else 2
        return start if where == "first" else start + low_dim

    def spatial(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The sides of a kernel."""
        return shape[: len(shape) - 2] if self.spatial_first else shape[2:]


_TORCH = re.compile(
    r"(?:(?P<module>.*)\.)?(?:weight|weight_v|weight_orig|parametrizations\.weight\.original1?)"
)
_KERNEL = re.compile(r"(?:(?P<module>.*)[./])?(?:\w*kernel)(?::0)?")

LAYOUTS = {
    each.name: each
    for each in (
        KernelLayout("pytorch", False, _TORCH),
        KernelLayout("flax", True, _KERNEL, fits_padding=True, mirrors=True),
        KernelLayout("keras", True, _KERNEL, fits_padding=True),
    )
}
"""The layouts by name."""


def find_layout(name: str) -> KernelLayout:
    """The layout of that name.

    **Raises:** `ArgumentError` for another name.
    """
    if name not in LAYOUTS:
        raise unknown_name("`layout`", name, LAYOUTS)
    return LAYOUTS[name]
