"""The weights of a network on which no field of its certificate depends."""

import re

import numpy as np
from jaxtyping import Bool

from ..checkpoint import ModelRecord, kept_channels
from ..transfer import key_name, new_targets
from ._change_fields import drop_fields, layer_channels


def unbound_values(record: ModelRecord) -> dict[str, Bool[np.ndarray, " _rows"]]:
    """Find the values on which no field of the model's certificate depends.

    **Arguments:**

    - `record`: the model. If its certificate does not name fields, because it holds for all of them, there are no such values.

    **Returns:** for each array with such values, by name, which entries along its first axis they are.
    """
    certificate, contract = record.certificate, record.contract
    if certificate is None or not certificate.fields or not record.layers:
        return {}
    before = drop_fields(record, {each.name for each in contract.everything} - {*certificate.fields})
    channels = layer_channels(before, record, *kept_channels(before.contract, contract))
    shapes = {name: array.shape for name, array in record.arrays.items()}
    found = new_targets(shapes, channels, frozenset(before.arrays))
    # Hidden channels of orders and parities that came with new fields: no path of the certificate leads to them.
    paths = {(path.layer, path.path.partition("->")[2]) for path in certificate.paths}
    known = {key for _, key in paths}
    for layer in record.layers:
        new = {key_name(target) for _, _, target, _ in layer.paths()} - {
            key for name, key in paths if name == layer.name.replace(".product_conv", ".conv")
        }
        for name, shape in shapes.items():
            if name.startswith(f"{layer.name}.") and re.split(r"->|\.", name)[-1] in new:
                found[name] = np.ones(shape[:1], bool)
    for name, shape in shapes.items():
        keys = re.findall(r"(?<=\.)k\d+p[01](?=\.|$)", name)
        if (
            keys
            and keys[-1] not in known
            and not any(name.startswith(f"{each.name}.") for each in record.layers)
        ):
            found[name] = np.ones(shape[:1], bool)
    return found
