"""A trial run of a converted graph before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from ginjax.errors import ArgumentError, UnsupportedError

from ._convert import OnnxConversion
from ._random_fields import (
    free_inputs,
    lifted,
    random_inputs,
    second_slice,
    side_for,
    tolerance_for,
    white_noise,
    widest_gap,
)
from ._session import Session
from ._step import dims_of

MAX_POINTS = 2**23
"""Most entries of an input for a trial."""

_REPORT = "This version converts it wrongly, and wrote nothing: please report it with the graph."


@dataclass(frozen=True)
class Trial:
    """The result of one run of both graphs.

    **Arguments:**

    - `lift`: largest difference on fields that repeat one slice, relative to the largest value; None if nothing was run.
    - `noise`: the same on white noise: one slice of the output, compared with the graph before the conversion.
    - `tolerance`: largest difference that counts as zero.
    - `why_not`: why nothing was run; empty otherwise.
    """

    lift: float | None
    noise: float | None
    tolerance: float
    why_not: str = ""

    @property
    def slice_by_slice(self) -> bool:
        """Whether the run showed that slices along the new axes are not mixed."""
        return self.noise is not None and self.noise <= self.tolerance


def trial_run(conversion: OnnxConversion, *, seed: int = 0) -> Trial:
    """Run both graphs of a conversion once in onnxruntime, on a random field that repeats one slice, and on white noise.

    The new axis is short at first. If the graph does not run on it, the new axis is made as long as its neighbour, because
    windows without padding may need that length. Only if that fails, too, the graph is refused.

    **Arguments:**

    - `conversion`: a conversion that has not been written yet.
    - `seed`: seed of the random fields.

    **Returns:** the differences. There are none without onnxruntime, if the graph before the conversion does not run, or if a
    field is too large.

    **Raises:** `UnsupportedError` if the graph before the conversion runs and the converted one does not.
    """
    if find_spec("onnxruntime") is None:
        return _not_run("onnxruntime is not installed")
    record, rng = conversion.record, np.random.default_rng(seed)
    try:
        fields = random_inputs(conversion.before, rng, side_for(record))
        with Session(conversion.before) as session:
            wanted = session.run(fields)
    except UnsupportedError:
        return _not_run("the graph before conversion does not run on a random field either")
    ranks = {each.name: len(dims_of(each)) for each in free_inputs(conversion.after)}
    added = {name: ranks[name] - each.ndim for name, each in fields.items()}
    first = 1 if record.channels_last else 2
    place = first + record.certificate.from_dim if record.last else first
    beside = place - 1 if record.last else place
    longest = max(each.shape[beside] for name, each in fields.items() if added[name])
    failure: UnsupportedError | None = None
    for depth in sorted({min(2 * record.stride, longest), longest}):
        if max(each.size * depth ** added[name] for name, each in fields.items()) > MAX_POINTS:
            return _not_run(
                "a field as long along the new axis as along its neighbour is too large for a trial"
            )
        volumes = {name: lifted(each, added[name], place, depth) for name, each in fields.items()}
        try:
            with Session(conversion.after) as above:
                found, noise = above.run(volumes), white_noise(volumes, added, rng)
                of_noise = above.run(noise)
            _refuse_empty(found)
        except UnsupportedError as error:
            failure = error
            continue
        with Session(conversion.before) as session:
            of_slice = session.run(second_slice(noise, added, place))
        try:
            lift = widest_gap(wanted, found, record.new_axes or (), whole=True)
            apart = widest_gap(of_slice, of_noise, record.new_axes or (), whole=False)
        except ArgumentError as error:
            raise UnsupportedError(
                "outputs of the converted graph", got=error.got, expected=error.expected, hint=_REPORT
            ) from error
        return Trial(lift, apart, tolerance_for(fields.values()))
    if failure is None:
        raise AssertionError("a trial of no length")
    raise UnsupportedError(
        failure.subject,
        got=failure.got,
        expected="a graph that runs, as the one before conversion does",
        hint=_REPORT,
    ) from failure


def _refuse_empty(found: list[np.ndarray]) -> None:
    """Refuse outputs without points, which onnxruntime gives where the window of a pooling is longer than its axis."""
    for each in found:
        if not each.size:
            raise UnsupportedError("outputs of the converted graph", got=f"shape {each.shape}")


def _not_run(reason: str) -> Trial:
    return Trial(None, None, 0.0, reason)
