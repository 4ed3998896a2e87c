"""The check whether data are of the kind that a model is for; it is made here only."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import get_args

from ginjax._unknown_name import unknown_name
from ginjax.errors import ArgumentError

from ._contract import DataContract
from ._contract_differences import ADAPTABLE, Aspect, Difference, differences


class ContractError(ArgumentError):
    """The data are not of the kind that the model is for.

    **Arguments:**

    - `difference`: the first difference.
    - `wanted`: the contract of the model.
    - `hint`: what to do, instead of the hint of the difference.
    """

    def __init__(self, difference: Difference, wanted: DataContract, hint: str | None = None):
        super().__init__(
            difference.subject,
            got=difference.got,
            expected=difference.expected,
            hint=difference.hint if hint is None else hint,
        )
        self.difference = difference
        self.wanted = wanted


def check_contract(
    wanted: DataContract,
    found: DataContract,
    *,
    task: bool = False,
    accept: Collection[Aspect] = (),
    adapting: bool = False,
) -> tuple[Difference, ...]:
    """Refuse data that a model is not for.

    **Arguments:**

    - `wanted`, `found`, `task`: as in `differences`.
    - `accept`: aspects in which the data may differ.
    - `adapting`: whether the model is about to be trained on the data, which could adapt it to them.

    **Returns:** the accepted differences.

    **Raises:** `ContractError` with the first difference that is not accepted: what was found and what was expected.
    """
    unknown = [aspect for aspect in accept if aspect not in get_args(Aspect)]
    if unknown:
        raise unknown_name("difference to accept", unknown[0], get_args(Aspect))
    all_found = differences(wanted, found, task=task)
    for each in all_found:
        if each.aspect not in accept:
            hint = None
            gone = _gone(wanted, found)
            if adapting and gone and each.aspect in ("fields", "constants"):
                hint = f"{each.hint} `drop_fields={gone}` takes what the data lack out of the model."
            elif adapting and each.aspect in ADAPTABLE:
                hint = f"`adapt=[{each.aspect!r}]` trains the network for these data from now on."
            raise ContractError(each, wanted, hint)
    return all_found


def conversion_differences(
    low: DataContract, high: DataContract, *, lifted: bool, new_axes: Sequence[int] = ()
) -> tuple[Difference, ...]:
    """The differences between the data of a converted model and those of the model before the conversion.

    If one of the contracts does not know its fields, there is nothing to compare.

    **Arguments:**

    - `low`, `high`: the contracts before and after.
    - `lifted`: whether odd scalars became odd vectors.
    - `new_axes`: the places of the added axes; the last ones if empty.
    """
    if not (low.fields and high.fields):
        return ()
    before = (low.lifted() if lifted else low).in_dimension(high.D, places=new_axes)
    # The boundaries of axes that were added are a choice of the conversion.
    added = new_axes or range(low.D, high.D)
    axes = (
        theirs if i in added else own
        for i, (own, theirs) in enumerate(zip(before.axes, high.axes, strict=True))
    )
    expected = replace(before, axes=tuple(axes))
    return differences(expected, high, task=True)


def _gone(wanted: DataContract, found: DataContract) -> list[str]:
    """The names of fields of a model that the data lack."""
    there = {(each.name, each.key) for each in found.everything}
    return [each.name for each in wanted.everything if (each.name, each.key) not in there]
