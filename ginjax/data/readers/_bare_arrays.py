"""Arrays of which a file states only the shapes: read as the user says, or in ginjax's own order if that is certain."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping

import numpy as np

from ginjax._unknown_name import unknown_name
from ginjax.checkpoint import Field
from ginjax.data._axis_order import SPACE, TIME, TRAJECTORY, AxisOrder, AxisSlices
from ginjax.data._found import Found, Variable
from ginjax.data._likely_axes import MAX_CHANNELS, AxisReading, offers, settled
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest
from ginjax.data._unknown_variable import unknown_variable
from ginjax.data.readers._axis_names import names_allow, readings_by_names
from ginjax.data.readers._axis_question import question_of
from ginjax.data.readers._components import components_question
from ginjax.data.readers._coordinates import Points, check_points, orders_by_points, points_among
from ginjax.data.readers._hdf5 import MAX_COORDINATES
from ginjax.data.readers._said_axes import check_names, refuse_count, said_order, untold
from ginjax.data.readers._shared_axes import Guess
from ginjax.data.readers._steps import equal_step, spacing_of
from ginjax.data.readers._stored_array import StoredArray, numbers_among
from ginjax.data.readers._wanted_dimension import in_dimensions, refuse_dimensions
from ginjax.data.sources import NO_SERIES
from ginjax.errors import ArgumentError, FileError


def describe_arrays(
    where: str,
    layout: str,
    arrays: Mapping[str, StoredArray],
    requests: tuple[FieldRequest, ...],
    said: Mapping[str, AxisOrder],
    points: Mapping[str, Points] | None = None,
    *,
    pairs: bool = False,
    dimensions: Collection[int] = (),
) -> Found:
    """Describe arrays by what the user states, and by the points of their axes, if there are any.

    **Arguments:**

    - `where`: the file, for messages.
    - `layout`: name of its layout.
    - `arrays`: the arrays by name.
    - `requests`: the fields that the user named; then other arrays are not used.
    - `said`: the orders of axes by array; the empty name holds the order for all other arrays.
    - `points`: by axis, points or times that are stored elsewhere. Arrays `(n,)` with the name of an axis count as such, too.
    - `pairs`: whether the arrays are pairs of input and target, which need no time axis; the order of their axes has to be
      stated.
    - `dimensions`: dimensions that the data may have; any if empty.

    **Raises:** `FileError` if there is no time series, or if an array contradicts its points; `ArgumentError` for axes that do
    not fit an array.
    """
    unknown = sorted(set(said) - {*arrays, ""})
    if unknown:
        raise unknown_name(
            f"`axes` of array '{unknown[0]}'",
            unknown[0],
            arrays,
            got="no such array",
            expected="one of " + ", ".join(arrays),
        )
    wanted = _wanted(requests, arrays)
    if pairs and not said:
        raise ArgumentError(
            f"{where}: cannot be inferred: the order of the axes of pairs",
            hint="Say it: `axes=['trajectory,x,y']`, in which a trajectory is a pair.",
        )
    named = {*wanted, *said}
    beside = points_among({n: each.shape for n, each in arrays.items() if each.problem is None}, named)
    coordinates = {each.name for each in beside.values()}
    points = {**(points or {}), **beside}
    orders: dict[str, AxisOrder] = {}
    guesses: dict[str, Guess] = {}
    problems = dict.fromkeys(arrays, "it was not asked for")
    for name, array in arrays.items():
        if requests and name not in wanted:
            continue
        if name in coordinates:
            problems[name] = "it holds the points of an axis"
            continue
        if array.problem is not None:
            if name in wanted:
                raise FileError(f"{where}: field '{wanted[name].field.name}': {array.problem}")
            if name in said:
                raise FileError(f"{where}: array '{name}', whose axes were named: {array.problem}")
            problems[name] = array.problem
            continue
        if array.logical and name not in named:
            problems[name] = "its values are true and false; name it to use it"
            continue
        request = wanted.get(name)
        k = None if request is None else (request.field.k if len(request.parts) == 1 else 0)
        order = said_order(name, array.shape, said, dimensions, needed=request is not None)
        if order is None and not said:
            order, likely = _inferred(where, name, array, k, points)
            likely = in_dimensions(likely, dimensions)
            guesses[name] = Guess(array.shape, order, tuple(likely), asked=request is not None)
            order = order or provisional(array.shape, k, likely, dimensions)
        elif order is not None:
            check_names(name, order, array.labels)
            check_points(where, name, order, array.shape, points)
        if order is None:
            problems[name] = untold(name, array.shape, said)
        else:
            orders[name] = order
    refuse_dimensions(where, guesses, dimensions)
    question = None
    if any(each.open for each in guesses.values()):
        question, shared = question_of(guesses)
        orders |= shared
    if not orders and "" in said:
        shapes = {name: each.shape for name, each in arrays.items() if name not in coordinates}
        refuse_count(said[""], shapes, dimensions)
    orders, first = _alike(where, arrays, orders, named, problems, pairs)
    trajectories, frames, spatial = first
    variables: dict[str, Variable] = {}
    for name, order in orders.items():
        variables |= _variables(name, arrays[name], order)
    usable = dict(variables)
    left = [name for name in arrays if name not in orders]
    single = {name: arrays[name] for name in left if name not in coordinates}
    numbers = numbers_among(where, single, trajectories, spatial)
    variables |= {
        name: numbers.get(name) or Variable(0, _unreadable, problem=problems[name]) for name in left
    }
    unclear = None if said else "the order and parity of the fields: the file does not state them"
    unclear = unclear or components_question(usable, len(spatial))
    notes = []
    if not requests:
        notes += [
            f"array '{name}' is left out: {problems[name]}"
            for name in left
            if name not in coordinates and name not in numbers
        ]
    return Found(
        where=where,
        layout=layout,
        D=len(spatial),
        spatial=spatial,
        spacing=_spacing(where, arrays, beside, len(spatial)),
        time_step=equal_step(where, TIME, _values(arrays, beside[TIME])) if TIME in beside else None,
        is_torus=(True,) * len(spatial),
        trajectories=trajectories,
        frames=frames,
        variables=variables,
        defaults=tuple(
            FieldRequest(Field(name, variable.k, 0, UNIT_NOT_STATED), (name,))
            for name, variable in usable.items()
        ),
        notes=tuple(notes),
        unclear=unclear,
        parities_guessed=bool(said),
        question=question,
        read_as={name: order for name, order in orders.items() if not requests or name in wanted},
    )


def _array(part: str, arrays: Mapping[str, object]) -> str:
    """The array of a variable: the array `data` for `data.0`, otherwise the one of the same name."""
    base, dot, channel = part.rpartition(".")
    return base if part not in arrays and dot and channel.isdecimal() else part


def _wanted(requests: tuple[FieldRequest, ...], arrays: Mapping[str, StoredArray]) -> dict[str, FieldRequest]:
    """The fields that the user named, by array.

    **Raises:** `ArgumentError` if there is no such array.
    """
    wanted = {}
    for request in requests:
        for part in request.parts:
            if (name := _array(part, arrays)) not in arrays:
                what = f"field '{request.field.name}' from array '{part}'"
                raise unknown_variable(what, "no such array", name, arrays, field=request.field)
            wanted[name] = request
    return wanted


def _inferred(
    where: str, name: str, array: StoredArray, k: int | None, points: Mapping[str, Points]
) -> tuple[AxisOrder | None, list[AxisReading]]:
    """The order of an array's axes if its points or its shape determine it, else None; and the likely readings.

    **Raises:** `FileError` if no order fits the points.
    """
    shape, labels = array.shape, array.labels
    order, likely = settled(shape, k)[0], readings_by_names(shape, labels)
    if likely is None:
        likely = offers(shape, k)
    if order is not None and not names_allow(order, labels):
        order = None
    if not points or len(shape) < 3:
        return order, likely
    fitting = [each for each in orders_by_points(shape, points, k) if names_allow(each, labels)]
    if len(fitting) == 1:
        return fitting[0], likely
    if not fitting and (guess := order or provisional(shape, k, likely)) is not None:
        check_points(where, name, guess, shape, points)
    return None, [AxisReading(each, shape) for each in fitting] or likely


def provisional(
    shape: tuple[int, ...], k: int | None, likely: list[AxisReading], dimensions: Collection[int] = ()
) -> AxisOrder | None:
    """An order to continue with while a question is open, so that the rest of the file can be examined."""
    D = len(shape) - 2 - (k or 0)
    if D in (dimensions or (1, 2, 3)):
        return AxisOrder.usual(D, k or 0)
    return likely[0].order if likely else None


def _alike(
    where: str,
    arrays: Mapping[str, StoredArray],
    orders: Mapping[str, AxisOrder],
    named: Container[str],
    problems: dict[str, str],
    pairs: bool,
) -> tuple[dict[str, AxisOrder], tuple[int, int, tuple[int, ...]]]:
    """The arrays with the same trajectories, frames and grid as the first one that varies in time, and these numbers."""
    first = next((n for n, o in orders.items() if (o.varies or pairs) and 0 not in arrays[n].shape), None)
    if first is None:
        raise FileError(
            f"{where}: no array is a time series",
            got=", ".join(
                f"'{name}' of shape {array.shape}" + (f" ({array.problem})" if array.problem else "")
                for name, array in arrays.items()
            )
            or "nothing",
            expected="an array with an axis of time and at least one of space",
            hint=NO_SERIES,
        )
    order, shape = orders[first], arrays[first].shape
    common = order.size(TRAJECTORY, shape), order.size(TIME, shape), order.spatial(shape)
    fitting = {}
    for name, own in orders.items():
        sides = arrays[name].shape
        runs, frames = own.size(TRAJECTORY, sides), own.size(TIME, sides)
        fits = runs == common[0] or (not own.varies and TRAJECTORY not in own.names)
        fits = fits and own.spatial(sides) == common[2] and (frames == common[1] or not own.varies)
        if fits:
            fitting[name] = own
            continue
        if name in named:
            raise FileError(
                f"{where}: array '{name}'",
                got=str(AxisReading(own, sides)),
                expected=f"as '{first}': {AxisReading(order, shape)}",
            )
        problems[name] = f"it is {AxisReading(own, sides)}, unlike '{first}'"
    return fitting, common


def _variables(name: str, array: StoredArray, order: AxisOrder) -> dict[str, Variable]:
    """An array as one variable or, if its components are not as many as the spatial axes, as scalars `NAME.0`, ..."""
    inner, frames = order.components(array.shape), order.slices(array.read)
    if all(n == order.D for n in inner):
        return {name: Variable(order.k, frames, order.varies)}
    if inner == (1,):
        return {name: Variable(0, channel(frames, 0), order.varies)}
    if len(inner) == 1 and inner[0] <= MAX_CHANNELS:
        return {f"{name}.{i}": Variable(0, channel(frames, i), order.varies) for i in range(inner[0])}
    problem = f"its axes of components have {' and '.join(map(str, inner))} values, expected {order.D}"
    return {name: Variable(order.k, frames, order.varies, problem)}


def channel(frames: AxisSlices, i: int) -> AxisSlices:
    """One entry along the last axis."""
    return AxisSlices(lambda trajectory, start, stop, box: frames(trajectory, start, stop, box)[..., i])


def _values(arrays: Mapping[str, StoredArray], points: Points) -> np.ndarray:
    """The points or times of an axis.

    **Raises:** `FileError` for too many points.
    """
    if points.count > MAX_COORDINATES:
        raise FileError(f"points in '{points.name}'", got=points.count, expected=f"at most {MAX_COORDINATES}")
    return arrays[points.name].read((slice(None),)).astype(np.float64)


def _spacing(
    where: str, arrays: Mapping[str, StoredArray], beside: Mapping[str, Points], D: int
) -> float | tuple[float, ...] | None:
    """The distance between grid points, if there are points for every axis."""
    if not all(axis in beside for axis in SPACE[:D]):
        return None
    return spacing_of(where, [_values(arrays, beside[axis]) for axis in SPACE[:D]])


def _unreadable(trajectory: int, start: int, stop: int) -> np.ndarray:
    raise AssertionError  # a variable with a problem is never chosen
