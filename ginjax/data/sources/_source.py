"""The interface of a source: time series of fields, read a slice at a time from where they are stored."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np

from ginjax._text import plural
from ginjax.checkpoint import Condition, DataContract, Field, Reading, axes_of, ends_in_words
from ginjax.data.sources._spacing import spacings_in_words
from ginjax.errors import ArgumentError

MAX_TRAJECTORIES = 2**24
"""Most trajectories of a source; lists with an entry for each are kept in memory."""

MAX_FRAMES = 2**25
"""Most frames of a source in all trajectories together, for the same reason."""

NO_SERIES = (
    "Pairs of input and target that are no time series, such as coefficients and solutions of Darcy flow, are not trained on as "
    "time series: 'ginjax train' takes them with `target=['FIELD']`, the field to be predicted, and `axes=['trajectory,x,y']`."
)
"""The message for data without a time axis, or of a single frame."""

MAX_VALUES_READ = 2**30
"""Most values that one call of `Source.read` returns (4 GiB)."""

Box = tuple[tuple[int, int], ...]
"""A part of a grid: along each axis, the first pixel and the one after the last."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Source(abc.ABC):
    """Trajectories on one grid that are read on demand.

    Values are in physical units; component `i` of a vector points along spatial axis `i`.

    **Arguments:**

    - `layout`: how the data are stored, such as "the-well", "pdebench", "pdearena", "npz", "hdf5", "pairs" or "memory".
    - `schema`: the fields that vary in time, in channel order.
    - `constants`: fields and numbers that do not vary in time: inputs of a network, never targets.
    - `conditions`: names of the constants that are one number for each trajectory, the same everywhere on the grid.
    - `D`: number of spatial dimensions.
    - `spatial`: grid points along each axis.
    - `spacing`: distance between grid points, equal along all axes; None if it is unknown or differs.
    - `spacings`: one spacing for each axis, if they differ; networks cannot take such data. None otherwise.
    - `time_step`: time between frames; None if it is unknown, or is a condition that differs between trajectories.
    - `is_torus`: for each axis, whether it is periodic.
    - `trajectories`: number of trajectories.
    - `frames`: frames of the shortest trajectory, see `frames_of`.
    - `split`: "train", "valid" or "test" if the data are one of these splits.
    - `origin`: provenance of the data, as JSON values.
    - `notes`: what was assumed or left out, in words for the user.
    - `read_as`: by array, the order of its axes, such as `trajectory,time,x,y,component`, if the data do not state it.
    - `reading`: what else the user stated about the files; None if nothing.
    - `axes_known`: whether the order of the axes is certain. If not, dimension, grid and the rest are those of a likely reading.
    - `length_unit`, `time_unit`: the units of spacing and time step as text; None if unknown.
    - `boundaries_from`: the reason for `is_torus`, such as "as the file states"; empty for data that do not come from files.
    - `blank`: number of frames without data at the start of each trajectory, such as the zeros of pairs; they are not measured.
    - `boundaries_assumed`: whether `is_torus` is an assumption, stated neither by the data nor by the user.
    """

    layout: str
    schema: tuple[Field, ...]
    D: int
    spatial: tuple[int, ...]
    spacing: float | None
    time_step: float | None
    is_torus: tuple[bool, ...]
    trajectories: int
    frames: int
    constants: tuple[Field, ...] = ()
    split: str | None = None
    origin: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    read_as: Mapping[str, str] = field(default_factory=dict)
    reading: Reading | None = None
    axes_known: bool = True
    boundaries_from: str = ""
    boundaries_assumed: bool = False
    blank: int = 0
    spacings: tuple[float, ...] | None = None
    length_unit: str | None = None
    time_unit: str | None = None
    conditions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        fields = ", ".join(each.kind for each in (*self.schema, *self.constants))
        axes = ", ".join("periodic" if each else "not periodic" for each in self.is_torus)
        steps = self._steps_in_words("unknown")
        grid = "x".join(map(str, self.spatial))
        head = f"{self.name}: {fields}; {plural(self.trajectories, 'trajectory')} of {plural(self.frames, 'frame')} on {grid} points"
        why = f" ({self.boundaries_from})" if self.boundaries_from else ""
        return "\n".join(
            [f"{head}; {', '.join(steps)}; axes {axes}{why}", *(f"note: {each}" for each in self.notes)]
        )

    @property
    def in_words(self) -> tuple[str, ...]:
        """How the data were read, in two texts: shape and fields; then spacing, time step and boundaries with their reason."""
        grid = "x".join(map(str, self.spatial))
        fields = ", ".join(map(_kind, self.schema))
        steady = [each for each in self.constants if each.name not in self.conditions]
        fixed = f"; constant: {', '.join(map(_kind, steady))}" if steady else ""
        fixed += f"; of each trajectory: {', '.join(self.conditions)}" if self.conditions else ""
        shape = (
            f"{plural(self.trajectories, 'trajectory')} of {plural(self.frames, 'frame')} on {grid} points"
        )
        alike = len(set(self.read_as.values())) == 1
        orders = [order if alike else f"{name}={order}" for name, order in self.read_as.items()]
        axes = f" (axes {'; '.join(dict.fromkeys(orders))})" if orders else ""
        known = self._steps_in_words("not known")
        why = f" ({self.boundaries_from})" if self.boundaries_from else ""
        return (
            f"read as {shape}{axes}: {fields}{fixed}",
            f"{', '.join(known)}; {ends_in_words(axes_of(self.is_torus))}{why}",
        )

    def _steps_in_words(self, unknown: str) -> list[str]:
        differing = None if self.spacings is None else spacings_in_words(self.spacings)
        if differing is not None and self.length_unit:
            differing += f" ({self.length_unit})"
        told = {name.replace("_", " ") for name in self.conditions}
        return [
            f"{what} {differing}"
            if what == "spacing" and differing is not None
            else f"{what} of each trajectory"
            if value is None and what in told
            else f"{what} {unknown if value is None else f'{value:g} {unit}'.rstrip()}"
            for what, value, unit in (
                ("spacing", self.spacing, self.length_unit or ""),
                ("time step", self.time_step, self.time_unit or ""),
            )
        ]

    def described(self) -> dict[str, Any]:
        """All attributes of the source by name, from which another source can be made."""
        return {each.name: getattr(self, each.name) for each in fields(Source)}

    @property
    def in_order(self) -> bool:
        """Whether frames should be read in order, because reading one out of order costs as much as all frames before it."""
        return False

    @property
    def name(self) -> str:
        """Name of the data: that of their arrays, their equation or their file, otherwise their layout."""
        named = (self.origin.get(key) for key in ("arrays", "equation", "file"))
        return next((each for each in named if isinstance(each, str)), self.layout)

    @property
    def contract(self) -> DataContract:
        """The contract of these data, which a model trained on them gets or is compared with."""
        return DataContract(
            axes=axes_of(tuple(self.is_torus)),
            fields=self.schema,
            constants=self.constants,
            conditions=tuple(Condition(name) for name in self.conditions),
            spacing=self.spacing,
            time_step=self.time_step,
            layout=dict(self.read_as) or None,
            reading=self.reading,
            origin=dict(self.origin),
            length_unit=self.length_unit,
            time_unit=self.time_unit,
        )

    def frames_of(self, trajectory: int) -> int:
        """Number of frames of one trajectory."""
        return self.frames

    def check_frames(self, frames: int) -> None:
        """Refuse data whose trajectories are too short.

        **Raises:** `ArgumentError` unless every trajectory has at least that many frames.
        """
        if self.frames < frames:
            raise ArgumentError(
                "frames of the data",
                got=self.frames,
                expected=f"at least {frames} in each trajectory",
                hint=NO_SERIES if self.frames == 1 else None,
            )

    def read(
        self, trajectory: int, start: int, stop: int, *, precise: bool = False, box: Box | None = None
    ) -> dict[str, np.ndarray]:
        """Read the frames `start` to `stop - 1` of one trajectory; nothing else is read from the disk.

        **Arguments:**

        - `trajectory`: its index, from 0.
        - `start`, `stop`: indices of frames, from 0.
        - `precise`: whether to return values that are stored in double precision as such, to be centred and scaled.
        - `box`: the part of the grid to read; the whole grid if None.

        **Returns:** by field name, float32 arrays (float64 where `precise` applies) `(stop - start, *spatial, D, ..., D)`. With
        a box, `spatial` are its sides.

        **Raises:** `ArgumentError` for indices out of range or more than `MAX_VALUES_READ` values, `FileError` if the file
        cannot be read.
        """
        self._check_trajectory(trajectory)
        if not 0 <= start < stop <= self.frames_of(trajectory):
            raise ArgumentError(
                "frames to read",
                got=f"{start} to {stop}",
                expected=f"a non-empty part of 0 to {self.frames_of(trajectory)}",
            )
        self._check_size(self.schema, stop - start, box)
        found = (
            self._read(trajectory, start, stop)
            if box is None
            else self._read_box(trajectory, start, stop, box)
        )
        return _in_precision(found, precise)

    def read_constants(
        self, trajectory: int, *, precise: bool = False, box: Box | None = None
    ) -> dict[str, np.ndarray]:
        """Read the constants of one trajectory, broadcast over the grid.

        **Arguments:**

        - `trajectory`, `precise`, `box`: as in `read`.

        **Returns:** by field name, arrays `(*spatial, D, ..., D)` in the precision of `read`.

        **Raises:** as `read`.
        """
        self._check_trajectory(trajectory)
        self._check_size(self.constants, 1, box)
        found = self._read_constants(trajectory) if box is None else self._read_constants_box(trajectory, box)
        return _in_precision(found, precise)

    def at_hand(self, progress: Callable[[int, int], None] | None = None) -> Source:
        """The same data in a form in which any frame can be read at no more than its own cost.

        **Arguments:**

        - `progress`: called as `progress(done, total)` after each trajectory that had to be computed.

        **Returns:** the source itself; or, if trajectories are computed when they are read, all of them in memory.
        """
        return self

    def arrays(self, progress: Callable[[int, int], None] | None = None) -> dict[str, np.ndarray]:
        """Read all fields that vary in time into memory.

        **Arguments:**

        - `progress`: called as `progress(done, total)` after each trajectory.

        **Returns:** by name, float32 arrays `(trajectory, time, *spatial, D, ..., D)`, cut to the number of frames of the
        shortest trajectory.

        **Raises:** as `read`.
        """
        lead = self.trajectories, self.frames, *self.spatial
        found = {each.name: np.empty((*lead, *(self.D,) * each.k), np.float32) for each in self.schema}
        for index in range(self.trajectories):
            for name, frames in self.read(index, 0, self.frames).items():
                found[name][index] = frames
            if progress is not None:
                progress(index + 1, self.trajectories)
        return found

    def close(self) -> None:
        """Close open files; a later `read` opens them again."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abc.abstractmethod
    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        """`read` with checked arguments, in the precision of the data."""

    @abc.abstractmethod
    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        """`read_constants` with a checked argument."""

    def _read_box(self, trajectory: int, start: int, stop: int, box: Box) -> dict[str, np.ndarray]:
        """`_read` for a part of the grid; a subclass that can read less than whole frames overrides it."""
        lead = (slice(None), *slices_of(box))
        return {name: values[lead] for name, values in self._read(trajectory, start, stop).items()}

    def _read_constants_box(self, trajectory: int, box: Box) -> dict[str, np.ndarray]:
        """`_read_constants` for a part of the grid."""
        return {name: values[slices_of(box)] for name, values in self._read_constants(trajectory).items()}

    def _check_trajectory(self, trajectory: int) -> None:
        if not 0 <= trajectory < self.trajectories:
            raise ArgumentError("trajectory", got=trajectory, expected=f"0 to {self.trajectories - 1}")

    def _check_size(self, fields: tuple[Field, ...], frames: int, box: Box | None) -> None:
        if box is not None and (
            len(box) != self.D
            or any(not 0 <= low < high <= n for (low, high), n in zip(box, self.spatial, strict=True))
        ):
            raise ArgumentError("box to read", got=box, expected=f"a part of a grid of {self.spatial}")
        sides = self.spatial if box is None else tuple(high - low for low, high in box)
        values = frames * math.prod(sides) * sum(self.D**each.k for each in fields)
        if values > MAX_VALUES_READ:
            raise ArgumentError(
                "data to read at once",
                got=f"{values} values ({frames} frames on a grid of {sides})",
                expected=f"at most {MAX_VALUES_READ}",
                hint="Ask for fewer frames or fields, or a part of the grid.",
            )


def slices_of(box: Box) -> tuple[slice, ...]:
    """A box as NumPy slices."""
    return tuple(slice(low, high) for low, high in box)


def _in_precision(arrays: dict[str, np.ndarray], precise: bool) -> dict[str, np.ndarray]:
    """Convert to the floating-point precision that the values need, or to single precision."""
    with np.errstate(over="ignore"):  # infinities are found where values are used
        return {
            name: np.asarray(
                values, np.result_type(values.dtype, np.float32) if precise else np.float32, order="C"
            )
            for name, values in arrays.items()
        }


_KINDS = {0: "scalar", 1: "vector", 2: "matrix"}


def _kind(field: Field) -> str:
    kind = _KINDS.get(field.k, f"tensor of order {field.k}")
    return f"{field.name} ({'odd ' if field.p else ''}{kind})"
