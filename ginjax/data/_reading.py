"""How data files are to be read: the fields, parities and periodic axes that the user states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ginjax.data._open import Paths, open_data
from ginjax.data.sources import Source
from ginjax.errors import ArgumentError


@dataclass(frozen=True)
class DataReading:
    """How data are to be read.

    **Arguments:**

    - `fields`: exactly the fields to use, such as `velocity:1+=Vx,Vy`; the layout's own if empty.
    - `parity`: "even" or "odd" by field name, over what the layout suggests.
    - `periodic`: the periodic axes, over what the layout says: `all`, `none`, or names such as `x,z`.
    """

    fields: Sequence[str] = ()
    parity: Mapping[str, str] = field(default_factory=dict)
    periodic: str | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """What was said, by the names of the arguments of `ginjax.data.open_data`."""
        said = {"fields": self.fields, "parity": self.parity, "is_torus": self.periodic}
        return tuple(name for name, value in said.items() if value)

    def open(self, path: Paths, *, split: str | None = None, ask: bool = True) -> Source:
        """The data, see `ginjax.data.open_data`."""
        torus: bool | tuple[bool, ...] | None = {None: None, "all": True, "none": False}.get(self.periodic)
        if self.periodic not in (None, "all", "none"):
            D = open_data(path, fields=self.fields, parity=self.parity, split=split, ask=ask).D
            torus = periodic_axes(self.periodic or "", D)
        return open_data(path, fields=self.fields, parity=self.parity, split=split, ask=ask, is_torus=torus)


def periodic_axes(text: str, D: int) -> tuple[bool, ...]:
    """`x,z` as one bool for each axis.

    **Raises:** `ArgumentError` for a name that is no axis of `D` dimensions, or one given twice.
    """
    axes, named = "xyz"[:D], text.split(",")
    if not set(named) <= set(axes) or len(set(named)) != len(named):
        raise ArgumentError(
            "periodic axes", got=repr(text), expected=f"all, none, or some of {', '.join(axes)}"
        )
    return tuple(axis in named for axis in axes)
