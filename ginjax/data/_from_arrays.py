"""A user's own arrays as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ginjax._unknown_name import unknown_name
from ginjax.checkpoint import DataContract, Field, axes_of
from ginjax.data._axis_order import Axes, parse_axes
from ginjax.data._ordered_arrays import in_own_order, refuse_doubtful, said_as_axes, vectors_in
from ginjax.data._request import UNIT_NOT_STATED, parse_parity
from ginjax.data.sources import MemorySource, Source
from ginjax.errors import ArgumentError
from ginjax.geometric import parse_torus

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_AXES = "trajectory, time, then space, then one axis of length D for each tensor index"


def from_arrays(
    fields: Mapping[str, ArrayLike],
    *,
    periodic: bool | Iterable[bool],
    order: Mapping[str, int] | None = None,
    parity: Mapping[str, object] | None = None,
    unit: Mapping[str, str] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    spacing: float | None = None,
    time_step: float | None = None,
    length_unit: str | None = None,
    time_unit: str | None = None,
    axes: Axes | None = None,
    name: str = "arrays",
) -> Source:
    """Use time series of fields in memory as data for training, for an evaluation or as the start of a forecast.

    **Arguments:**

    - `fields`: by name, real arrays `(trajectory, time, *space)` of scalars, with one more axis of length `D` at the end
      for each tensor index: a vector field in 2D is `(trajectory, time, x, y, 2)`, and its component `i` points along
      spatial axis `i`. Values are in physical units, on a grid of equal spacing.
    - `periodic`: whether the spatial axes are periodic: one answer for all, or one for each axis.
    - `order`: by name, the tensor order: 0 scalar, 1 vector, 2 matrix. An array that is not named is a scalar. If its last
      axes could be components too, it has to be named.
    - `parity`: by name, "even" (default) or "odd". An odd field changes sign under reflections, such as a vorticity in 2D.
    - `unit`: by name, the unit as text, for axes and tables.
    - `constants`: by name, fields that do not vary in time, `(trajectory, *space, D, ..., D)`, or one for all trajectories,
      `(*space, D, ..., D)`. They are inputs of a network and never predicted. `order`, `parity` and `unit` apply to them, too. To
      add one number for each trajectory, such as a viscosity, use `ginjax.data.with_conditions`.
    - `spacing`: distance between grid points, equal along all axes; None if unknown.
    - `time_step`: time between frames; None if unknown.
    - `length_unit`, `time_unit`: the units of these two as text, for the axes of pictures; None if unknown.
    - `axes`: the order of the axes if it differs from the one above, such as `"time,x,y,component"`, for all arrays or by name:
      `{"u": "trajectory,x,y,time"}`. An array without `trajectory` is a single simulation. Component 0 points along x. One text
      for all arrays applies to constants, too, without `time`.
    - `name`: what to call the data in titles and in the history of a model.

    **Returns:** a source; floating-point arrays are not copied.

    **Raises:** `ArgumentError` naming the array whose shape, order or values do not fit.
    """
    for what, given in (("fields", fields), ("order", order), ("unit", unit), ("constants", constants)):
        if given is not None and not isinstance(given, Mapping):
            raise ArgumentError(what, got=type(given).__name__, expected="a mapping from names")
    orders, units = {name: _order(name, k) for name, k in (order or {}).items()}, dict(unit or {})
    parities = parse_parity(parity or {})
    arrays = {each: _real(each, values) for each, values in fields.items()}
    steady = {each: _real(each, values) for each, values in (constants or {}).items()}
    if not arrays:
        raise ArgumentError("fields", got="none", expected="at least one array")
    said = parse_axes(axes)
    if unknown := sorted(set(said) - {*arrays, *steady, ""}):
        raise _no_such_array("axes", unknown[0], [*arrays, *steady])
    named = set(orders)
    arrays = in_own_order(arrays, said, orders)
    D = _dimension(arrays, orders)
    steady = in_own_order(steady, said, orders, constants_in=D)
    twice = sorted(set(arrays) & set(steady))
    if twice:
        raise ArgumentError(f"field '{twice[0]}'", got="a field and a constant", expected="one of them")
    for what, given in (("order", orders), ("parity", parities), ("unit", units)):
        unknown = sorted(set(given) - {*arrays, *steady})
        if unknown:
            raise _no_such_array(what, unknown[0], [*arrays, *steady])
    for each, values in arrays.items():
        if not {each, ""} & set(said):
            refuse_doubtful(each, values, orders.get(each, 0), named=each in named)
    first = next(iter(arrays))
    lead = arrays[first].shape[: 2 + D]
    for each, values in arrays.items():
        _check_shape(f"field '{each}'", values, orders.get(each, 0), D, [lead])
    for each, values in steady.items():
        _check_shape(f"constant '{each}'", values, orders.get(each, 0), D, [(lead[0], *lead[2:]), lead[2:]])
        if values.ndim == D + orders.get(each, 0):
            steady[each] = values[None]
    for each, values in {**arrays, **steady}.items():
        _check_values(each, values)

    def described(names: Iterable[str]) -> tuple[Field, ...]:
        return tuple(
            Field(each, orders.get(each, 0), parities.get(each, 0), units.get(each, UNIT_NOT_STATED))
            for each in names
        )

    for what, given in (("spacing", spacing), ("time_step", time_step)):
        if isinstance(given, bool) or not isinstance(given, int | float | np.number | None):
            raise ArgumentError(what, got=repr(given)[:60], expected="a positive number, or None if unknown")
    DataContract(  # refuses values that are not positive, or not texts
        axes_of((True,)),
        spacing=spacing,
        time_step=time_step,
        length_unit=length_unit,
        time_unit=time_unit,
    )
    return MemorySource(
        layout="memory",
        schema=described(arrays),
        constants=described(steady),
        D=D,
        spatial=lead[2:],
        spacing=spacing,
        time_step=time_step,
        length_unit=length_unit,
        time_unit=time_unit,
        is_torus=_torus(periodic, D),
        trajectories=lead[0],
        frames=lead[1],
        origin={"arrays": name},
        notes=tuple(
            f"the {what} is not known: whether models and other data have the same is not checked"
            for what, value in (("spacing", spacing), ("time step", time_step))
            if value is None
        ),
        held=arrays,
        steady=steady,
    )


def _no_such_array(what: str, name: str, known: list[str]) -> ArgumentError:
    """The error for a statement about an array that does not exist."""
    return unknown_name(f"{what} of '{name}'", name, known, got="no such array", expected=", ".join(known))


def _order(name: str, k: object) -> int:
    if isinstance(k, bool | np.bool_) or not isinstance(k, int | np.integer) or not 0 <= k <= 8:
        raise ArgumentError(f"order of '{name}'", got=repr(k), expected="0 (scalar), 1 (vector), 2, ...")
    return int(k)


def _torus(periodic: object, D: int) -> tuple[bool, ...]:
    """Only true and false count as answers: a text or None would otherwise be taken as one by accident."""
    flags = periodic if isinstance(periodic, Iterable) and not isinstance(periodic, str) else (periodic,)
    answers = [bool(each) for each in flags if isinstance(each, bool | np.bool_)]
    if len(answers) != len(list(flags)) or len(answers) not in (1, D):
        raise ArgumentError("periodic", got=repr(periodic)[:60], expected=f"True, False, or {D} of them")
    return parse_torus(answers if len(answers) == D else answers[0], D)


def _real(name: str, values: ArrayLike) -> np.ndarray:
    if np.ma.is_masked(values):
        raise ArgumentError(
            f"values of '{name}'",
            got="masked ones",
            expected="a number at every point",
            hint="Fill them first.",
        )
    try:
        found = np.asarray(values)
    except ValueError:
        raise ArgumentError(
            f"values of '{name}'", got="lists of unequal length", expected="an array"
        ) from None
    if found.dtype.kind not in "fiub":
        raise ArgumentError(f"values of '{name}'", got=found.dtype, expected="real numbers")
    return found if found.dtype.kind == "f" else found.astype(np.float32)


def _dimension(arrays: Mapping[str, np.ndarray], orders: Mapping[str, int]) -> int:
    """Number of spatial axes, which is the same for all fields."""
    found: dict[int, str] = {}
    for name, values in arrays.items():
        k = orders.get(name)
        D = values.ndim - 2 - (k or 0)
        if D < 1:
            raise ArgumentError(
                f"axes of field '{name}'",
                got=f"shape {values.shape}",
                expected=f"{_AXES}, of a field of order {k or 0}",
            )
        if k is None:
            _refuse_ambiguous(name, values)
        found.setdefault(D, name)
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise ArgumentError(
            "dimension of the fields",
            got=f"{one} for '{first}', {other} for '{second}'",
            expected="one dimension",
            hint="Name the order of every vector and tensor field: order={'velocity': 1}.",
        )
    return next(iter(found))


def _refuse_ambiguous(name: str, values: np.ndarray) -> None:
    """Refuse a field whose order was not stated if its last axes could be components: no grid is that small."""
    for k in range(1, values.ndim - 2):
        D = values.ndim - 2 - k
        if values.shape[-k:] == (D,) * k:
            raise ArgumentError(
                f"order of '{name}', which was not named",
                got=f"shape {values.shape}, a scalar in {values.ndim - 2}D or order {k} in {D}D",
                expected="one of them",
                hint=f"Say order={{{name!r}: {k}}} or order={{{name!r}: 0}}.",
            )
    D = values.ndim - 3
    if D > 0 and values.shape[-1] <= 3:
        raise ArgumentError(
            f"order of '{name}', which was not named",
            got=f"shape {values.shape}, whose last axis has {values.shape[-1]} values",
            expected=f"an axis of space, or {D} components of a vector in {D}D",
            hint=f"If it is an axis of space, say order={{{name!r}: 0}}. {_as_components(values.shape)}",
        )


def _as_components(shape: tuple[int, ...]) -> str:
    """How to state that the last axis holds components: with its order or, if they make no tensor, as scalars."""
    likely = vectors_in(shape)
    return said_as_axes(likely) if likely else "Give scalars one by one, each as a field of its own."


def _check_shape(what: str, values: np.ndarray, k: int, D: int, leads: list[tuple[int, ...]]) -> None:
    shapes = [(*lead, *(D,) * k) for lead in leads]
    if values.shape not in shapes:
        raise ArgumentError(
            f"shape of {what}, of order {k} in {D}D", got=values.shape, expected=" or ".join(map(str, shapes))
        )
    if 0 in values.shape:
        raise ArgumentError(f"shape of {what}", got=values.shape, expected="no empty axis")


def _check_values(name: str, values: np.ndarray) -> None:
    """Refuse values that a network of single precision cannot take; one trajectory at a time, to save memory."""
    largest = np.finfo(np.float32).max
    for index, part in enumerate(values):
        good = np.isfinite(part) & (np.abs(part) <= largest)
        if not good.all():
            at = tuple(int(i) for i in np.argwhere(~good)[0])
            raise ArgumentError(
                f"value of '{name}' at {(index, *at)}",
                got=part[at],
                expected=f"a finite number up to {largest:.2g}, the largest of float32",
            )
