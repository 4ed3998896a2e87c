"""How data files are to be read: the fields, axes of arrays, parities and periodic axes that the user states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ginjax.checkpoint import DataContract
from ginjax.data._axis_order import Axes
from ginjax.data._data_files import Paths
from ginjax.data._open import open_data
from ginjax.data._request import Conditions
from ginjax.data.sources import Source
from ginjax.errors import ArgumentError


@dataclass(frozen=True)
class DataReading:
    """How data are to be read.

    **Arguments:**

    - `fields`: exactly the fields to use, such as `velocity:1+=Vx,Vy`; the layout's own if empty.
    - `parity`: "even" or "odd" by field name, over what the layout suggests.
    - `periodic`: the periodic axes, over what the layout says: `all`, `none`, or names such as `x,z`.
    - `axes`: which axis of an array is which, such as `trajectory,time,x,y`, for one array `u=trajectory,time,x,y`.
    - `target`: the fields to be predicted from the others, where the data are pairs of input and target.
    - `conditions`: numbers of each trajectory that the network is told, see `ginjax.data.open_data`.
    - `like`, `unequal`, `dimensions`: as in `ginjax.data.open_data`.
    """

    fields: Sequence[str] = ()
    parity: Mapping[str, str] = field(default_factory=dict)
    periodic: str | None = None
    axes: Axes = ()
    target: Sequence[str] = ()
    like: DataContract | None = None
    unequal: bool = False
    conditions: Conditions = ()
    dimensions: Sequence[int] = ()

    def for_model(self, contract: DataContract, dimensions: Sequence[int] = ()) -> DataReading:
        """The same, and for what was not said, as the files that a model was trained on.

        **Arguments:**

        - `contract`: of the model.
        - `dimensions`: of which the data may be; that of the model if empty.
        """
        return replace(self, like=contract, dimensions=tuple(dimensions) or (contract.D,))

    @property
    def given(self) -> tuple[str, ...]:
        """What was said, by the names of the arguments of `ginjax.data.open_data`."""
        said = {
            "fields": self.fields,
            "axes": self.axes,
            "parity": self.parity,
            "is_torus": self.periodic,
            "target": self.target,
            "conditions": self.conditions,
        }
        return tuple(name for name, value in said.items() if value)

    def open(self, path: Paths, *, split: str | None = None, ask: bool = True) -> Source:
        """The data, see `ginjax.data.open_data`."""
        torus: bool | tuple[bool, ...] | None = {None: None, "all": True, "none": False}.get(self.periodic)
        if self.periodic not in (None, "all", "none"):
            torus = periodic_axes(self.periodic or "", self._open(path, split, ask, None).D)
        return self._open(path, split, ask, torus)

    def _open(
        self, path: Paths, split: str | None, ask: bool, torus: bool | tuple[bool, ...] | None
    ) -> Source:
        return open_data(
            path,
            fields=self.fields,
            axes=self.axes,
            target=self.target,
            parity=self.parity,
            split=split,
            is_torus=torus,
            like=self.like,
            unequal=self.unequal,
            conditions=self.conditions,
            dimensions=self.dimensions,
            ask=ask,
        )


def periodic_axes(text: str, D: int) -> tuple[bool, ...]:
    """`x,z`, or all or none, as one bool for each axis.

    **Raises:** `ArgumentError` for a name that is no axis of `D` dimensions, or one given twice.
    """
    if text in ("all", "none"):
        return (text == "all",) * D
    axes, named = "xyz"[:D], text.split(",")
    if not set(named) <= set(axes) or len(set(named)) != len(named):
        raise ArgumentError(
            "periodic axes", got=repr(text), expected=f"all, none, or some of {', '.join(axes)}"
        )
    return tuple(axis in named for axis in axes)
