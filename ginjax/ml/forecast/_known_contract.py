"""What is known of the data of a forecast."""

from __future__ import annotations

from dataclasses import replace

from ginjax.checkpoint import DataContract, Field
from ginjax.data import Source


def known_contract(source: Source, model: DataContract) -> DataContract:
    """What is known of some data for a picture: what they say, and where they are silent what the model was trained on.

    **Arguments:**

    - `source`: the data.
    - `model`: the contract of a model that they are for.

    **Returns:** the contract of the data with the model's names of axes, and units, spacing and time step completed.
    """
    units = {each.name: each.unit for each in (*model.fields, *model.constants)}

    def with_unit(field: Field) -> Field:
        return replace(field, unit=field.unit_shown or units.get(field.name, field.unit))

    contract = source.contract.completed_by(model)
    return replace(
        contract,
        axes=tuple(
            replace(axis, name=named.name) for axis, named in zip(contract.axes, model.axes, strict=True)
        ),
        fields=tuple(map(with_unit, contract.fields)),
        constants=tuple(map(with_unit, contract.constants)),
    )
