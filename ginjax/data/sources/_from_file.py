"""Choice of fields from the variables of a file, by what the user states."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ginjax._unknown_name import did_you_mean
from ginjax.checkpoint import FIELD_NOTATION, Field, Reading
from ginjax.data._axis_order import axes_texts
from ginjax.data._field_example import name_the_fields
from ginjax.data._found import Found, Variable
from ginjax.data._request import ConditionRequest, FieldRequest
from ginjax.data._unknown_variable import unknown_variable
from ginjax.data.sources._source import MAX_FRAMES, MAX_TRAJECTORIES, MAX_VALUES_READ, Box, Source
from ginjax.data.sources._spacing import refuse_unequal
from ginjax.data.sources._told_by_file import check_steps, told_by_file, untold_numbers
from ginjax.errors import ArgumentError, FileError, GinjaxError
from ginjax.geometric import parse_torus

_PERHAPS_ODD = ("magnet", "vortic", "angular", "torque", "spin", "curl", "pseudo", "helic", "chiral")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FileSource(Source):
    """Fields read from the variables of one file."""

    found: Found = dataclasses.field(repr=False)
    parts: Mapping[str, tuple[Variable, ...]] = dataclasses.field(repr=False)

    def frames_of(self, trajectory: int) -> int:
        """Number of frames of one trajectory."""
        return self.frames if self.found.lengths is None else self.found.lengths[trajectory]

    def close(self) -> None:
        """Close the file; a later `read` opens it again."""
        self.found.close()

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        return {field.name: self._field(field, trajectory, start, stop) for field in self.schema}

    def _read_box(self, trajectory: int, start: int, stop: int, box: Box) -> dict[str, np.ndarray]:
        return {field.name: self._field(field, trajectory, start, stop, box) for field in self.schema}

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        return {field.name: self._field(field, trajectory, 0, 1)[0] for field in self.constants}

    def _read_constants_box(self, trajectory: int, box: Box) -> dict[str, np.ndarray]:
        return {field.name: self._field(field, trajectory, 0, 1, box)[0] for field in self.constants}

    def _field(
        self, field: Field, trajectory: int, start: int, stop: int, box: Box | None = None
    ) -> np.ndarray:
        parts = [part.frames(trajectory, start, stop, box) for part in self.parts[field.name]]
        whole = parts[0] if len(parts) == 1 else np.stack(parts, axis=-1)
        sides = self.spatial if box is None else tuple(high - low for low, high in box)
        shape = (stop - start, *sides, *(self.D,) * field.k)
        if whole.size != math.prod(shape):
            raise FileError(f"{self.found.where}: field '{field.name}'", got=whole.shape, expected=shape)
        return whole.reshape(shape)


def assemble(
    found: Found,
    requests: tuple[FieldRequest, ...] = (),
    parity: Mapping[str, int] | None = None,
    is_torus: bool | Iterable[bool] | None = None,
    *,
    reading: Reading | None = None,
    ask: bool = True,
    pairs: bool = False,
    unequal: bool = False,
    conditions: Sequence[ConditionRequest] = (),
    model: Sequence[Field] = (),
) -> Source:
    """Choose fields among the variables of a file.

    **Arguments:**

    - `found`: the file.
    - `requests`: exactly the fields to use, in this order; if empty, those that the layout suggests.
    - `parity`: parities of fields by name; they replace what the layout suggests.
    - `is_torus`: periodicity of the axes; replaces what the layout says.
    - `reading`: what the user stated about the file, which the source keeps.
    - `pairs`: whether the data are pairs of input and target, so that no field has to vary in time.
    - `unequal`: whether the spacing may differ along the axes, for data that will be resampled.
    - `ask`: whether to refuse what the layout leaves open or what makes the data unusable; otherwise it becomes a note.
    - `conditions`: numbers of each trajectory that a network receives.
    - `model`: the fields of the model that the data are for.

    **Raises:** `ArgumentError` if the user has to state something, or stated it wrongly; `FileError` for a file that cannot be
    used.
    """
    parity = dict(parity or {})
    notes = list(found.notes)
    _check_grid(found)
    if found.question is not None:
        question, hint = found.question
        if ask:
            raise ArgumentError(f"{found.where}: cannot be inferred: {question}", hint=hint)
        notes.append(f"cannot be inferred: {question}. {hint}")
    if not requests:
        _settle(found, parity, notes, ask, model)
    chosen = []
    for request in requests or found.defaults:
        try:
            chosen.append(_choose(found, request, parity))
        except GinjaxError as error:
            if ask or requests:
                raise
            notes.append(f"left out: {error.problem}")
    if found.parities_guessed and not requests:
        notes[:0] = _taken_as_even(found, parity)
    told = {each.name for each in conditions}
    unknown = set(parity) - {field.name for field, _, _ in chosen} - told
    if unknown and ask:
        raise ArgumentError(
            "parity of a field that is not there",
            got=sorted(unknown),
            expected=[f.name for f, _, _ in chosen],
            hint=did_you_mean(min(unknown), (f.name for f, _, _ in chosen)),
        )
    if not pairs and not any(varies for _, _, varies in chosen):
        raise FileError(
            f"{found.where}: no field that varies in time",
            got=", ".join(found.variables) or "nothing",
            hint=name_the_fields(_orders(found), model),
        )
    spacing, torus = found.spacing, found.is_torus if is_torus is None else parse_torus(is_torus, found.D)
    spacings = spacing if isinstance(spacing, tuple) else None
    if spacings is not None and not unequal:
        try:
            refuse_unequal(found.where, found.spatial, spacings, torus)
        except ArgumentError as error:
            if ask:
                raise
            notes.append(f"the spacing differs along the axes. {error.hint}")
    notes += check_steps(found, told, ask=ask)
    if not requests:
        used = {part for field in found.defaults for part in field.parts} | {
            each.source for each in conditions
        }
        notes += untold_numbers(found, used)
    source = FileSource(
        layout=found.layout,
        schema=tuple(field for field, _, varies in chosen if varies),
        constants=tuple(field for field, _, varies in chosen if not varies),
        conditions=tuple(
            field.name for field, parts, _ in chosen if len(parts) == 1 and parts[0].number is not None
        ),
        D=found.D,
        spatial=found.spatial,
        spacing=spacing if isinstance(spacing, float | int) else None,
        spacings=spacings,
        time_step=None if isinstance(found.time_step, np.ndarray) else found.time_step,
        length_unit=found.length_unit,
        time_unit=found.time_unit,
        is_torus=torus,
        trajectories=found.trajectories,
        frames=found.frames,
        split=found.split,
        origin=found.origin,
        notes=tuple(notes),
        read_as=axes_texts(found.read_as),
        reading=reading,
        axes_known=found.question is None,
        boundaries_from=_why(found, is_torus is not None),
        boundaries_assumed=is_torus is None and not found.boundaries_stated,
        found=found,
        parts={field.name: parts for field, parts, _ in chosen},
    )
    return told_by_file(source, found, conditions, parity)


def _taken_as_even(found: Found, parity: Mapping[str, int]) -> list[str]:
    """A note of the fields whose parity neither the file nor the user states."""
    names = [each.field.name for each in found.defaults]
    open_ = [name for name in names if name not in parity and name not in found.parities_stated]
    if not open_:
        return []
    those = "parities" if len(open_) == len(names) else f"the parity of {', '.join(open_)}"
    return [f"the file does not state {those}; taken as even (`parity` says which are odd)"]


def _why(found: Found, said: bool) -> str:
    """Why the axes are taken as periodic or not."""
    if said:
        return "as was said with `is_torus`"
    return (
        "as the file states"
        if found.boundaries_stated
        else "assumed, since the file does not state it; `is_torus` does"
    )


def _check_grid(found: Found) -> None:
    sizes = {"trajectories": found.trajectories, "frames": found.frames}
    sizes |= {f"points along axis {axis}": n for axis, n in enumerate(found.spatial)}
    for name, size in sizes.items():
        if size < 1:
            raise FileError(f"{found.where}: number of {name}", got=size, expected="at least 1")
    if found.trajectories > MAX_TRAJECTORIES:
        raise FileError(
            f"{found.where}: number of trajectories",
            got=found.trajectories,
            expected=f"<= {MAX_TRAJECTORIES}",
        )
    if (total := _total_frames(found)) > MAX_FRAMES:
        raise FileError(f"{found.where}: frames in all", got=total, expected=f"<= {MAX_FRAMES}")
    if math.prod(found.spatial) > MAX_VALUES_READ:
        raise FileError(
            f"{found.where}: grid", got=found.spatial, expected=f"at most {MAX_VALUES_READ} points"
        )


def _total_frames(found: Found) -> int:
    return found.trajectories * found.frames if found.lengths is None else sum(found.lengths)


def _orders(found: Found) -> dict[str, int]:
    """The tensor orders of the variables that may be fields."""
    usable = {name: each for name, each in found.variables.items() if each.problem is None}
    return {name: each.k for name, each in usable.items() if each.number is None}


def _settle(
    found: Found, parity: Mapping[str, int], notes: list[str], ask: bool, model: Sequence[Field]
) -> None:
    """Raise or note the questions that the layout leaves open."""
    questions = []
    if found.unclear is not None:
        answered = "`fields=" in found.unclear
        hint = f"Say which: {FIELD_NOTATION}." if answered else name_the_fields(_orders(found), model)
        questions.append((found.unclear, hint))
    for request in found.defaults:
        name = request.field.name
        if (
            name not in parity
            and name not in found.parities_stated
            and any(word in name.lower() for word in _PERHAPS_ODD)
        ):
            questions.append(
                (
                    f"whether '{name}' is odd (a pseudo-field, changing sign under reflections) or even",
                    f"Say which: `parity={{'{name}': 'odd'}}` or `parity={{'{name}': 'even'}}`.",
                )
            )
    for question, hint in questions:
        if ask:
            raise ArgumentError(f"{found.where}: cannot be inferred: {question}", hint=hint)
        notes.append(f"cannot be inferred: {question}. {hint}")


def _choose(
    found: Found, request: FieldRequest, parity: Mapping[str, int]
) -> tuple[Field, tuple[Variable, ...], bool]:
    field = replace(request.field, p=parity.get(request.field.name, request.field.p))
    parts = []
    for name in request.parts:
        if name not in found.variables:
            raise unknown_variable(
                f"field '{field.name}' from variable '{name}'",
                None,
                name,
                found.variables,
                field=request.field,
            )
        variable = found.variables[name]
        if variable.problem is not None:
            raise FileError(
                f"{found.where}: field '{field.name}': {variable.problem}",
                hint="Choose the fields to use with `fields`.",
            )
        parts.append(variable)
    components = found.D**field.k
    whole = len(parts) == 1 and (parts[0].k == field.k or components == 1 == found.D ** parts[0].k)
    if not whole and not (len(parts) == components and all(part.k == 0 for part in parts)):
        raise ArgumentError(
            f"variables of field '{field.name}'",
            got=", ".join(f"{n} of order {v.k}" for n, v in zip(request.parts, parts, strict=True)),
            expected=f"one of order {field.k}, or {components} of order 0",
            hint=f"A field of order {field.k} has {components} components in {found.D} dimensions.",
        )
    if len({part.varies for part in parts}) > 1:
        raise ArgumentError(
            f"variables of field '{field.name}'", got="some vary in time", expected="all or none"
        )
    return field, tuple(parts), parts[0].varies
