"""A contract as JSON. Every value is checked before it is used."""

import math
from collections.abc import Iterable, Mapping

from ginjax.errors import ArgumentError, FileError

from ._condition import condition_from_json, condition_to_json
from ._contract import Axis, DataContract, DataPart
from ._expect import expect
from ._field import MAX_NAME, MAX_ORDER, Field, FieldScale
from ._limits import MAX_DIMENSION
from ._reading import Reading, reading_from_json

MAX_FIELDS = 1024
MAX_PAST_STEPS = 4096
MAX_TRAJECTORY = 2**40


def contract_to_json(contract: DataContract) -> dict[str, object]:
    """Convert to a plain JSON object that `contract_from_json` can read."""
    scales = iter(contract.scales)  # in this order; a target may have the name of a field and another scale

    def fields(group: Iterable[Field]) -> list[dict[str, object]]:
        return [_field_to_json(each, next(scales, None)) for each in group]

    return {
        "axes": [
            {"name": axis.name, "boundary": axis.boundary, "padding": axis.padding} for axis in contract.axes
        ],
        "fields": fields(contract.fields),
        "constants": fields(contract.constants),
        "targets": None if contract.targets is None else fields(contract.targets),
        "conditions": [condition_to_json(each) for each in contract.conditions],
        "past_steps": contract.past_steps,
        "residual": contract.residual,
        "spacing": None if contract.spacing is None else float(contract.spacing),
        "time_step": None if contract.time_step is None else float(contract.time_step),
        "spectrum": None
        if contract.spectrum is None
        else {
            name: [[float(wave), float(power)] for wave, power in pairs]
            for name, pairs in contract.spectrum.items()
        },
        "layout": None if contract.layout is None else dict(contract.layout),
        **({} if contract.reading is None else {"reading": contract.reading.to_json()}),
        "parts": parts_to_json(contract.parts),
        "origin": dict(contract.origin),
        # Files of data without units must keep their bytes.
        **{
            name: unit
            for name, unit in (("length_unit", contract.length_unit), ("time_unit", contract.time_unit))
            if unit is not None
        },
    }


def parts_to_json(parts: Mapping[str, DataPart]) -> dict[str, object]:
    """Convert to a plain JSON object that `parts_from_json` can read."""
    return {
        name: {
            "digest": part.digest,
            "trajectories": None if part.trajectories is None else _runs(part.trajectories),
            "each": list(part.each),
        }
        for name, part in parts.items()
    }


def parts_from_json(data: Mapping[str, object], where: object) -> dict[str, DataPart]:
    """Read what `parts_to_json` wrote.

    **Raises:** `FileError` or `ArgumentError` with the part that is wrong.
    """
    return {name: _part(value, where) for name, value in data.items()}


def contract_from_json(data: Mapping[str, object], where: object) -> DataContract:
    """Read a contract that `contract_to_json` wrote.

    **Arguments:**

    - `data`: a JSON object.
    - `where`: the file that it comes from, for messages.

    **Raises:** `FileError` or `ArgumentError` with the part that is wrong.
    """
    rows = expect(data, "axes", list, where=where, least=1, most=MAX_DIMENSION)
    axes = tuple(_axis(row, where) for row in rows)
    if len({axis.name for axis in axes}) != len(axes):
        raise ArgumentError("axes of the data", got=[axis.name for axis in axes], expected="each name once")
    fields, constants = (_fields(data, which, where) for which in ("fields", "constants"))
    targets = None if data.get("targets") is None else _fields(data, "targets", where)
    read = [*fields, *constants, *(targets or ())]
    scaled = [scale for _, scale in read if scale is not None]
    if scaled and len(scaled) != len(read):
        raise ArgumentError(
            "scales of the fields", got=f"{len(scaled)} of {len(read)}", expected="all or none"
        )
    parts = expect(data, "parts", dict, where=where, default={}, most=16)
    return DataContract(
        axes=axes,
        fields=tuple(each for each, _ in fields),
        constants=tuple(each for each, _ in constants),
        targets=None if targets is None else tuple(each for each, _ in targets),
        conditions=tuple(
            condition_from_json(row, where)
            for row in expect(data, "conditions", list, where=where, default=[], most=MAX_FIELDS)
        ),
        scales=tuple(scaled),
        past_steps=expect(data, "past_steps", int, where=where, default=1, least=1, most=MAX_PAST_STEPS),
        residual=expect(data, "residual", bool, where=where, default=False),
        spacing=_positive(data, "spacing", where),
        time_step=_positive(data, "time_step", where),
        spectrum=_spectrum(data, where),
        layout=_layout(data, where),
        reading=_reading(data, where),
        parts=parts_from_json(parts, where),
        origin=expect(data, "origin", dict, where=where, default={}),
        length_unit=_unit(data, "length_unit", where),
        time_unit=_unit(data, "time_unit", where),
    )


def _field_to_json(each: Field, scale: FieldScale | None) -> dict[str, object]:
    row: dict[str, object] = {"name": each.name, "order": each.k, "parity": each.p, "unit": each.unit}
    if scale is None:
        return row
    row |= {"scale": float(scale.scale), "offset": float(scale.offset)}
    return row if scale.increment is None else row | {"increment": float(scale.increment)}


def _fields(data: Mapping[str, object], which: str, where: object) -> list[tuple[Field, FieldScale | None]]:
    rows = expect(data, which, list, where=where, default=[], most=MAX_FIELDS)
    found = [field_from_json(row, which, where) for row in rows]
    if len({each.name for each, _ in found}) != len(found):
        raise ArgumentError(
            f"field 'contract.{which}'", got=[e.name for e, _ in found][:8], expected="each name once"
        )
    return found


def field_from_json(row: object, which: str, where: object) -> tuple[Field, FieldScale | None]:
    """Read one field and, if it was measured, its scale."""
    if not isinstance(row, Mapping):
        raise ArgumentError(f"field 'contract.{which}'", got=repr(row)[:40], expected="a list of objects")
    made = Field(
        expect(row, "name", str, where=where, least=1, most=MAX_NAME),
        expect(row, "order", int, where=where, least=0, most=MAX_ORDER),
        expect(row, "parity", int, where=where, least=0, most=1),
        expect(row, "unit", str, where=where, default="1", most=MAX_NAME),
    )
    if row.get("scale") is None:
        return made, None
    increment = None if row.get("increment") is None else expect(row, "increment", float, where=where)
    scale = expect(row, "scale", float, where=where)
    return made, FieldScale(made, scale, expect(row, "offset", float, where=where, default=0.0), increment)


def _axis(row: object, where: object) -> Axis:
    if not isinstance(row, Mapping):
        raise ArgumentError("axes of the data", got=repr(row)[:40], expected="a list of objects")
    return Axis(*(expect(row, name, str, where=where, most=64) for name in ("name", "boundary", "padding")))  # type: ignore[arg-type]


def _positive(data: Mapping[str, object], name: str, where: object) -> float | None:
    if data.get(name) is None:
        return None
    value = expect(data, name, float, where=where)
    if not (value > 0 and math.isfinite(value)):
        raise FileError(
            f"{where}: field {name!r}",
            got=value,
            expected="a positive number, or none",
            hint="The file is corrupt or was changed by hand.",
        )
    return value


def _unit(data: Mapping[str, object], name: str, where: object) -> str | None:
    return None if data.get(name) is None else expect(data, name, str, where=where, most=MAX_NAME)


def _spectrum(
    data: Mapping[str, object], where: object
) -> Mapping[str, tuple[tuple[float, float], ...]] | None:
    if data.get("spectrum") is None:
        return None
    found = {}
    for name, pairs in expect(data, "spectrum", dict, where=where, most=MAX_FIELDS).items():
        good = isinstance(pairs, list) and all(
            isinstance(pair, list) and len(pair) == 2 and all(type(v) in (int, float) for v in pair)
            for pair in pairs
        )
        if not good:
            raise ArgumentError(
                "field 'contract.spectrum'", got=name, expected="pairs of wave number and power"
            )
        found[name] = tuple((float(k), float(power)) for k, power in pairs)
    return found


def _layout(data: Mapping[str, object], where: object) -> Mapping[str, str] | None:
    if data.get("layout") is None:
        return None
    found = expect(data, "layout", dict, where=where, most=MAX_FIELDS)
    if not all(isinstance(axes, str) for axes in found.values()):
        raise ArgumentError("field 'contract.layout'", expected="names of axes by field")
    return found


def _reading(data: Mapping[str, object], where: object) -> Reading | None:
    if data.get("reading") is None:
        return None
    return reading_from_json(expect(data, "reading", dict, where=where), where)


def _part(value: object, where: object) -> DataPart:
    if not isinstance(value, Mapping):
        raise ArgumentError("field 'contract.parts'", got=repr(value)[:40], expected="objects")
    digest = expect(value, "digest", str, where=where, most=128)
    each = expect(value, "each", list, where=where, default=[], most=2**20)
    if not all(isinstance(name, str) and len(name) <= 64 for name in each):
        raise ArgumentError("digests of the trajectories of a part", expected="short strings")
    runs = value.get("trajectories")
    if runs is None:
        return DataPart(digest, None, tuple(each))
    chosen: list[int] = []
    end = 0
    for run in expect(value, "trajectories", list, where=where, most=2**22):
        if not (isinstance(run, list) and len(run) == 2 and all(type(n) is int for n in run)):
            raise ArgumentError("trajectories of a part", got=repr(run)[:40], expected="[first, end] pairs")
        if not end <= run[0] < run[1] <= MAX_TRAJECTORY or len(chosen) + run[1] - run[0] > 2**24:
            raise ArgumentError("trajectories of a part", got=run, expected="rising pairs, few enough")
        chosen.extend(range(*run))
        end = run[1]
    return DataPart(digest, tuple(chosen), tuple(each))


def _runs(numbers: tuple[int, ...]) -> list[list[int]]:
    """Sorted numbers as half-open runs: most splits are a few runs, and these always fit into a header."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number:
            runs[-1][1] += 1
        else:
            runs.append([number, number + 1])
    return runs
