"""Numbers that are stored in another form than they mean: scaled, shifted, or standing for a missing value."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np


def unpacking(said: Mapping[str, np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """What turns stored numbers into values, as the attributes of their array say (CF conventions 1.11, section 8.1).

    **Arguments:**

    - `said`: the attributes `scale_factor`, `add_offset`, `_FillValue` and `missing_value` as far as they are there, `(n,)`.

    **Returns:** a function of an array: value = stored * scale_factor + add_offset, NaN where a fill value was stored.
    """
    if not any(values.size for values in said.values()):
        return lambda stored: stored
    fills = [value for name in ("_FillValue", "missing_value") for value in said.get(name, ())]
    scale, offset = (said[name][0] if name in said else None for name in ("scale_factor", "add_offset"))

    def unpacked(stored: np.ndarray) -> np.ndarray:
        whole = stored.dtype.kind != "f"
        missing = np.isin(stored, np.array(fills).astype(stored.dtype)) if fills else None
        packed = scale is not None or offset is not None
        values = (
            stored.astype(np.float64)
            if packed or (whole and missing is not None and missing.any())
            else stored
        )
        if scale is not None:
            values = values * scale
        if offset is not None:
            values = values + offset
        return values if missing is None or not missing.any() else np.where(missing, np.nan, values)

    return unpacked
