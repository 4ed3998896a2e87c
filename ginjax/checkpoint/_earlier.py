"""Model files of earlier versions, converted to the form of today when they are read.

Schema 1 described the training data in two forms: fields with `order` and `parity`, their scales with `k` and `p`. Boundaries
and dimension were stored beside them.
"""

from collections.abc import Mapping

from ginjax.errors import ArgumentError

from ._contract import axes_of
from ._expect import expect
from ._limits import MAX_DIMENSION

_FIELD = {"name": str, "order": int, "parity": int}
_SCALE = {"name": str, "k": int, "p": int}


def from_schema_1(header: Mapping[str, object], where: object) -> dict[str, object]:
    """Convert the header of a model file of schema 1 to the form of schema 2.

    **Raises:** `FileError` or `ArgumentError` with the part that is wrong.
    """
    D = expect(header, "dimension", int, where=where, least=1, most=MAX_DIMENSION)
    torus = expect(header, "is_torus", list, where=where, least=D, most=D)
    if not all(isinstance(axis, bool) for axis in torus):
        raise ArgumentError("field 'is_torus'", got=torus, expected="true or false for each axis")
    contract: dict[str, object] = {
        "axes": [
            {"name": axis.name, "boundary": axis.boundary, "padding": axis.padding}
            for axis in axes_of(tuple(torus))
        ]
    }
    if header.get("data") is not None:
        contract |= _contract(expect(header, "data", dict, where=where), where)
    kept = {name: value for name, value in header.items() if name not in ("dimension", "is_torus", "data")}
    return kept | {"contract": contract}


def _contract(data: Mapping[str, object], where: object) -> dict[str, object]:
    rows = {which: _rows(data, which, _FIELD, where) for which in ("inputs", "outputs")}
    scales = {row["name"]: row for row in _rows(data, "normalisation", _SCALE, where)}
    steady = expect(data, "constants", list, where=where, default=[])
    for row in (*rows["inputs"], *rows["outputs"]):
        scale = scales.get(row["name"])
        if scale is not None and (scale["k"], scale["p"]) != (row["order"], row["parity"]):
            raise ArgumentError(
                f"scale of field {row['name']!r}",
                got=(scale["k"], scale["p"]),
                expected=(row["order"], row["parity"]),
            )

    def field(row: Mapping[str, object]) -> dict[str, object]:
        scale = scales.get(row["name"], {})
        kept = {name: scale[name] for name in ("scale", "offset", "increment") if name in scale}
        return {"unit": "1", **{name: row[name] for name in ("name", "order", "parity")}} | kept | _unit(row)

    moving = [row for row in rows["inputs"] if row["name"] not in steady]
    same = [_key(row) for row in moving] == [_key(row) for row in rows["outputs"]]
    numbers = {
        name: data[name] for name in ("past_steps", "residual", "spacing", "time_step") if name in data
    }
    return numbers | {
        "fields": [field(row) for row in moving],
        "constants": [field(row) for row in rows["inputs"] if row["name"] in steady],
        "targets": None if same else [field(row) for row in rows["outputs"]],
        "origin": expect(data, "origin", dict, where=where, default={}),
    }


def _unit(row: Mapping[str, object]) -> dict[str, object]:
    return {"unit": row["unit"]} if isinstance(row.get("unit"), str) else {}


def _key(row: Mapping[str, object]) -> tuple[object, ...]:
    return row["name"], row["order"], row["parity"]


def _rows(
    data: Mapping[str, object], which: str, kinds: Mapping[str, type], where: object
) -> list[Mapping[str, object]]:
    rows = expect(data, which, list, where=where, default=[])
    for row in rows:
        if not isinstance(row, dict) or any(type(row.get(name)) is not kind for name, kind in kinds.items()):
            raise ArgumentError(
                f"field 'data.{which}'", got=repr(row)[:40], expected=f"objects with {', '.join(kinds)}"
            )
    return rows
