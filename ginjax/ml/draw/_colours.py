"""Colours of a field: a map, a range, and marks for what lies outside of it."""

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
"""Colours of values below the range, above it, and of those that are no numbers."""


@dataclass(frozen=True)
class Scale:
    """The range of a field and its colours, the same wherever the field is drawn.

    **Arguments:**

    - `low`, `high`: the range, `low < high`.
    """

    low: float
    high: float

    @classmethod
    def of(cls, fields: Iterable[Float[np.ndarray, "..."]], *, lengths: bool = False) -> Scale:
        """From the smallest to the largest finite value; about zero where there are both signs.

        **Arguments:**

        - `fields`: all that is drawn in these colours.
        - `lengths`: whether they are lengths, which are compared with zero.
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
        """Whether the range holds both signs, which asks for colours that part in its middle."""
        return self.low < 0 < self.high

    @property
    def colours(self) -> Colormap:
        """The colour map: lightness grows throughout, so that it is one in grey as well."""
        return diverging() if self.signed else sequential()

    def mappable(self) -> ScalarMappable:
        """What a colour bar is made of."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        return ScalarMappable(Normalize(self.low, self.high), self.colours)

    def outside(self, values: Float[np.ndarray, "*field"]) -> Bool[np.ndarray, "*field"]:
        """Where values lie outside of the range, by more than rounding."""
        slack = 1e-6 * (self.high - self.low)
        with np.errstate(invalid="ignore"):
            return (values < self.low - slack) | (values > self.high + slack)

    def extend(self, fields: Iterable[Float[np.ndarray, "..."]]) -> str:
        """At which ends a colour bar shows that there are values beyond: "neither", "min", "max", "both"."""
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
    """For values of one sign: viridis."""
    import matplotlib

    return _with_ends(matplotlib.colormaps["viridis"].colors)  # pyright: ignore[reportAttributeAccessIssue]


@cache
def diverging() -> Colormap:
    """For values of both signs: blue below zero, orange above, grey at zero, and lighter from end to end.

    Lightness and colourfulness are linear in the value, in Ottosson's Oklab (bottosson.github.io/posts/oklab), where equal
    distances look equal. The usual maps that are light, or dark, in the middle lose the sign in grey; blue and orange are told
    apart by the colour-blind.
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
    """Colours of Oklab in sRGB, the nearest that a screen has."""
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
