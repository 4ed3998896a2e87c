"""The data contract: known properties of the data that a model is for. It is stored with the model; every command checks it."""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from ginjax.errors import ArgumentError
from ginjax.transfer import lift_key

from ._condition import OWN_CONDITIONS, Condition
from ._field import MAX_NAME, Field, FieldScale
from ._reading import Reading

Boundary = Literal["periodic", "bounded", "wall", "open"]
"""The ends of an axis: none (a periodic axis), ends of a kind that is not stated, walls, or inflow and outflow."""

PaddingWord = Literal["wrap", "zeros", "mirror", "edge"]
"""How a network continues a field beyond the ends of an axis."""

NewBoundary = Literal["periodic", "edge", "mirror"]
"""How a converted network continues a field beyond the ends of an axis that the conversion added."""

AXIS_NAMES = ("x", "y", "z", "axis4", "axis5", "axis6", "axis7", "axis8")


@dataclass(frozen=True)
class Axis:
    """One spatial axis.

    **Arguments:**

    - `name`: name of the axis; component `i` of a vector points along axis `i`.
    - `boundary`: the ends of the axis in the data.
    - `padding`: how a network continues fields there; `wrap` if and only if the axis is periodic.
    """

    name: str
    boundary: Boundary = "periodic"
    padding: PaddingWord = "wrap"

    def __post_init__(self) -> None:
        for what, value, known in (
            ("boundary", self.boundary, get_args(Boundary)),
            ("padding", self.padding, get_args(PaddingWord)),
        ):
            if value not in known:
                raise ArgumentError(
                    f"{what} of axis {self.name!r}", got=repr(value)[:40], expected=" or ".join(known)
                )
        if (self.boundary == "periodic") != (self.padding == "wrap"):
            raise ArgumentError(
                f"padding of axis {self.name!r}",
                got=f"{self.padding!r} where the axis is {self.boundary}",
                expected="'wrap' if and only if the axis is periodic",
            )

    @property
    def in_words(self) -> str:
        """A description, such as `x periodic`, or `y not periodic (mirror)`."""
        if self.is_torus:
            return f"{self.name} periodic"
        return f"{self.name} not periodic" + ("" if self.padding == "zeros" else f" ({self.padding})")

    @property
    def is_torus(self) -> bool:
        """Whether the axis is periodic."""
        return self.boundary == "periodic"


def axes_of(is_torus: tuple[bool, ...], names: tuple[str, ...] = ()) -> tuple[Axis, ...]:
    """Make axes if nothing is known but whether they are periodic; those that are not are continued by zeros."""
    return tuple(
        Axis(name, "periodic", "wrap") if periodic else Axis(name, "bounded", "zeros")
        for name, periodic in zip(names or AXIS_NAMES, is_torus, strict=False)
    )


@dataclass(frozen=True)
class DataPart:
    """The data of one split of a training.

    **Arguments:**

    - `digest`: digest of the whole data set, see `ginjax.data.source_digest`.
    - `trajectories`: indices of the trajectories used, sorted; None for all.
    - `each`: digests of these trajectories, see `ginjax.data.trajectory_digests`. They identify the trajectories in any file and
      order. Empty if the data were too large for that.
    """

    digest: str
    trajectories: tuple[int, ...] | None = None
    each: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        chosen = self.trajectories or ()
        if any(a >= b for a, b in itertools.pairwise(chosen)) or min(chosen, default=0) < 0:
            raise ArgumentError(
                "trajectories of a part",
                got="numbers out of order or below 0",
                expected="increasing numbers from 0 on",
            )


@dataclass(frozen=True)
class DataContract:
    """The properties that data must have for a model, independent of the grid.

    **Arguments:**

    - `axes`: the spatial axes.
    - `fields`: fields that vary in time, in channel order. They are inputs, and they are predicted unless `targets` says
      otherwise. Empty if the fields are unknown.
    - `constants`: fields that do not vary in time; they are inputs only.
    - `targets`: the predicted fields, if these are not `fields`; None otherwise.
    - `conditions`: the constants that are one number for each trajectory.
    - `scales`: the scale of every field, in the order `fields`, `constants`, `targets`; empty if they were not measured.
    - `past_steps`: frames of each field in an input, oldest first.
    - `residual`: whether the model predicts the change of each field instead of the field.
    - `spacing`: distance between grid points along every axis, in the data's unit of length; None if unknown.
    - `time_step`: time between frames, in the data's unit of time; None if unknown.
    - `spectrum`: by field, the isotropic power spectrum of the training data: pairs of wave number (radians per unit of
      length) and power; None if it was not measured.
    - `layout`: by array name, the order of axes that was used, such as `trajectory,time,x,y,component`; None for data
      that state it themselves.
    - `reading`: what else the user stated about the files; None if nothing.
    - `parts`: by name of the split (`train`, `valid`, `test`), its data.
    - `origin`: provenance of the data, as JSON values.
    - `length_unit`, `time_unit`: the units of `spacing` and `time_step` as text; None if unknown.

    **Raises:** `ArgumentError` if these do not fit each other.
    """

    axes: tuple[Axis, ...]
    fields: tuple[Field, ...] = ()
    constants: tuple[Field, ...] = ()
    targets: tuple[Field, ...] | None = None
    conditions: tuple[Condition, ...] = ()
    scales: tuple[FieldScale, ...] = ()
    past_steps: int = 1
    residual: bool = False
    spacing: float | None = None
    time_step: float | None = None
    spectrum: Mapping[str, tuple[tuple[float, float], ...]] | None = None
    layout: Mapping[str, str] | None = None
    reading: Reading | None = None
    parts: Mapping[str, DataPart] = field(default_factory=dict)
    origin: Mapping[str, object] = field(default_factory=dict)
    length_unit: str | None = None
    time_unit: str | None = None

    def __post_init__(self) -> None:
        if not self.axes:
            raise ArgumentError("axes of the data", got="none", expected="at least one")
        for what in ("axes", "fields", "constants", "targets", "conditions"):
            names = [each.name for each in getattr(self, what) or ()]
            if len(set(names)) != len(names):
                raise ArgumentError(f"{what} of the data", got=names[:8], expected="each name once")
        scalars = {each.name for each in self.constants if each.k == 0}
        for each in self.conditions:
            if each.name not in scalars:
                raise ArgumentError(
                    f"condition '{each.name}'",
                    got=", ".join(scalars) or "no scalar constants",
                    expected="a scalar constant of this name",
                )
        if self.past_steps < 1:
            raise ArgumentError("past_steps", got=self.past_steps, expected="1 or more")
        for name, value in (("spacing", self.spacing), ("time_step", self.time_step)):
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise ArgumentError(name, got=value, expected="a positive number, or None if unknown")
        for name, unit in (("length_unit", self.length_unit), ("time_unit", self.time_unit)):
            if unit is not None and not (isinstance(unit, str) and len(unit) <= MAX_NAME):
                raise ArgumentError(
                    name,
                    got=repr(unit)[:60],
                    expected=f"a text of at most {MAX_NAME} characters, or None if unknown",
                )
        if self.scales and tuple(scale.field for scale in self.scales) != self.everything:
            raise ArgumentError(
                "scales of the fields",
                got=[scale.field.name for scale in self.scales],
                expected=[each.name for each in self.everything],
            )

    @classmethod
    def unknown(cls, is_torus: tuple[bool, ...]) -> "DataContract":
        """A contract in which nothing is known but the axes."""
        return cls(axes_of(is_torus))

    @property
    def D(self) -> int:
        """Number of spatial dimensions."""
        return len(self.axes)

    @property
    def is_torus(self) -> tuple[bool, ...]:
        """For each axis, whether it is periodic."""
        return tuple(axis.is_torus for axis in self.axes)

    @property
    def predicted(self) -> tuple[Field, ...]:
        """The fields that are predicted."""
        return self.fields if self.targets is None else self.targets

    @property
    def inputs(self) -> tuple[Field, ...]:
        """One field for each input channel, in this order: fields x past frames, then constants."""
        return tuple(each for each, _ in self.inputs_named)

    @property
    def inputs_named(self) -> tuple[tuple[Field, int], ...]:
        """`inputs` with the number of the frame, 0 for the oldest; 0 for constants."""
        return (
            *((each, frame) for each in self.fields for frame in range(self.past_steps)),
            *((each, 0) for each in self.constants),
        )

    @property
    def everything(self) -> tuple[Field, ...]:
        """Fields, constants and targets."""
        return (*self.fields, *self.constants, *(self.targets or ()))

    @property
    def told(self) -> frozenset[str]:
        """The names of the conditions."""
        return frozenset(each.name for each in self.conditions)

    def without_conditions(self, names: Collection[str]) -> "DataContract":
        """The same contract, with some conditions as ordinary constants, which data may lack."""
        return replace(self, conditions=tuple(each for each in self.conditions if each.name not in names))

    def with_fields(
        self, fields: Sequence[Field], constants: Sequence[Field], conditions: Sequence[Condition] = ()
    ) -> "DataContract":
        """The same contract for other fields. It has scales only if those of all fields are known.

        **Arguments:**

        - `fields`, `constants`: the new fields in channel order; fields from before are recognised by name.
        - `conditions`: which of the new constants are numbers of each trajectory. If spacing or time step is among the
          conditions, the contract no longer has a single value for it.
        """
        scalars = {each.name for each in constants if each.k == 0}
        told = {each.name: each for each in (*conditions, *self.conditions) if each.name in scalars}
        known = {scale.field.name: scale for scale in self.scales}
        names = [each.name for each in (*fields, *constants)]
        spectrum = self.spectrum
        if spectrum is not None:
            spectrum = {name: spectrum[name] for name in names if name in spectrum} or None
        return replace(
            self,
            fields=tuple(fields),
            constants=tuple(constants),
            conditions=tuple(told.values()),
            scales=tuple(known[name] for name in names) if set(names) <= known.keys() else (),
            spectrum=spectrum,
            **{name: None for name in OWN_CONDITIONS if name in told},
        )

    def in_dimension(
        self, D: int, new: Sequence[NewBoundary] = (), places: Sequence[int] = ()
    ) -> "DataContract":
        """The contract of the same task in another dimension.

        The order in which array axes were read (`layout`) belongs to the old dimension and is dropped.

        **Arguments:**

        - `D`: the new dimension.
        - `new`: the boundary of each added axis, see `new_boundaries`; all are periodic if empty.
        - `places`: the places, in the higher dimension, of the axes that are added or removed, see `new_axis_places`; the last
          ones if empty.
        """
        axes, reading = axes_in_dimension(self.axes, D, new, places), self.reading
        if reading is not None and D != self.D:
            reading = reading.in_dimension([axis.is_torus for axis in axes])
        return replace(self, axes=axes, layout=None, reading=reading)

    def completed_by(self, other: "DataContract") -> "DataContract":
        """The same contract; spacing, time step and their units come from another contract if they are unknown here.

        A unit belongs to its number: if both contracts know the number, the unit is taken over only if the numbers are equal. A
        number that is a condition stays unknown.
        """
        found = {}
        for number, unit in OWN_CONDITIONS.items():
            if number in self.told:
                continue
            mine, theirs = getattr(self, number), getattr(other, number)
            found[number] = theirs if mine is None else mine
            same = mine is None or mine == theirs
            found[unit] = (
                getattr(other, unit) if getattr(self, unit) is None and same else getattr(self, unit)
            )
        return replace(self, **found)

    def lifted(self) -> "DataContract":
        """The same contract with every odd scalar as an odd vector, see `ginjax.transfer.lift_key`."""

        def of(each: Field) -> Field:
            k, p = lift_key((each.k, each.p))
            return replace(each, k=k, p=p)

        constants = tuple(map(of, self.constants))
        scalars = {each.name for each in constants if each.k == 0}
        return replace(
            self,
            fields=tuple(map(of, self.fields)),
            constants=constants,
            conditions=tuple(each for each in self.conditions if each.name in scalars),
            targets=None if self.targets is None else tuple(map(of, self.targets)),
            scales=tuple(replace(scale, field=of(scale.field)) for scale in self.scales),
        )


def axes_in_dimension(
    axes: Sequence[Axis], D: int, new: Sequence[NewBoundary] = (), places: Sequence[int] = ()
) -> tuple[Axis, ...]:
    """Axes in another dimension; arguments as in `DataContract.in_dimension`.

    If `places` are given, every axis is named by its place.
    """
    if len(axes) > D:
        kept = [axis for i, axis in enumerate(axes) if i not in places][:D]
        return (
            tuple(replace(axis, name=name) for axis, name in zip(kept, AXIS_NAMES, strict=False))
            if places
            else tuple(kept)
        )
    names = new_axis_names(axes, D, places)
    added = iter(
        Axis(name) if word == "periodic" else Axis(name, "bounded", word)
        for name, word in zip(names, new or ("periodic",) * len(names), strict=True)
    )
    if not places:
        return (*axes, *added)
    old = iter(axes)
    return tuple(next(added) if i in places else replace(next(old), name=AXIS_NAMES[i]) for i in range(D))


def new_axis_names(axes: Sequence[Axis], D: int, places: Sequence[int] = ()) -> list[str]:
    """Names of the axes that are added to reach a dimension."""
    if places:
        return [AXIS_NAMES[i] for i in places]
    taken = {axis.name for axis in axes}
    return [name for name in AXIS_NAMES if name not in taken][: max(D - len(axes), 0)]
