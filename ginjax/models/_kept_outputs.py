"""The check, by running it, that a network with changed fields computes the same of the fields that stay."""

from typing import Any

import numpy as np

from ..checkpoint import ModelRecord
from ..errors import NumericsError, UnsupportedError
from ..geometric import MultiImage
from ._file import from_record


def check_kept(before: ModelRecord, after: ModelRecord) -> None:
    """Refuse a network that computes something else of the fields that stay after others were added or removed.

    **Raises:** `UnsupportedError`; `NumericsError` if an output is not finite.
    """
    models = from_record(before), from_record(after)
    side = 4 * max(model.grid_factor for model in models)
    rng = np.random.default_rng(0)
    D = before.D
    names = {each.name for each in before.contract.everything} & {
        each.name for each in after.contract.everything
    }
    values = {
        (each.name, frame): rng.standard_normal((side,) * D + (D,) * each.k).astype(np.float32)
        for contract in (before.contract, after.contract)
        for each, frame in contract.inputs_named
    }
    outputs = []
    for model, record in zip(models, (before, after), strict=True):
        blocks: dict[Any, list[np.ndarray]] = {}
        # Removed fields are zero before the change. Added fields are random after it, as they must not matter.
        matters = len(record.contract.everything) > len(names) and record is before
        for each, frame in record.contract.inputs_named:
            value = values[each.name, frame]
            blocks.setdefault(each.key, []).append(value * (0 if matters and each.name not in names else 1))
        x = MultiImage({key: np.stack(some) for key, some in blocks.items()}, D, record.is_torus)
        y = model(x)[0]
        places: dict[Any, int] = {}
        for each in record.contract.predicted:
            place = places[each.key] = places.get(each.key, -1) + 1
            if each.name in names:
                outputs.append(np.asarray(y[each.key][place], np.float64))
    half = len(outputs) // 2
    for mine, its in zip(outputs[:half], outputs[half:], strict=True):
        if not np.allclose(mine, its, rtol=1e-3, atol=1e-4 * (1 + np.abs(mine).max())):
            if not (np.isfinite(mine).all() and np.isfinite(its).all()):
                raise NumericsError("output of the network is NaN or infinite")
            raise UnsupportedError(
                f"other fields for a {models[0].spec.architecture}",
                got="a network that computes something else of its old fields then",
                expected="one in which a channel of zero weights changes nothing, which a norm over the input is not",
            )
