"""A change of the fields of a model: the fields it gains and loses, and the channels of each field."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ginjax._unknown_name import did_you_mean
from ginjax.errors import ArgumentError
from ginjax.transfer import Ends, FieldKey, KeptChannels

from ._contract import DataContract
from ._field import Field


@dataclass(frozen=True)
class FieldChange:
    """A change of the fields of a model; build it with `change_of_fields`.

    **Arguments:**

    - `before`, `after`: the contracts of the model. With new fields, `after` has no scales until they are measured.
    - `added`, `dropped`: the new fields and constants, and the removed ones.
    """

    before: DataContract
    after: DataContract
    added: tuple[Field, ...]
    dropped: tuple[Field, ...]

    @property
    def in_words(self) -> tuple[str, ...]:
        """A description of the change, one text for the gains and one for the losses."""
        gained, lost = (", ".join(each.kind for each in some) for some in (self.added, self.dropped))
        kept = any(each not in self.added for each in self.after.predicted)
        said = []
        if gained:
            then = (
                ", of which it has yet to learn everything"
                if not kept
                else ": until it is trained on these, they change nothing of its other predictions"
                if lost
                else ": until it is trained on these, its other predictions stay what they were"
            )
            said.append(f"the model gains {gained}{then}")
        if lost:
            said.append(
                f"the model loses {lost}: it goes on as if that were at its mean everywhere"
                if kept
                else f"the model loses {lost}: nothing that it predicted is left"
            )
        return tuple(said)

    @property
    def between(self) -> DataContract:
        """The contract with all fields, including the new ones and those that will be removed."""
        mine, after = _parts(self.before), _parts(self.after)
        fields, constants = (
            (*own, *(each for each in new if each in self.added))
            for own, new in zip(mine, after, strict=True)
        )
        return self.before.with_fields(fields, constants, self.after.conditions)


def change_of_fields(
    own: DataContract, found: DataContract, drop: Collection[str] = ()
) -> FieldChange | None:
    """Find out how the fields of a model change for data with other fields.

    Fields and constants are identified by name, order and parity. Fields of the model that the data have are kept, in the order
    of the model. Further fields of the data follow. Fields that the data lack are removed.

    **Arguments:**

    - `own`: the contract of the model.
    - `found`: the contract of the data.
    - `drop`: names of fields that the model must not have, whether they are its own or those of the data.

    **Returns:** the change; None if the fields do not change. None, too, if the data lack some fields and have others instead:
    these may be the same fields under other names, which only the user knows.

    **Raises:** `ArgumentError` for a name in `drop` that is not a field of either, or if no field would be left to predict.
    """
    known = list(dict.fromkeys(each.name for each in (*own.everything, *found.everything)))
    for name in drop:
        if name not in known:
            raise ArgumentError(
                "`drop_fields`",
                got=repr(name),
                expected="fields of the model or of the data: " + ", ".join(known),
                hint=_hint_for(name, known),
            )
    kept, added, dropped = [], [], []
    for mine, theirs in zip(_parts(own), _parts(found), strict=True):
        there = {(each.name, each.key) for each in theirs}
        stay = tuple(each for each in mine if (each.name, each.key) in there and each.name not in drop)
        names = {(each.name, each.key) for each in mine}
        new = tuple(each for each in theirs if (each.name, each.key) not in names and each.name not in drop)
        kept.append((*stay, *new))
        added += new
        dropped += [each for each in mine if each not in stay]
    lacking = [each for each in dropped if each.name not in drop]
    if (lacking and added) or not (added or dropped):
        return None
    if not kept[0]:
        if lacking:
            return None
        raise ArgumentError("`drop_fields`", got="every field", expected="one at least to be predicted")
    new = {each.name for each in added}
    told = [each for each in found.conditions if each.name in new]
    return FieldChange(own, own.with_fields(kept[0], kept[1], told), tuple(added), tuple(dropped))


def _hint_for(name: str, known: Sequence[str]) -> str | None:
    """A hint at the field that was probably meant, for a name that no field has."""
    several = [part.strip() for part in name.split(",")]
    if len(several) > 1 and all(part in known for part in several):
        return f"Name each by itself: `drop_fields={several}`."
    return did_you_mean(name, known)


def kept_channels(before: DataContract, after: DataContract) -> tuple[Ends, Ends]:
    """Map the new channels of input and output to the old ones, if fields were only added or only removed.

    **Arguments:**

    - `before`, `after`: contracts with the same number of past frames; fields are identified by name.
    """
    return _ends(before.inputs_named, after.inputs_named), _ends(
        [(each, 0) for each in before.predicted], [(each, 0) for each in after.predicted]
    )


def _ends(before: Sequence[tuple[Field, int]], after: Sequence[tuple[Field, int]]) -> Ends:
    old, new = _by_key(before), _by_key(after)
    found = {}
    for key, labels in new.items():
        place = {label: i for i, label in enumerate(old.get(key, []))}
        found[key] = KeptChannels(tuple(place.get(label) for label in labels), len(place))
    return found


def _by_key(channels: Sequence[tuple[Field, int]]) -> dict[FieldKey, list[tuple[str, int]]]:
    found: dict[FieldKey, list[tuple[str, int]]] = {}
    for each, frame in channels:
        found.setdefault((each.k, each.p), []).append((each.name, frame))
    return found


def _parts(contract: DataContract) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    return contract.fields, contract.constants
