"""Restriction of two networks to their common fields, if one of them has gained or lost fields."""

import numpy as np

from ...checkpoint import DataContract, Field, ModelRecord, kept_channels
from ...errors import ArgumentError
from ...geometric import MultiImage
from ...transfer import lift_key
from .._change_fields import drop_fields


def on_shared_fields(
    low: ModelRecord, high: ModelRecord, parity_lift: bool = False
) -> tuple[ModelRecord, ModelRecord]:
    """Restrict two models to the fields that both have, with the others at their means.

    If both have the same fields, they are returned as they are.

    **Arguments:**

    - `low`, `high`: the models, the second in a higher dimension.
    - `parity_lift`: whether odd scalars of the first are odd vectors in the second.

    **Raises:** `ArgumentError` if the second model has none of the fields that the first predicts.
    """
    ours, theirs = low.contract, high.contract
    if not (ours.fields and theirs.fields) or _names(ours) == _names(theirs):
        return low, high
    present = {(each.name, each.k, each.p) for each in theirs.everything}
    shared = {each.name for each in ours.everything if (each.name, *_key(each, parity_lift)) in present}
    if not any(each.name in shared for each in ours.fields):
        raise ArgumentError(
            "fields of the second model",
            got=", ".join(each.kind for each in theirs.everything),
            expected=f"some of {', '.join(each.kind for each in ours.everything)}, those of the first",
        )
    return drop_fields(low, _names(ours) - shared), drop_fields(high, _names(theirs) - shared)


def shared_inputs(fields: MultiImage, own: DataContract, shared: DataContract) -> MultiImage:
    """Select the channels of inputs that remain when a model is restricted to fewer fields.

    **Arguments:**

    - `fields`: inputs, blocks `(samples, channels, ...)`.
    - `own`, `shared`: the contracts before and after the restriction.
    """
    origins, _ = kept_channels(own, shared)
    blocks = {
        ((False,) * k, p): np.asarray(fields[(False,) * k, p])[:, kept.kept]
        for (k, p), kept in origins.items()
    }
    return MultiImage(blocks, fields.D, fields.is_torus)


def _names(contract: DataContract) -> set[str]:
    return {each.name for each in contract.everything}


def _key(each: Field, parity_lift: bool) -> tuple[int, int]:
    return lift_key((each.k, each.p)) if parity_lift else (each.k, each.p)
