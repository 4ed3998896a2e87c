"""Pairs of input and target that are not time series, such as coefficients and solutions of Darcy flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ginjax._unknown_name import did_you_mean
from ginjax.checkpoint import Field
from ginjax.data.sources._source import Box, Source
from ginjax.errors import ArgumentError


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PairedSource(Source):
    """Each pair is a trajectory: the targets are zero in frame 0 and have their values in frame 1; build it with `paired`."""

    whole: Source = field(repr=False)

    def close(self) -> None:
        self.whole.close()

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        return self._series(trajectory, start, stop, None)

    def _read_box(self, trajectory: int, start: int, stop: int, box: Box) -> dict[str, np.ndarray]:
        return self._series(trajectory, start, stop, box)

    def _series(self, trajectory: int, start: int, stop: int, box: Box | None) -> dict[str, np.ndarray]:
        sides = self.spatial if box is None else tuple(high - low for low, high in box)
        shapes = {each.name: (1, *sides, *(self.D,) * each.k) for each in self.schema}
        if start == 0 and stop == 1:
            return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        found = self._pair(trajectory, box)
        series = {
            name: np.concatenate([np.zeros(shape, found[name].dtype), found[name][None]])
            for name, shape in shapes.items()
        }
        return {name: values[start:stop] for name, values in series.items()}

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        found = self._pair(trajectory, None)
        return {each.name: found[each.name] for each in self.constants}

    def _read_constants_box(self, trajectory: int, box: Box) -> dict[str, np.ndarray]:
        found = self._pair(trajectory, box)
        return {each.name: found[each.name] for each in self.constants}

    def _pair(self, number: int, box: Box | None) -> dict[str, np.ndarray]:
        """All arrays of a pair, which is one frame of a trajectory."""
        trajectory, frame = divmod(number, self.whole.frames)
        whole = self.whole
        found = whole.read(trajectory, frame, frame + 1, precise=True, box=box) if whole.schema else {}
        pair = {name: values[0] for name, values in found.items()}
        return pair | (whole.read_constants(trajectory, precise=True, box=box) if whole.constants else {})


def paired(source: Source, target: Sequence[str], known: Sequence[Field] = ()) -> Source:
    """Turn pairs of input and target into a source for training, evaluation and prediction.

    The network receives all fields except the targets, and zeros in place of the targets. The next frame holds the targets.

    **Arguments:**

    - `source`: the data. Each frame of a trajectory is a pair; a trajectory that does not vary in time is one pair.
    - `target`: names of the fields to predict.
    - `known`: the kinds of targets that the data do not hold, such as those of a model. Then there is only the frame of zeros.

    **Raises:** `ArgumentError` for a target that is neither in the data nor known, or if no field is left as an input.
    """
    present = {each.name: each for each in (*source.schema, *source.constants)}
    kinds = {each.name: each for each in known} | present
    missing = [name for name in target if name not in present]
    unknown = [name for name in target if name not in kinds]
    inputs = tuple(each for name, each in present.items() if name not in target)
    if unknown or not inputs:
        raise ArgumentError(
            "`target`",
            got=unknown[0] if unknown else "all fields",
            expected="some of " + ", ".join(present) + ", and others left as inputs",
            hint=did_you_mean(unknown[0], kinds) if unknown else None,
        )
    given, wanted = (", ".join(names) for names in ([each.name for each in inputs], target))
    notes = [f"pairs: {wanted} from {given}"]
    if source.frames > 1:
        notes.append(
            "every frame is a pair of its own, and pairs of one trajectory may be parted between training and test"
        )
    if missing:
        notes.append(f"{missing[0]} is not among the data, and only predicted")
    about = source.described() | {
        "schema": tuple(kinds[name] for name in target),
        "constants": inputs,
        "conditions": tuple(name for name in source.conditions if name not in target),
        "trajectories": source.trajectories * source.frames,
        "frames": 1 if missing else 2,
        "time_step": None,
        "blank": 0 if missing else 1,
        "notes": (*source.notes, *notes),
    }
    return PairedSource(**about, whole=source)
