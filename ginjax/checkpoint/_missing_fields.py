"""What to do about fields that a model needs and the data do not have under these names."""

from __future__ import annotations

from collections.abc import Sequence

from ._contract import DataContract
from ._field import Field
from ._origin import is_simulation, simulated_equation


def way_to_missing_fields(
    missing: Sequence[Field],
    wanted: DataContract,
    found: DataContract,
    *,
    among: Sequence[Field],
    free: Sequence[Field],
) -> str:
    """The hint about missing fields. It offers other names only if they make a field of each missing one.

    **Arguments:**

    - `missing`: the fields of the model that the data lack.
    - `wanted`, `found`: the contracts of the model and of the data.
    - `among`: the fields of the data among which they were looked for.
    - `free`: those of them that are no fields of the model.
    """
    kinds = ", ".join(each.kind for each in missing)
    trained_on, simulated = simulated_equation(wanted.origin), simulated_equation(found.origin)
    pairs, left = _by_order(missing, free)
    other_equation = trained_on is not None and simulated is not None and trained_on != simulated
    # Names are given to variables of a file. And of another equation, one field of several is hardly the missing one.
    if is_simulation(found.origin) or (other_equation and (left or len(pairs) < len(missing))):
        on = f"The model was trained on {trained_on} and the" if other_equation else "The"
        return f"{on} data are of {simulated}: none of their fields is {kinds} under another name."
    if len(pairs) == len(missing):
        names = {each.name for each in among}
        # A field of this name has another order or parity, which has to be stated as well.
        said = [f"{a.kind if a.name in names else a.name}={b.name}" for a, b in pairs]
        some = "A field under another name is" if len(said) == 1 else "Fields under other names are"
        return f"{some} read by `fields={said}`."
    scalars = [each.name for each in free if each.k == 0]
    if len(missing) == 1 and missing[0].k == 1 and len(scalars) == len(free) == found.D:
        return (
            f"A vector is read from its components by `fields={[f'{missing[0].name}=' + ','.join(scalars)]}`."
        )
    return f"The data, as they were read, have no other field that {kinds} could be."


def _by_order(
    missing: Sequence[Field], free: Sequence[Field]
) -> tuple[list[tuple[Field, Field]], list[Field]]:
    """For each missing field one of the same order, if there is one: of the same name or parity first. And what is left."""
    left, pairs = list(free), list[tuple[Field, Field]]()
    for each in missing:
        fitting = [other for other in left if other.k == each.k]
        if fitting:
            other = max(fitting, key=lambda other: (other.name == each.name, other.p == each.p))
            left.remove(other)
            pairs.append((each, other))
    return pairs, left
