"""Training samples that are read from a source on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ginjax.data._fields import fields_by_key
from ginjax.data._measure import check_finite
from ginjax.data._normalise import Normalisation
from ginjax.data._tiling import Place, Tiling, put_together
from ginjax.data.sources import NO_SERIES, Source
from ginjax.errors import ArgumentError
from ginjax.geometric import Key, MultiImage, Signature


class Windows:
    """Every window of `past_steps` input frames and the `future_steps` target frames after them.

    The channels of an input block are fields x past frames (oldest first, time fastest) in the order of the schema,
    followed by the constants. The channels of a target block are fields x future frames. Everything is normalised. With
    `residual`, a target is the change from the frame before it, divided by the scale of increments.

    Windows are numbered trajectory by trajectory, with time running fastest. Nothing is read before `take`.

    **Arguments:**

    - `source`: where the frames come from.
    - `normalisation`: the scales of all its fields.
    - `past_steps`: frames in an input.
    - `future_steps`: frames in a target.
    - `residual`: whether targets are changes.
    - `trajectories`: indices of the trajectories to use; all by default.
    - `spans`: for each of these trajectories, the first frame to use and the one after the last; all frames by default.

    **Raises:** `ArgumentError` if no trajectory is long enough, or a field has no scale.
    """

    def __init__(
        self,
        source: Source,
        normalisation: Normalisation,
        *,
        past_steps: int = 1,
        future_steps: int = 1,
        residual: bool = False,
        trajectories: Sequence[int] | np.ndarray | None = None,
        spans: Sequence[tuple[int, int]] | None = None,
    ):
        for name, value in (("past_steps", past_steps), ("future_steps", future_steps)):
            if value < 1:
                raise ArgumentError(name, got=value, expected="at least 1")
        self.source = source
        self.normalisation = normalisation
        self.past_steps = past_steps
        self.future_steps = future_steps
        self.residual = residual
        chosen = range(source.trajectories) if trajectories is None else [int(i) for i in trajectories]
        wrong = [i for i in chosen if not 0 <= i < source.trajectories]
        if wrong:
            raise ArgumentError("trajectory", got=wrong[0], expected=f"0 to {source.trajectories - 1}")
        self.trajectories = np.asarray(chosen, dtype=int)
        whole = [(0, source.frames_of(int(i))) for i in self.trajectories]
        self.spans = tuple(whole if spans is None else spans)
        if len(self.spans) != len(whole) or any(
            not 0 <= first <= stop <= length
            for (first, stop), (_, length) in zip(self.spans, whole, strict=True)
        ):
            raise ArgumentError("spans", got=self.spans, expected=f"one within each of {whole}")
        lengths = np.array([stop - first for first, stop in self.spans], dtype=int)
        self._ends = np.cumsum(np.maximum(lengths - past_steps - future_steps + 1, 0))
        if not len(self):
            raise ArgumentError(
                "frames of the data",
                got=f"at most {lengths.max(initial=0)} in each of {len(lengths)} trajectories",
                expected=f"at least {past_steps + future_steps} (past_steps + future_steps)",
                hint=NO_SERIES if lengths.max(initial=0) == 1 else None,
            )
        for field in (*source.schema, *source.constants):
            scale = normalisation.of(field.name)
            if scale.field.key != field.key:
                raise ArgumentError(
                    f"field '{field.name}' of the normalisation", got=scale.field.key, expected=field.key
                )
            if residual and field in source.schema:
                scale.normalise_increment(np.zeros(1))

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def input_signature(self) -> Signature:
        """Keys and numbers of channels of the inputs."""
        counts: dict[Key, int] = {}
        for fields, frames in ((self.source.schema, self.past_steps), (self.source.constants, 1)):
            for field in fields:
                counts[field.key] = counts.get(field.key, 0) + frames
        return Signature(counts.items())

    @property
    def target_signature(self) -> Signature:
        """Keys and numbers of channels of the targets."""
        groups = fields_by_key(self.source.schema)
        return Signature((key, len(fields) * self.future_steps) for key, fields in groups.items())

    def locate(self, index: int) -> tuple[int, int]:
        """The trajectory of a window and the number of its first frame.

        **Raises:** `ArgumentError` for an index out of range.
        """
        if not 0 <= index < len(self):
            raise ArgumentError("window", got=index, expected=f"0 to {len(self) - 1}")
        which = int(np.searchsorted(self._ends, index, side="right"))
        first = self.spans[which][0]
        return int(self.trajectories[which]), int(first + index - (self._ends[which - 1] if which else 0))

    def take(self, indices: np.ndarray | Sequence[int]) -> tuple[MultiImage, MultiImage]:
        """Read some windows; no other frames are read.

        **Arguments:**

        - `indices`: numbers of the windows, at least one.

        **Returns:** inputs and targets, NumPy blocks `(len(indices), channels, *spatial, D, ..., D)` in float32.

        **Raises:** `ArgumentError` for an index out of range, `FileError` if the data hold NaN or infinity.
        """
        return self._together(
            [self._sample(*self.locate(int(index))) for index in np.atleast_1d(np.asarray(indices))]
        )

    def take_blocks(
        self, indices: Sequence[int], tiling: Tiling, places: Sequence[Place]
    ) -> tuple[MultiImage, MultiImage]:
        """Read blocks of some windows; nothing else is read.

        **Arguments:**

        - `indices`: numbers of the windows, at least one.
        - `tiling`: how the grid is cut.
        - `places`: the place of the block of each window.

        **Returns:** inputs on the blocks and targets on their tiles, otherwise as `take`.

        **Raises:** as `take`.
        """
        return self._together(
            [
                self._block(*self.locate(int(index)), tiling, place)
                for index, place in zip(indices, places, strict=True)
            ]
        )

    def _together(
        self, samples: Sequence[tuple[dict[Key, np.ndarray], dict[Key, np.ndarray]]]
    ) -> tuple[MultiImage, MultiImage]:
        if not samples:
            raise ArgumentError("windows to take", got="none", expected="at least one")
        inputs, targets = (
            {key: np.stack([sample[part][key] for sample in samples]) for key in samples[0][part]}
            for part in (0, 1)
        )
        space = self.source.D, self.source.is_torus
        return MultiImage(inputs, *space), MultiImage(targets, *space)

    def _sample(self, trajectory: int, start: int) -> tuple[dict[Key, np.ndarray], dict[Key, np.ndarray]]:
        past, source = self.past_steps, self.source
        frames = source.read(trajectory, start, start + past + self.future_steps, precise=True)
        constants = source.read_constants(trajectory, precise=True) if source.constants else {}
        for name, block in (*frames.items(), *constants.items()):
            check_finite(name, trajectory, block)
        seen = {name: block[:past] for name, block in frames.items()}
        return self._inputs(seen, constants), self._targets(
            {name: block[past - 1 :] for name, block in frames.items()}
        )

    def _block(
        self, trajectory: int, start: int, tiling: Tiling, place: Place
    ) -> tuple[dict[Key, np.ndarray], dict[Key, np.ndarray]]:
        """Inputs on one block and targets on its tile."""
        past, source = self.past_steps, self.source
        boxes, own = list(tiling.boxes(place)), list(tiling.tile_boxes(place))
        stop = start + past + self.future_steps
        seen = put_together(
            tiling.block,
            ((source.read(trajectory, start, start + past, precise=True, box=b), at) for b, at in boxes),
            1,
        )
        steady = (
            (source.read_constants(trajectory, precise=True, box=b), at)
            for b, at in (boxes if source.constants else ())
        )
        constants = put_together(tiling.block, steady, 0)
        later = put_together(
            tiling.tile,
            ((source.read(trajectory, start + past - 1, stop, precise=True, box=b), at) for b, at in own),
            1,
        )
        for name, block in (*seen.items(), *later.items(), *constants.items()):
            check_finite(name, trajectory, block)
        return self._inputs(seen, constants), self._targets(later)

    def _inputs(
        self, seen: Mapping[str, np.ndarray], constants: Mapping[str, np.ndarray]
    ) -> dict[Key, np.ndarray]:
        """The past frames of every field, and the constants, normalised."""
        scale = self.normalisation.of
        inputs = {name: scale(name).normalise(block) for name, block in seen.items()}
        inputs |= {name: scale(name).normalise(block[None]) for name, block in constants.items()}
        return _blocks((*self.source.schema, *self.source.constants), inputs)

    def _targets(self, later: Mapping[str, np.ndarray]) -> dict[Key, np.ndarray]:
        """The frames after the last past frame, normalised; the arrays begin with that past frame."""
        scale = self.normalisation.of
        if self.residual:
            targets = {
                name: scale(name).normalise_increment(np.diff(block, axis=0)) for name, block in later.items()
            }
        else:
            targets = {name: scale(name).normalise(block[1:]) for name, block in later.items()}
        return _blocks(self.source.schema, targets)


def _blocks(fields: Sequence, arrays: Mapping[str, np.ndarray]) -> dict[Key, np.ndarray]:
    """Stack fields of one key, each `(frames, *spatial, D, ..., D)`, as the channels of one block."""
    return {
        key: np.concatenate([arrays[field.name] for field in group], dtype=np.float32, casting="same_kind")
        for key, group in fields_by_key(fields).items()
    }


def split_trajectories(
    n: int, *, valid: float = 0.1, test: float = 0.1, seed: int = 0
) -> dict[str, np.ndarray]:
    """Split trajectories at random into "train", "valid" and "test"; no trajectory is in two of them.

    **Arguments:**

    - `n`: number of trajectories.
    - `valid`, `test`: fractions of these splits. A split with a fraction above 0 gets at least one trajectory.
    - `seed`: seed of the draw.

    **Returns:** sorted indices by name of the split.

    **Raises:** `ArgumentError` if the fractions do not fit, or if no trajectory is left for training.
    """
    for name, fraction in (("valid", valid), ("test", test)):
        if not 0 <= fraction < 1:
            raise ArgumentError(f"fraction '{name}'", got=fraction, expected="at least 0, below 1")
    sizes = {"valid": _part(n, valid), "test": _part(n, test)}
    left = n - sum(sizes.values())
    if left < 1:
        taken = sum(sizes.values())
        uses = [
            f"{size} for {name}"
            for name, size in (("validation", sizes["valid"]), ("testing", sizes["test"]))
            if size
        ]
        raise ArgumentError(
            "number of trajectories",
            got=n,
            expected=f"at least {taken + 1}: {', '.join(uses)} and 1 to train on",
            hint=f"Use more trajectories, or set {_zeros(sizes)}.",
        )
    order = np.random.default_rng(seed).permutation(n)
    parts = {"train": order[:left], "valid": order[left : left + sizes["valid"]]}
    parts["test"] = order[left + sizes["valid"] :]
    return {name: np.sort(part) for name, part in parts.items()}


def _zeros(sizes: dict[str, int]) -> str:
    return " and ".join(f"`{name}=0`" for name, size in sizes.items() if size)


def _part(n: int, fraction: float) -> int:
    return max(1, round(n * fraction)) if fraction > 0 else 0
