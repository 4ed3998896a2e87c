"""Pairs of input and target as short trajectories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._fields import fields_by_key
from ginjax.data.sources._source import Source
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage, Signature, parse_torus


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PairsSource(Source):
    """Each pair is a trajectory that consists of the frames of the input and the target; build it with `pairs_as_source`."""

    inputs: MultiImage = field(repr=False)
    targets: MultiImage = field(repr=False)

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        past, found = self.frames - 1, {}
        for key, group in fields_by_key(self.schema).items():
            x, y = (np.asarray(image[key][trajectory], np.float32) for image in (self.inputs, self.targets))
            for i, each in enumerate(group):
                series = np.concatenate([x[i * past : (i + 1) * past], y[i : i + 1]])
                found[each.name] = series[start:stop]
        return found

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        found = {}
        for key, group in fields_by_key(self.constants).items():
            block = np.asarray(self.inputs[key][trajectory], np.float32)
            for i, each in enumerate(group):
                found[each.name] = block[len(block) - len(group) + i]
        return found


def pairs_as_source(
    X: MultiImage,
    Y: MultiImage,
    schema: Sequence[Field],
    constants: Sequence[Field] = (),
    past_steps: int = 1,
) -> Source:
    """Turn pairs in physical units into a source with unknown spacing and time step.

    **Arguments:**

    - `X`: inputs, blocks `(pairs, channels, *spatial, D, ..., D)`; the channels of a block are fields x past frames
      (oldest first, time fastest), then the constants.
    - `Y`: the next frame: one channel for each field.
    - `schema`, `constants`: the fields, in channel order.
    - `past_steps`: frames of each field in an input.

    **Raises:** `ArgumentError` if the number of channels does not fit the fields.
    """
    wanted = [_signature(schema, past_steps, constants), _signature(schema, 1, ())]
    for what, image, expected in zip(("inputs", "targets"), (X, Y), wanted, strict=True):
        found = Signature(image.get_signature())
        if found != expected:
            raise ArgumentError(
                f"{what} of the pairs",
                got=_in_words(found),
                expected=f"{_in_words(expected)}, as the model has",
            )
    return PairsSource(
        layout="pairs",
        schema=tuple(schema),
        constants=tuple(constants),
        D=X.D,
        spatial=tuple(X.get_spatial_dims()),
        spacing=None,
        time_step=None,
        is_torus=parse_torus(X.is_torus, X.D),
        trajectories=X.get_L(),
        frames=past_steps + 1,
        inputs=X,
        targets=Y,
    )


def _signature(schema: Sequence[Field], frames: int, constants: Sequence[Field]) -> Signature:
    return Signature(Counter(each.key for each in (*tuple(schema) * frames, *constants)).items())


def _in_words(signature: Signature) -> str:
    return ", ".join(
        f"{channels} of order {len(k)} {'odd' if p else 'even'}" for (k, p), channels in signature
    )
