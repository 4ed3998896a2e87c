"""What the user stated about data files that do not state it themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ginjax.errors import ArgumentError

from ._expect import expect

MAX_SAID = 1024


@dataclass(frozen=True)
class Reading:
    """What the user stated about the training files of a model, so that it need not be stated again for similar files.

    **Arguments:**

    - `kind`: the reader of these files, such as "npz".
    - `fields`: the stated fields, such as `velocity:1+=Vx,Vy`; empty if none were.
    - `parity`: by field, "even" or "odd".
    - `periodic`: for each axis, whether it is periodic; None if that was not stated.
    - `target`: the fields to predict from the others, if the data are pairs of input and target; empty for time series.
    - `conditions`: the names that the files use for conditions, if they differ, such as `viscosity=nu`.
    """

    kind: str
    fields: tuple[str, ...] = ()
    parity: Mapping[str, str] = field(default_factory=dict)
    periodic: tuple[bool, ...] | None = None
    target: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()

    def in_dimension(self, is_torus: Sequence[bool]) -> Reading:
        """The part that also applies in another dimension: without the variables that are the components of a vector.

        **Arguments:**

        - `is_torus`: for each axis there, whether it is periodic.
        """
        split = any("," in each for each in self.fields)
        periodic = None if self.periodic is None else tuple(is_torus)
        return replace(self, fields=() if split else self.fields, periodic=periodic)

    def to_json(self) -> dict[str, object]:
        """Convert to a plain JSON object that `reading_from_json` can read."""
        return {
            "kind": self.kind,
            "fields": list(self.fields),
            "parity": dict(self.parity),
            "periodic": None if self.periodic is None else list(self.periodic),
            **({"target": list(self.target)} if self.target else {}),
            **({"conditions": list(self.conditions)} if self.conditions else {}),
        }


def reading_from_json(data: Mapping[str, object], where: object) -> Reading:
    """Read what `Reading.to_json` wrote.

    **Raises:** `FileError` or `ArgumentError` with the part that is wrong.
    """
    fields = expect(data, "fields", list, where=where, default=[], most=MAX_SAID)
    parity = expect(data, "parity", dict, where=where, default={}, most=MAX_SAID)
    periodic = (
        expect(data, "periodic", list, where=where, most=8) if data.get("periodic") is not None else None
    )
    target = expect(data, "target", list, where=where, default=[], most=MAX_SAID)
    conditions = expect(data, "conditions", list, where=where, default=[], most=MAX_SAID)
    if not all(isinstance(each, str) for each in (*fields, *parity.values(), *target, *conditions)):
        raise ArgumentError("field 'contract.reading'", expected="texts")
    if periodic is not None and not all(isinstance(each, bool) for each in periodic):
        raise ArgumentError(
            "field 'contract.reading.periodic'", got=periodic, expected="true or false by axis"
        )
    return Reading(
        expect(data, "kind", str, where=where, least=1, most=256),
        tuple(fields),
        dict(parity),
        None if periodic is None else tuple(periodic),
        tuple(target),
        tuple(conditions),
    )
