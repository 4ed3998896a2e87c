"""Recipes of filter banks, which hold in any dimension."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from ginjax._unknown_name import unknown_name
from ginjax.errors import ArgumentError

from ._group import GroupName
from ._scaling import SCALINGS, Scaling

Support = Literal["full", "cut", "summed", "orthoplex"]
SUPPORTS: tuple[Support, ...] = ("full", "cut", "summed", "orthoplex")


@dataclass(frozen=True)
class BankRecipe:
    """How to build a bank in any dimension.

    **Arguments:**

    - `side`: the side `M` of the filters in pixels, from 1 to 255.
    - `scaling`: `"one"`, `"normalize"` or `"gaussian"`; see `scale_filters`.
    - `support`: which filters the bank has.
      `"full"`: every invariant filter.
      `"cut"`: the filters with support in the L1 ball of radius `max_pixel_l1`.
      `"summed"`: as `"cut"`, with the filters of equal L1 radius added up.
      `"orthoplex"`: a small set that is closed under dimension transfer, for odd sides and scaling `"one"` only. For even
      parity it has, on each L1 shell `l`, one filter of order 0 (`1[|x|_1 = l]`), one of order 1 (`x_i 1[|x|_1 = l]`) and
      two of order 2 (`delta_ij 1[|x|_1 = l]` and `x_i x_j 1[|x|_1 = l]`). All other orders and parities are as `"cut"`.
    - `max_pixel_l1`: the radius of the L1 ball in pixels; the default is `(M-1)/2`. Not allowed for `"full"`.
    - `split_k2`: whether to split order 2 into trace, antisymmetric, symmetric and diagonal parts.
    - `group`: `"hyperoctahedral"` (`B_D`) or `"reflections"` (`C2^D`).
    """

    side: int
    scaling: Scaling = "one"
    support: Support = "full"
    max_pixel_l1: float | None = None
    split_k2: bool = True
    group: GroupName = "hyperoctahedral"

    def __post_init__(self):
        if not isinstance(self.side, int) or isinstance(self.side, bool) or not 1 <= self.side <= 255:
            raise ArgumentError("side of the filters", got=self.side, expected="a whole number from 1 to 255")
        for name, allowed in (
            ("scaling", SCALINGS),
            ("support", SUPPORTS),
            ("group", ("hyperoctahedral", "reflections")),
        ):
            if getattr(self, name) not in allowed:
                raise unknown_name(name, getattr(self, name), allowed)
        if not isinstance(self.split_k2, bool):
            raise ArgumentError("split_k2", got=repr(self.split_k2), expected="true or false")
        radius = self.max_pixel_l1
        if self.support == "full":
            if radius is not None:
                raise ArgumentError("max_pixel_l1", got=radius, expected="nothing for support 'full'")
        elif radius is None:
            object.__setattr__(self, "max_pixel_l1", (self.side - 1) / 2)
        elif isinstance(radius, bool) or not isinstance(radius, (int, float)) or not 0 <= radius <= 1e4:
            raise ArgumentError("max_pixel_l1", got=repr(radius), expected="a radius in pixels, 0 or more")
        else:
            object.__setattr__(self, "max_pixel_l1", float(radius))
        if self.support == "orthoplex" and (self.side % 2 == 0 or self.scaling != "one"):
            raise ArgumentError(
                "support 'orthoplex'",
                got=f"side {self.side}, scaling {self.scaling}",
                expected="an odd side and scaling 'one'",
                hint="Sums over L1 shells are closed under dimension transfer only there; use 'summed' or 'cut'.",
            )

    def to_json(self) -> dict[str, object]:
        """Return a plain JSON object that `from_json` can read."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "BankRecipe":
        """Read an object that `to_json` wrote; anything else raises an `ArgumentError`."""
        known = {f.name for f in fields(cls)}
        if not isinstance(data, Mapping) or "side" not in data or not set(data) <= known:
            raise ArgumentError(
                "bank recipe", got=repr(data), expected=f"an object with keys {sorted(known)}"
            )
        return cls(**data)
