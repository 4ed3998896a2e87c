"""Colours of a field: a colour map, a range, and marks for values outside of the range."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

if TYPE_CHECKING:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Colormap

BELOW, ABOVE, LOST = "#00e5ff", "#ff2d00", "0.80"
"""Colours of values below the range, above it, and of values that are not finite."""


@dataclass(frozen=True)
class Scale:
    """The range of a field and its colours, the same wherever the field is drawn.

    **Arguments:**

    - `low`, `high`: the range, with `low < high`.
    """

    low: float
    high: float

    @classmethod
    def of(cls, fields: Iterable[Float[np.ndarray, "..."]], *, lengths: bool = False) -> Scale:
        """Make a scale from the smallest to the largest finite value; symmetric about zero if both signs occur.

        **Arguments:**

        - `fields`: everything that is drawn in these colours.
        - `lengths`: whether the values are lengths; their range begins at zero.
        """
        finite = [each[np.isfinite(each)] for each in fields]
        kept = [each for each in finite if each.size]
        low = min((float(each.min()) for each in kept), default=0.0)
        high = max((float(each.max()) for each in kept), default=0.0)
        if lengths:
            return cls(0.0, high if high > 0 else 1.0)
        if low < 0 < high:
            most = max(-low, high)
            return cls(-most, most)
        if low < high:
            return cls(low, high)
        if low == 0:
            return cls(0.0, 1.0) if kept else cls(-1.0, 1.0)
        return cls(min(low, 0.0), max(high, 0.0))

    @property
    def signed(self) -> bool:
        """Whether the range has both signs, for which a diverging colour map is used."""
        return self.low < 0 < self.high

    @property
    def colours(self) -> Colormap:
        """The colour map, whose lightness increases throughout, so that it also works in grey."""
        return diverging() if self.signed else sequential()

    def mappable(self) -> ScalarMappable:
        """Make the object from which a colour bar is made."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        return ScalarMappable(Normalize(self.low, self.high), self.colours)

    def outside(self, values: Float[np.ndarray, "*field"]) -> Bool[np.ndarray, "*field"]:
        """Find values outside of the range, by more than rounding."""
        slack = 1e-6 * (self.high - self.low)
        with np.errstate(invalid="ignore"):
            return (values < self.low - slack) | (values > self.high + slack)

    def extend(self, fields: Iterable[Float[np.ndarray, "..."]]) -> str:
        """The ends at which a colour bar shows that there are values beyond: "neither", "min", "max", "both"."""
        slack = 1e-6 * (self.high - self.low)
        below = above = False
        with np.errstate(invalid="ignore"):
            for each in fields:
                below |= bool((each < self.low - slack).any())
                above |= bool((each > self.high + slack).any())
        return {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[
            below, above
        ]


@cache
def sequential() -> Colormap:
    """The colour map for values of one sign: viridis."""
    import matplotlib

    return _with_ends(matplotlib.colormaps["viridis"].colors)  # pyright: ignore[reportAttributeAccessIssue]


@cache
def diverging() -> Colormap:
    """The colour map for both signs: blue below zero, grey at zero, orange above, and lighter from end to end.

    Lightness and chroma are linear in the value, in Ottosson's Oklab (bottosson.github.io/posts/oklab), where equal distances
    look equal. The usual maps, which are light or dark in the middle, lose the sign in grey. Colour-blind people can tell blue
    and orange apart.
    """
    value = np.linspace(-1.0, 1.0, 255)
    lightness = 0.60 + 0.32 * value
    colourful = 0.155 * np.abs(value)
    hue = np.radians(np.where(value < 0, 262.0, 75.0))
    return _with_ends(_srgb(lightness, colourful * np.cos(hue), colourful * np.sin(hue)))


def _with_ends(colours: object) -> Colormap:
    from matplotlib.colors import ListedColormap

    made = ListedColormap(np.asarray(colours, np.float64))  # pyright: ignore[reportArgumentType]
    return made.with_extremes(bad=LOST, under=BELOW, over=ABOVE)


def _srgb(
    L: Float[np.ndarray, " colours"], a: Float[np.ndarray, " colours"], b: Float[np.ndarray, " colours"]
) -> Float[np.ndarray, "colours channels"]:
    """Convert colours from Oklab to sRGB, clipped to what a screen can show."""
    cones = np.stack([L, a, b], -1) @ np.array(
        [
            [1.0, 1.0, 1.0],
            [0.3963377774, -0.1055613458, -0.0894841775],
            [0.2158037573, -0.0638541728, -1.2914855480],
        ]
    )
    linear = cones**3 @ np.array(
        [
            [4.0767416621, -1.2684380046, -0.0041960863],
            [-3.3077115913, 2.6097574011, -0.7034186147],
            [0.2309699292, -0.3413193965, 1.7076147010],
        ]
    )
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
