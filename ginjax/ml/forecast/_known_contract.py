"""The contract of the data of a forecast, completed by that of the model."""

from __future__ import annotations

from dataclasses import replace

from ginjax.checkpoint import DataContract, Field
from ginjax.data import Source


def known_contract(source: Source, model: DataContract) -> DataContract:
    """Complete the contract of some data by that of a model, for pictures.

    **Arguments:**

    - `source`: the data.
    - `model`: the contract of the model.

    **Returns:** the contract of the data with the axis names of the model. Units, spacing and time step that the data do not
    state are those of the model.
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
