"""Stored numbers that are not the values themselves: scaled, shifted, or standing for a missing value."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ginjax.errors import FileError

_LIMITS = {"valid_min": (0, None), "valid_max": (None, 0), "valid_range": (0, 1)}
"""For each attribute, which of its numbers is the smallest valid one, and which the largest."""

PACKING = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", *_LIMITS)
"""The attributes of an array that say how its numbers are stored, and which of them are values."""


def unpacking(
    where: str, said: Mapping[str, np.ndarray], dtype: np.dtype
) -> Callable[[np.ndarray], np.ndarray]:
    """The function from stored numbers to values, from the attributes of an array (CF conventions 1.11, sections 2.5.1 and 8.1).

    **Arguments:**

    - `where`: the array, for messages.
    - `said`: those of the attributes `PACKING` that exist.
    - `dtype`: dtype of the stored numbers.

    **Returns:** a function of an array: value = stored * scale_factor + add_offset. The value is NaN for a stored fill value,
    and for a number outside the valid range. The limits of this range are stored numbers; only for packed integers, limits of
    floating-point type are values.

    **Raises:** `FileError` for a scale or an offset that is not one finite number, a scale of zero, or limits that are not valid.
    """
    scale = _number(where, "scale_factor", said)
    offset = _number(where, "add_offset", said)
    meant = _unsigned(where, said, dtype)
    fills = np.array(
        [
            stored
            for name in ("_FillValue", "missing_value")
            if name in said
            for value in _numbers(said[name])
            if (stored := _as_stored(value, dtype, meant)) is not None
        ],
        meant,
    )
    stored_in, valued_in = _valid(where, said, packed=meant.kind in "iu" and (scale, offset) != (None, None))
    if scale is None and offset is None and not fills.size and meant == dtype and not stored_in:
        return lambda stored: stored

    def unpacked(stored: np.ndarray) -> np.ndarray:
        stored = stored.view(meant) if meant != dtype else stored
        missing = np.isin(stored, fills)
        for low, high in stored_in:
            missing |= (stored < low) | (stored > high)
        values = stored
        if scale is not None or offset is not None or (missing.any() and stored.dtype.kind != "f"):
            values = stored.astype(np.float64)
        if scale is not None:
            values = values * scale
        if offset is not None:
            values = values + offset
        for low, high in valued_in:
            missing |= (values < low) | (values > high)
        return np.where(missing, np.nan, values) if missing.any() else values

    return unpacked


def _number(where: str, name: str, said: Mapping[str, np.ndarray]) -> float | None:
    """A scale or an offset; None if not stated."""
    if name not in said:
        return None
    values = said[name].reshape(-1)
    number = float(values[0]) if values.size == 1 and values.dtype.kind in "fiu" else np.nan
    if not np.isfinite(number) or (name == "scale_factor" and number == 0):
        raise FileError(
            f"{where}: attribute '{name}'",
            got=str(said[name])[:60],
            expected="one finite number" + (" that is not zero" if name == "scale_factor" else ""),
            hint="The values of the array are not known without it: mend the attribute, or write the values as they are.",
        )
    return number


def _valid(
    where: str, said: Mapping[str, np.ndarray], *, packed: bool
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """The limits of valid numbers: those for stored numbers, and those for values."""
    limits: tuple[list[tuple[float, float]], list[tuple[float, float]]] = [], []
    for name, places in _LIMITS.items():
        if name not in said:
            continue
        given = said[name].reshape(-1)
        needed = max(place for place in places if place is not None) + 1
        if (
            given.size != needed
            or given.dtype.kind not in "fiu"
            or np.isnan(given).any()
            or given[0] > given[-1]
        ):
            raise FileError(
                f"{where}: attribute '{name}'",
                got=str(said[name])[:60],
                expected="one number" if needed == 1 else "two numbers, the lower one first",
                hint="Which numbers of the array are values is not known without it: mend the attribute, or take it away.",
            )
        low, high = (
            default if place is None else given[place].item()
            for place, default in zip(places, (-np.inf, np.inf), strict=True)
        )
        limits[packed and given.dtype.kind == "f"].append((low, high))
    return limits


def _numbers(values: np.ndarray) -> np.ndarray:
    """The fill values of an attribute; entries that are not numbers are left out."""
    return values.reshape(-1) if values.dtype.kind in "fiu" else values.reshape(-1)[:0]


def _as_stored(value: np.generic, dtype: np.dtype, meant: np.dtype) -> np.ndarray | None:
    """A fill value in the type of the numbers that it is compared with, `()`; None if that type cannot hold it."""
    for each in dict.fromkeys((meant, dtype)):
        with np.errstate(all="ignore"):
            stored = np.asarray(value).astype(each)
            same = bool(stored == value) or (each.kind == "f" and bool(np.isnan(value)))
            # A fill value of floats may have been written with more digits than the array has.
            near = (
                each.kind == "f"
                and bool(np.isfinite(stored))
                and np.isclose(stored, value, rtol=1e-3, atol=0)
            )
        if same or near:
            return stored.view(meant)
    return None


def _unsigned(where: str, said: Mapping[str, np.ndarray], dtype: np.dtype) -> np.dtype:
    """The type in which the stored numbers are meant: `_Unsigned` states whether integers have a sign."""
    if "_Unsigned" not in said or dtype.kind not in "iu":
        return dtype
    (word,) = said["_Unsigned"].reshape(-1)[:1] if said["_Unsigned"].size == 1 else (None,)
    text = (word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)).lower()
    if text not in ("true", "false", "1", "0"):
        raise FileError(f"{where}: attribute '_Unsigned'", got=text[:60], expected="true or false")
    kind = "u" if text in ("true", "1") else "i"
    return np.dtype(f"{dtype.byteorder}{kind}{dtype.itemsize}".lstrip("|"))
