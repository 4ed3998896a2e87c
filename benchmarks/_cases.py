"""What is measured: sizes of convolutions and training steps, as plain data that travels between processes."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Support = Literal["full", "orthoplex"]


@dataclass(frozen=True)
class Case:
    """A field, a filter bank and a number of channels.

    **Arguments:**

    - `D`, `N`, `M`: dimension, pixels along an axis, side of the filters.
    - `batch`: samples.
    - `orders`: tensor orders of the fields, all even.
    - `channels`: channels of each order.
    - `support`: `"full"` filters, or `"orthoplex"`: those within L1 distance `(M - 1) / 2`, one for each distance.
    - `blocks`: residual blocks of two convolutions each; 0 for a single convolution.
    """

    D: int
    N: int
    M: int
    batch: int
    orders: tuple[int, ...]
    channels: int
    support: Support = "full"
    blocks: int = 0

    @property
    def plain_channels(self) -> int:
        """Channels of an ordinary network with as many numbers at each pixel."""
        return sum(self.channels * self.D**k for k in self.orders)

    @property
    def pixels(self) -> int:
        return self.batch * self.N**self.D

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> "Case":
        return Case(**{**record, "orders": tuple(record["orders"])})


CONVOLUTIONS: dict[str, Case] = {
    "conv-3d-vector": Case(3, 32, 3, 2, (0, 1), 8),
    "conv-3d-orthoplex": Case(3, 32, 5, 2, (0,), 16, "orthoplex"),
    "conv-3d-scalar": Case(3, 32, 3, 2, (0,), 16),
    "conv-2d-vector": Case(2, 64, 3, 2, (0, 1), 16),
}
STEPS: dict[str, Case] = {
    "step-2d-vector": Case(2, 64, 3, 4, (0, 1), 16, blocks=2),
    "step-3d-orthoplex": Case(3, 32, 5, 2, (0,), 16, "orthoplex", blocks=2),
    "step-3d-vector": Case(3, 24, 3, 2, (0, 1), 8, blocks=1),
}
LARGE: dict[str, Case] = {"step-large": Case(3, 64, 3, 1, (0, 1), 8, blocks=1)}
"""Training steps without a target."""

PRODUCTS: dict[str, Case] = {
    "products-2d": Case(2, 64, 3, 2, (0, 1), 8, blocks=1),
    "products-3d": Case(3, 24, 3, 2, (0, 1), 8, blocks=1),
}
"""Training steps with products of fields beside those with vector neurons."""

GPU: dict[str, Case] = {
    "gpu-3d-vector": Case(3, 128, 3, 1, (0, 1), 16),
    "gpu-2d-vector": Case(2, 512, 3, 8, (0, 1), 32),
    "gpu-step-3d": Case(3, 96, 3, 1, (0, 1), 16, blocks=2),
}
"""Sizes that fill a GPU; they are compiled only, see `gpu/`."""


def sweeps(quick: bool) -> dict[str, list[Case]]:
    """Convolutions of scalars and vectors along one quantity at a time; the name says which."""
    flat, deep = Case(2, 64, 3, 1, (0, 1), 8), Case(3, 24, 3, 1, (0, 1), 8)
    if quick:
        flat, deep = replace(flat, N=32, channels=4), replace(deep, N=16, channels=4)
    sizes_2d, sizes_3d = ((32, 64), (16, 24)) if quick else ((32, 64, 128, 256), (16, 24, 32, 48, 64, 96))
    channels = (4, 8) if quick else (4, 8, 16, 32, 64)
    sides_2d, sides_3d = ((3, 5), (3,)) if quick else ((3, 5, 7, 9), (3, 5, 7))
    return {
        "N-2d": [replace(flat, N=n) for n in sizes_2d],
        "N-3d": [replace(deep, N=n) for n in sizes_3d],
        "channels-2d": [replace(flat, channels=c) for c in channels],
        "channels-3d": [replace(deep, channels=c) for c in channels[: 4 if not quick else 2]],
        "M-2d": [replace(flat, M=m) for m in sides_2d],
        "M-3d": [replace(deep, M=m) for m in sides_3d],
    }
