"""The geometry of a convolution along one axis: which of its taps meet the field at which output point.

Let an axis have depth `n`. A convolution of stride `s`, dilation `e` and padding `p` computes output `i` from the points
`i s - p + e t`, one for each tap `t`. A transposed one computes output `o` from those points `(o + p - e t) / s` that are
whole numbers. On a field that does not vary along the axis all points are equal, so an output is the sum of the taps that
meet the field. Only padding by zeros removes taps from this sum.
"""

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from ginjax.errors import ArgumentError

MAX_TAPS = 256
MAX_STRIDE = 64
MAX_PADDING = 1024
_SMALL = {"taps": (1, MAX_TAPS), "stride": (1, MAX_STRIDE), "dilation": (1, MAX_STRIDE)}
_PADS = {"before": (0, MAX_PADDING), "after": (0, MAX_PADDING), "output_padding": (0, MAX_STRIDE)}
_FLAGS = ("transposed", "repeats", "fitted", "mirrored")


@dataclass(frozen=True)
class AxisGeometry:
    """One axis of a convolution.

    **Arguments:**

    - `taps`: entries of the kernel, 1 to 256; `stride`, `dilation`: 1 to 64.
    - `before`, `after`: points of padding at either end; for a transposed convolution, points that are cut off.
    - `output_padding`: for a transposed convolution, points that are added at the end.
    - `transposed`: whether it is a transposed convolution.
    - `repeats`: whether the padding continues the field (circular, replicate, reflect) instead of zeros.
    - `fitted`: whether the padding depends on the depth, so that `n` points become `n / s`, rounded up ("same" in TensorFlow).
      `before` and `after` are not used then.
    - `mirrored`: whether the taps of a transposed convolution run backwards, as in Flax.

    **Raises:** `ArgumentError` for a number out of range.
    """

    taps: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    output_padding: int = 0
    transposed: bool = False
    repeats: bool = False
    fitted: bool = False
    mirrored: bool = False

    def __post_init__(self) -> None:
        for name, (least, most) in (_SMALL | _PADS).items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise ArgumentError(f"{name} of a convolution", got=value, expected=f"{least} to {most}")

    @property
    def reach(self) -> int:
        """Number of points from the first to the last tap, both included."""
        return self.dilation * (self.taps - 1) + 1

    def pads(self, depth: int) -> tuple[int, int]:
        """Padding at either end of an axis with this depth."""
        if not self.fitted:
            return self.before, self.after
        rows = -(-depth // self.stride)
        total = max((rows - 1) * self.stride + self.reach - depth, 0)
        return total // 2, total - total // 2

    def meets(self, depth: int) -> np.ndarray:
        """Which taps meet the field at each output point of an axis with this depth: booleans `(outputs, taps)`."""
        before, after = self.pads(depth)
        reached = self.dilation * np.arange(self.taps)
        if self.transposed:
            rows = (depth - 1) * self.stride - before - after + self.reach + self.output_padding
            points = np.arange(max(rows, 0))[:, None] + before - reached
            met = (points % self.stride == 0) & (points >= 0) & (points < depth * self.stride)
            return met[:, ::-1] if self.mirrored else met
        rows = (depth + before + after - self.reach) // self.stride + 1
        points = np.arange(max(rows, 0))[:, None] * self.stride - before + reached
        return np.ones_like(points, bool) if self.repeats else (points >= 0) & (points < depth)

    def patterns(self, divides: bool) -> np.ndarray:
        """All different sets of taps that an output point can meet, `(patterns, taps)`.

        **Arguments:**

        - `divides`: whether to consider only axes whose depth is a multiple of the stride. Otherwise, axes of every depth that
          keeps the two ends apart are considered.
        """
        return _patterns(self, divides)

    def words(self) -> str:
        """The differences from a convolution of stride 1 without padding, in words for a table."""
        parts = ["transposed"] if self.transposed else []
        parts += [f"stride {self.stride}"] if self.stride > 1 or self.transposed else []
        parts += [f"dilation {self.dilation}"] if self.dilation > 1 else []
        if self.fitted:
            parts.append("padding by depth")
        elif self.before or self.after:
            parts.append(f"padding {'/'.join(map(str, sorted({self.before, self.after})))}")
        parts += ["repeating"] if self.repeats else []
        parts += [f"output padding {self.output_padding}"] if self.output_padding else []
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Convert to a plain JSON object that `from_json` can read."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> "AxisGeometry":
        """Read an axis from an untrusted value; an `ArgumentError` says what is wrong with it."""
        names = {*_SMALL, *_PADS, *_FLAGS}
        if not isinstance(data, dict) or set(data) != names:
            raise ArgumentError("axis of a convolution", expected=f"an object with {sorted(names)}")
        if not all(type(data[name]) is bool for name in _FLAGS):
            raise ArgumentError("axis of a convolution", expected=f"true or false for {', '.join(_FLAGS)}")
        return cls(**data)


@cache
def _patterns(axis: AxisGeometry, divides: bool) -> np.ndarray:
    s = axis.stride
    enough = 2 * axis.reach + axis.before + axis.after + 2 * s
    if axis.transposed:  # every input point makes s output points
        depths = range(first := enough // s + 4, first + 1)
    else:
        first = -(-enough // s) * s
        depths = range(first, first + 1) if divides else range(first, first + s)
    found: dict[bytes, np.ndarray] = {}
    for depth in depths:
        met = axis.meets(depth)
        whole = met.all(axis=1)
        found |= {row.tobytes(): row for row in (*met[whole][:1], *met[~whole])}
    patterns = np.array([found[each] for each in sorted(found)], bool).reshape(-1, axis.taps)
    patterns.flags.writeable = False
    return patterns
