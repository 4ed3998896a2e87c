"""What the user states about data files: fields, axes of arrays, parities and periodic axes."""

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
    """How to read data files.

    **Arguments:**

    - `fields`: exactly the fields to use, such as `velocity:1+=Vx,Vy`; those of the layout if empty.
    - `parity`: "even" or "odd" by field name; replaces what the layout suggests.
    - `periodic`: the periodic axes, `all`, `none`, or names such as `x,z`; replaces what the layout says.
    - `axes`: the order of the axes of all arrays, such as `trajectory,time,x,y`, or of one array, `u=trajectory,time,x,y`.
    - `target`: the fields to predict from the others, if the data are pairs of input and target.
    - `conditions`: numbers of each trajectory that the network receives, see `ginjax.data.open_data`.
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
        """The same, completed by what was stated about the training files of a model.

        **Arguments:**

        - `contract`: contract of the model.
        - `dimensions`: dimensions that the data may have; that of the model if empty.
        """
        return replace(self, like=contract, dimensions=tuple(dimensions) or (contract.D,))

    @property
    def given(self) -> tuple[str, ...]:
        """Names of the arguments of `ginjax.data.open_data` that are stated here."""
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
        """Open the data, see `ginjax.data.open_data`."""
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
    """Read `x,z`, `all` or `none` as one bool for each axis.

    **Raises:** `ArgumentError` for a name that is not one of the `D` axes, or a name given twice.
    """
    if text in ("all", "none"):
        return (text == "all",) * D
    axes, named = "xyz"[:D], text.split(",")
    if not set(named) <= set(axes) or len(set(named)) != len(named):
        raise ArgumentError(
            "periodic axes", got=repr(text), expected=f"all, none, or some of {', '.join(axes)}"
        )
    return tuple(axis in named for axis in axes)
