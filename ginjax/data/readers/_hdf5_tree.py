"""HDF5 of any other layout: arrays anywhere in the tree, named by their paths; groups of the same form are trajectories.

The order of axes comes from labels and dimension scales, from the lengths of coordinates, or from the user. Coordinates are
arrays with one axis and the name of an axis, in the group of an array or above it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ginjax.data._axis_order import SPACE, TIME, TRAJECTORY, AxisOrder
from ginjax.data._found import Found
from ginjax.data._request import FieldRequest
from ginjax.data.readers._axis_names import axis_of, order_by_names, steady_by_names
from ginjax.data.readers._bare_arrays import describe_arrays
from ginjax.data.readers._coordinates import Points, by_trajectory
from ginjax.data.readers._data_file import DataFile
from ginjax.data.readers._foreign import foreign_file
from ginjax.data.readers._hdf5 import MAX_COORDINATES, Hdf5
from ginjax.data.readers._reader import Reader, Requests
from ginjax.data.readers._steps import equal_step, one_spacing
from ginjax.data.readers._stored_array import StoredArray
from ginjax.errors import ArgumentError, FileError

LAYOUT = "hdf5"
MAX_DEPTH = 8
MAX_NODES = 2**16
"""Most groups and arrays that are examined."""

MOST_NAMED = 4
"""Most arrays of other types that are listed one by one as left out."""

_NUMBERED = re.compile(r"(.*?)(\d+)")


def _recognises(file: DataFile) -> bool:
    """Whether a file is HDF5 with an array of at least two axes, and not of another known format."""
    if file.hdf5 is None or foreign_file(file) is not None:
        return False
    arrays, others = arrays_in(file.hdf5)
    return bool(others) or any(len(file.hdf5.shape(path)) >= 2 for path in arrays)


def arrays_in(content: Hdf5) -> tuple[list[str], dict[str, StoredArray]]:
    """The paths of all arrays of real numbers, group by group; and the arrays of other types with at least two axes."""
    arrays, others = [], {}
    for path in _datasets(content):
        if content.is_array(path):
            arrays.append(path)
        elif (other := content.other_values(path)) is not None and len(other[0]) >= 2:
            problem = f"it holds values of type {other[1][:64]}, expected real numbers"
            others[path] = StoredArray(other[0], _never, problem)
    return arrays, others


def _datasets(content: Hdf5) -> Iterator[str]:
    """The paths of all arrays, each once; links are not followed."""
    waiting, seen, known = [("", 0)], 0, set[object]()
    while waiting:
        group, depth = waiting.pop(0)
        for name in content.names(group or "/"):
            path, seen = f"{group}/{name}" if group else name, seen + 1
            if seen > MAX_NODES:
                raise FileError(f"{content.path}: groups and arrays in it", expected=f"at most {MAX_NODES}")
            try:
                if content.identity(path) in known:
                    continue
                known.add(content.identity(path))
                if content.is_array(path) or content.other_values(path) is not None:
                    yield path
                elif depth < MAX_DEPTH and content.is_group(path):
                    waiting.append((path, depth + 1))
            except FileError:
                continue


def _find(file: DataFile, split: str | None, requests: Requests) -> Found:
    """Describe a file of this layout."""
    content = file.content
    paths, others = arrays_in(content)
    families = _families(content, paths)
    arrays = {path: StoredArray(content.shape(path), partial(content.read, path)) for path in paths}
    said = dict(file.axes)
    labels = {path: content.axis_labels(path) for path in paths}
    for name, members in families.items():
        for member in members:
            del arrays[member]
        first = members[0]
        frames = min(content.shape(member)[0] for member in members)
        shape = (len(members), frames, *content.shape(first)[1:])
        arrays[name] = StoredArray(shape, _of_member(content, members))
        labels[name] = (TRAJECTORY, *labels[first])
    for name, members in _numbers(content, paths, families).items():
        for member in members:
            arrays.pop(member, None)
        arrays[name] = StoredArray((len(members),), _joined(content, members))
    asked = [part for request in requests for part in request.parts]
    points, steps = _points(content, paths, families, asked)
    arrays = {name: replace(each, labels=labels.get(name, ())) for name, each in arrays.items()}
    left = {name: each for name, each in arrays.items() if not _is_points(name, each.shape, points)}
    stated = {
        name: order
        for name, each in labels.items()
        if name in left and (order := order_by_names(each) or steady_by_names(each)) is not None
    }
    if not any(order.varies for order in stated.values()):
        stated = {}
    orders = _said(said, families, left) or stated
    counts = {axis: Points(name, content.points(name)) for axis, name in points.items()}
    left |= {path: each for path, each in others.items() if path in asked or path in said or not left}
    found = describe_arrays(
        file.path, LAYOUT, left, requests, orders, counts, pairs=file.pairs, dimensions=file.dimensions
    )
    chosen = next((n for n in found.read_as if n in families), None)
    counted = () if chosen is None else tuple(content.shape(each)[0] for each in families[chosen])
    lengths = counted if len(set(counted)) > 1 else None
    remarks = [
        content.chunk_remark(name, order) for name, order in found.read_as.items() if name not in families
    ]
    return replace(
        found,
        spacing=one_spacing(file.path, [steps[axis] for axis in SPACE[: found.D]])
        if all(axis in steps for axis in SPACE[: found.D])
        else None,
        time_step=steps.get(TIME),
        lengths=lengths if chosen is not None and found.read_as[chosen].varies else None,
        read_as=found.read_as if said or not stated else {},
        defaults=_named(found.defaults),
        split=split,
        origin=content.provenance(),
        notes=(*_in_words(families), *found.notes, *_left_out(others), *filter(None, remarks)),
        close=content.close,
    )


def _families(content: Hdf5, paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Arrays of one name in groups whose names differ in a number only, such as `run_3/u`, in the order of the numbers.

    They are the trajectories of one array if they agree in all axes except the first, which may have different lengths.
    """
    found: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for path in paths:
        parts = path.split("/")
        for i, part in enumerate(parts[:-1]):
            numbered = _NUMBERED.fullmatch(part)
            if numbered is None:
                continue
            above, below = "/".join([*parts[:i], numbered[1]]), "/".join(parts[i + 1 :])
            found.setdefault((above, below), []).append((int(numbered[2]), path))
            break
    families = {}
    for (above, below), members in found.items():
        shapes = {content.shape(path)[1:] for _, path in members}
        ranks = {len(content.shape(path)) for _, path in members}
        if len(members) > 1 and len(shapes) == 1 and ranks != {0} and min(ranks) >= 2:
            front = above.rstrip("/_-").rpartition("/")[0]
            families[f"{front}/{below}" if front else below] = tuple(path for _, path in sorted(members))
    taken = {path for path in paths if path not in {m for each in families.values() for m in each}}
    return {name: members for name, members in families.items() if name not in taken}


def _numbers(
    content: Hdf5, paths: Sequence[str], families: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Numbers of one name beside the arrays of each trajectory, such as `run_3/nu`, in the order of the trajectories."""
    single = {path for path in paths if math.prod(content.shape(path)) == 1}
    found: dict[str, tuple[str, ...]] = {}
    for family, members in families.items():
        folders = [member.rpartition("/")[0] for member in members]
        front = family.rpartition("/")[0]
        for path in single:
            folder, _, name = path.rpartition("/")
            each = tuple(f"{own}/{name}" for own in folders)
            if folder == folders[0] and set(each) <= single:
                found[f"{front}/{name}" if front else name] = each
    return {name: members for name, members in found.items() if name not in paths and name not in families}


def _joined(content: Hdf5, members: Sequence[str]) -> Callable[[tuple[int | slice, ...]], np.ndarray]:
    """A function that reads one number of each group."""
    return lambda selection: np.concatenate([content.read_number(each) for each in members])[selection]


def _of_member(content: Hdf5, members: Sequence[str]) -> Callable[[tuple[int | slice, ...]], np.ndarray]:
    def read(selection: tuple[int | slice, ...]) -> np.ndarray:
        which, *rest = selection
        if isinstance(which, slice):
            return np.stack([content.read(each, tuple(rest)) for each in members[which]])
        return content.read(members[which], tuple(rest))

    return read


def _said(
    said: Mapping[str, AxisOrder], families: Mapping[str, Sequence[str]], arrays: Mapping[str, StoredArray]
) -> dict[str, AxisOrder]:
    """The orders of axes that the user states; for groups that are trajectories, with or without the trajectory axis."""
    found = dict(said)
    for name in families:
        order = said.get(name, said.get(""))
        if order is None:
            continue
        rank = len(arrays[name].shape)
        for each in (order, order.without_components()):
            if TRAJECTORY not in each.names and len(each.names) == rank - 1:
                found[name] = AxisOrder((TRAJECTORY, *each.names))
                break
        else:
            if TRAJECTORY in order.names and order.names[0] != TRAJECTORY:
                raise ArgumentError(
                    f"`axes` of array '{name}'",
                    got=order.text,
                    expected="trajectory in front, or left out: every group is one",
                )
    if "" in found and all(name in found for name in arrays) and families:
        del found[""]
    return found


def _points(
    content: Hdf5, paths: Sequence[str], families: Mapping[str, Sequence[str]], asked: Sequence[str]
) -> tuple[dict[str, str], dict[str, float | np.ndarray | None]]:
    """The coordinates of each axis, and the distance between them, one for each trajectory if it differs.

    The nearest to the arrays are used; there are none if several are equally near and differ, unless they belong to trajectories.
    """
    fields = [path for path in paths if len(content.shape(path)) >= 2]
    fields = (
        [path for path in fields if path in asked]
        or [members[0] for name, members in families.items() if not asked or name in asked]
        or fields
    )
    found: dict[str, str] = {}
    steps: dict[str, float | np.ndarray | None] = {}
    for axis in (TIME, *SPACE):
        beside = [
            path
            for path in paths
            if len(content.shape(path)) == 1
            and axis_of(path.rpartition("/")[2]) == axis
            and any(_beside(path, field) for field in fields)
        ]
        if not beside:
            continue
        deepest = max(path.count("/") for path in beside)
        nearest = sorted((path for path in beside if path.count("/") == deepest), key=_by_numbers)
        shortest = min(nearest, key=content.points)
        values = [_values(content, path) for path in nearest]
        alike = all(np.array_equal(each, values[0]) for each in values)
        if alike or all(_is_in_a_run(path) for path in nearest):
            found[axis] = shortest
            steps[axis] = by_trajectory(
                [
                    equal_step(content.path, f"'{path}'", each)
                    for path, each in zip(nearest[: 1 if alike else None], values, strict=False)
                ]
            )
    return found, steps


def _by_numbers(path: str) -> list[tuple[str, int]]:
    """A key by which `run_9` comes before `run_10`."""
    return [(word, int(digits or 0)) for word, digits in re.findall(r"(\D*)(\d*)", path)]


def _is_in_a_run(path: str) -> bool:
    """Whether one of the groups above is among those that differ in a number only."""
    return any(_NUMBERED.fullmatch(part) for part in path.split("/")[:-1])


def _beside(points: str, field: str) -> bool:
    """Whether points are in the group of a field, in one above it, or in a subgroup of these, such as `grid`."""
    group = points.rpartition("/")[0]
    above = group.rpartition("/")[0]
    inside = f"{field.rpartition('/')[0]}/"
    return "" in (group, above) or inside.startswith((f"{group}/", f"{above}/"))


def _is_points(name: str, shape: tuple[int, ...], points: Mapping[str, str]) -> bool:
    return name in points.values() or (len(shape) == 1 and axis_of(name.rpartition("/")[2]) != "")


def _values(content: Hdf5, name: str) -> np.ndarray:
    return content.read_short(name, MAX_COORDINATES)


def _named(defaults: tuple[FieldRequest, ...]) -> tuple[FieldRequest, ...]:
    """Name fields after their arrays, without the groups if that is unambiguous."""
    short = [each.field.name.rpartition("/")[2] for each in defaults]
    return tuple(
        replace(
            each,
            field=replace(
                each.field, name=name if short.count(name) == 1 else each.field.name.replace("/", ".")
            ),
        )
        for each, name in zip(defaults, short, strict=True)
    )


def _in_words(families: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, members in families.items():
        yield f"array '{name}': {len(members)} groups are trajectories, from '{members[0]}' to '{members[-1]}'"


def _left_out(others: Mapping[str, StoredArray]) -> Iterator[str]:
    """Notes on arrays that are not fields; there may be one for each trajectory."""
    for path, each in list(others.items())[:MOST_NAMED]:
        yield f"array '{path}' is left out: {each.problem}"
    if len(others) > MOST_NAMED:
        yield f"{len(others) - MOST_NAMED} more arrays of other values than real numbers are left out"


def _never(selection: tuple[int | slice, ...]) -> np.ndarray:
    raise AssertionError  # an array with a problem is never read


ANY_HDF5 = Reader(LAYOUT, _recognises, _find)
"""The last reader to be asked, after all registered ones."""
