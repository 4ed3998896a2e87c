"""The layouts of kernels in libraries: the order of their axes, and their names."""

import re
from dataclasses import dataclass
from typing import Literal

from ginjax._unknown_name import unknown_name

Place = Literal["first", "last"]
"""Whether new axes come before or after the existing ones."""


@dataclass(frozen=True)
class KernelLayout:
    """How a library stores convolution kernels.

    **Arguments:**

    - `name`: its name for `--layout`.
    - `spatial_first`: whether the spatial axes come first, `(*k, in, out)`, or last, `(out, in / groups, *k)`.
    - `kernel`: pattern of the names of kernels; its group `module` is the name of the layer.
    - `fits_padding`: whether layers without a stated padding are assumed to choose it by the depth.
    - `mirrors`: whether the taps of transposed convolutions run backwards.
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
        """The spatial sides of a kernel."""
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
    """Look up a layout by name.

    **Raises:** `ArgumentError` for an unknown name.
    """
    if name not in LAYOUTS:
        raise unknown_name("`layout`", name, LAYOUTS)
    return LAYOUTS[name]
