"""Digests of data, which recognise the same data by their content, in any file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._frames import slabs
from ginjax.data.sources import MAX_VALUES_READ, Source, condition_values

MAX_VALUES = 2**22
"""Most values that go into a digest; for more data, frames spread evenly over them are used."""

VALUES_OF_ONE = 2**16
"""Most values of a trajectory that go into its digest, unless two frames have more."""

VALUES_OF_ALL = 2**28
"""Most values for which digests of single trajectories are computed (1 GiB to read)."""

MAX_DIGESTS = 2**17
"""Most trajectories with a digest of their own, because the model file holds all of them."""


def source_digest(source: Source, fields: Iterable[Field] | None = None) -> str:
    """SHA-256, in hexadecimal, of the content of data.

    It covers the names and kinds of the fields, the grid, the numbers of trajectories and frames, and the values of frames spread
    evenly over the data (every frame if the data have no more than `MAX_VALUES` values). It does not cover spacing, time step and
    boundaries, because the user may state them differently.

    **Arguments:**

    - `source`: the data.
    - `fields`: the fields to use; all that vary in time by default. Constants are not covered.

    **Raises:** as `Source.read`.
    """
    chosen = _by_name(source, fields)
    lengths = np.array([source.frames_of(i) for i in range(source.trajectories)], dtype=np.int64)
    digest = hashlib.sha256()
    about = [[each.name, each.k, each.p] for each in chosen]
    digest.update(json.dumps([about, list(source.spatial), source.trajectories]).encode())
    digest.update(lengths.astype("<i8").tobytes())
    for trajectory, frame in _spread(source, chosen, lengths):
        # In one piece if it can be read that way: larger frames had no digest in earlier versions.
        for box in slabs(source, MAX_VALUES_READ):
            values = source.read(trajectory, frame, frame + 1, box=box)
            for each in chosen:
                digest.update(np.ascontiguousarray(values[each.name], "<f4").tobytes())
    return digest.hexdigest()


def constants_digest(source: Source, trajectories: Iterable[int] | None = None) -> str | None:
    """SHA-256, in hexadecimal, of the constants of data.

    It covers the numbers of every trajectory, and the constant fields of as many trajectories, spread evenly, as have
    `MAX_VALUES` values.

    **Arguments:**

    - `source`: the data.
    - `trajectories`: which of them, in any order; all by default.

    **Returns:** the digest; None for data without constants.

    **Raises:** as `Source.read_constants`.
    """
    if not source.constants:
        return None
    numbers = sorted(range(source.trajectories) if trajectories is None else map(int, trajectories))
    digest = hashlib.sha256(
        json.dumps([sorted((each.name, each.k, each.p) for each in source.constants), len(numbers)]).encode()
    )
    for name, values in sorted(condition_values(source, source.conditions, numbers).items()):
        digest.update(name.encode() + np.ascontiguousarray(values, "<f4").tobytes())
    fields = [each for each in source.constants if each.name not in source.conditions]
    each_has = math.prod(source.spatial) * sum(source.D**field.k for field in fields)
    count = min(len(numbers), max(MAX_VALUES // max(each_has, 1), 2)) if fields else 0
    for place in np.unique(np.linspace(0, len(numbers) - 1, count).round().astype(np.int64)):
        for box in slabs(source, MAX_VALUES_READ):
            values = source.read_constants(numbers[int(place)], box=box)
            for field in sorted(fields, key=lambda each: each.name):
                digest.update(np.ascontiguousarray(values[field.name], "<f4").tobytes())
    return digest.hexdigest()


def _by_name(source: Source, fields: Iterable[Field] | None) -> list[Field]:
    named = {each.name: each for each in (source.schema if fields is None else fields)}
    return [named[name] for name in sorted(named)]


def _spread(source: Source, fields: list[Field], lengths: np.ndarray) -> Iterable[tuple[int, int]]:
    """Trajectory and number of the frames to use, in the order in which they are stored."""
    per_frame = math.prod(source.spatial) * sum(source.D**each.k for each in fields)
    ends = np.cumsum(lengths)
    total = int(ends[-1])
    count = min(total, max(MAX_VALUES // max(per_frame, 1), 2))
    numbers = np.unique(np.linspace(0, total - 1, count).round().astype(np.int64))
    which = np.searchsorted(ends, numbers, side="right")
    starts = ends - lengths
    yield from ((int(w), int(n - starts[w])) for n, w in zip(numbers, which, strict=True))


def trajectory_digests(
    source: Source,
    fields: Iterable[Field] | None = None,
    trajectories: Sequence[int] | np.ndarray | None = None,
) -> tuple[str, ...]:
    """Short digests of single trajectories, which do not depend on the file or on the order of the trajectories.

    Each digest covers the grid, the number of frames, and the values of frames spread evenly over the trajectory: all frames,
    or as many as have `VALUES_OF_ONE` values, but at least the first and the last.

    **Arguments:**

    - `source`, `fields`: as in `source_digest`.
    - `trajectories`: which of them; all by default.

    **Returns:** one digest of 16 hexadecimal digits for each; nothing for data so large (`VALUES_OF_ALL`) that it would take
    long.

    **Raises:** as `Source.read`.
    """
    chosen = _by_name(source, fields)
    numbers = range(source.trajectories) if trajectories is None else [int(i) for i in trajectories]
    per_frame = max(math.prod(source.spatial) * sum(source.D**each.k for each in chosen), 1)
    most = max(VALUES_OF_ONE // per_frame, 2)
    if len(numbers) * min(source.frames, most) * per_frame > VALUES_OF_ALL or len(numbers) > MAX_DIGESTS:
        return ()
    return tuple(_of_one(source, chosen, number, most) for number in numbers)


def _of_one(source: Source, fields: list[Field], trajectory: int, most: int) -> str:
    frames = source.frames_of(trajectory)
    about = [[[each.name, each.k, each.p] for each in fields], list(source.spatial), frames]
    digest = hashlib.sha256(json.dumps(about).encode())
    if frames <= most:
        blocks = [source.read(trajectory, 0, frames)]
    else:
        spread = np.unique(np.linspace(0, frames - 1, most).round().astype(np.int64))
        blocks = [source.read(trajectory, int(frame), int(frame) + 1) for frame in spread]
    for values in blocks:
        for each in fields:
            digest.update(np.ascontiguousarray(values[each.name], "<f4").tobytes())
    return digest.hexdigest()[:16]
