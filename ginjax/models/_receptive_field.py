"""The receptive field of a network: how far around a pixel its prediction there looks."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ..errors import UnsupportedError
from ..geometric import MultiImage, Signature, SignatureLike, compiled
from ..layers import ConvContract, GroupNorm
from ._named_arrays import dotted

_SAME = 3e-5
"""Outputs closer than this, relative to the largest, are one and the same but for rounding."""

_SIZES = (1.0, 1.0, 1.0, 3.0, 3.0, 10.0, 30.0, 100.0)
"""Of the values that are put in place of others, one field of the batch each."""


@dataclass(frozen=True)
class ReceptiveField:
    """What a prediction depends on: a box of pixels around it, and nothing else.

    **Arguments:**

    - `halo`: pixels around a box of the output that it depends on, where the sides of the box are at multiples of `factor`; a
      multiple of it too. Without down-sampling, how far a pixel looks.
    - `factor`: what the network does repeats itself from so many pixels to the next: the product of its down-samplings.
    - `wraps`: for each axis, whether the network finds the other end beyond an end; otherwise it pads there.
    """

    halo: int
    factor: int
    wraps: tuple[bool, ...]


def receptive_field(model: Any, inputs: SignatureLike, is_torus: Sequence[bool]) -> ReceptiveField:
    """Measure the receptive field of a network, whatever it is built of.

    On a grid that is long along one axis, everything beyond some distance of a few pixels is replaced, several times and by
    values of several sizes. The prediction at these pixels stays the same, bit for bit, where it does not depend on what was
    replaced. Weights are drawn anew for that: the receptive field is that of the architecture, and what training makes of a weight
    that happens to be zero changes nothing.

    **Arguments:**

    - `model`: the network, for one sample.
    - `inputs`: the signature of its inputs.
    - `is_torus`: for each axis of the data, whether it is periodic.

    **Raises:** `UnsupportedError` for a network whose prediction at a pixel depends on the whole field, naming the layers that
    do so, and for one that wraps around an axis in some of its layers only.
    """
    if found := whole_field_layers(model):
        raise UnsupportedError(
            "the network looks at the whole field at once",
            got=", ".join(found),
            expected="a network of which every pixel depends on those around it only",
            hint="Train one with `norm=False` and `bias='scalar'`, and without layers of your own that take means over the grid.",
        )
    flags = tuple(bool(each) for each in is_torus)
    factor = int(getattr(model, "grid_factor", 1))
    kinds = list(zip(flags, _paddings(model, len(flags)), strict=True))
    model = _redrawn(eqx.nn.inference_mode(model))
    halo, wraps = 0, dict[tuple[bool, str], bool]()
    for axis, kind in enumerate(kinds):
        if kind not in wraps:
            beyond, wraps[kind] = _along(model, inputs, flags, axis, factor)
            halo = max(halo, beyond)
    return ReceptiveField(halo, factor, tuple(wraps[kind] for kind in kinds))


def whole_field_layers(model: Any) -> tuple[str, ...]:
    """The layers of a network that are known to take means over the whole grid, in words."""
    norms = (GroupNorm, eqx.nn.GroupNorm, eqx.nn.LayerNorm)
    leaves = jax.tree_util.tree_leaves_with_path(
        model, is_leaf=lambda x: isinstance(x, (*norms, ConvContract))
    )
    found = dict[str, list[str]]()
    for path, leaf in leaves:
        if isinstance(leaf, norms):
            found.setdefault("group norms", []).append(dotted(path))
        elif isinstance(leaf, ConvContract) and leaf.takes_means:
            found.setdefault("biases that are multiples of means", []).append(dotted(path))
    return tuple(
        f"{what} ({names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''})"
        for what, names in found.items()
    )


@compiled
def _predicted(model: Any, x: MultiImage) -> MultiImage:
    return jax.vmap(lambda sample: model(sample)[0])(x)


def _along(
    model: Any, inputs: SignatureLike, flags: tuple[bool, ...], axis: int, factor: int
) -> tuple[int, bool]:
    """The halo along one axis, and whether the network wraps around it.

    **Raises:** `UnsupportedError` if it looks everywhere, or wraps in some layers only.
    """
    reaches = _reaches(model, factor)
    widest = max(reaches, default=0)
    sides = [factor * (1 if periodic else widest + 1) for periodic in flags]
    for attempt in (1, 4):  # layers that are not known may look farther than those that are
        sides[axis] = factor * (2 * -(-attempt * max(sum(reaches), 4) // factor) + 5)
        probe = _Probe.of(model, inputs, flags, tuple(sides), axis, factor)
        halo = probe.halo()
        if halo is not None:
            break
    else:
        raise UnsupportedError(
            "the network looks at the whole field at once",
            got=f"a prediction that depends on every one of {sides[axis]} pixels",
            expected="a network of which every pixel depends on those around it only",
        )
    around = probe.wraps()
    if around is None:
        raise UnsupportedError(
            f"the network goes around axis {axis} in some of its layers and pads there in others",
            expected="one of both in all layers",
        )
    return halo, around


@dataclass(frozen=True)
class _Probe:
    """A network on random fields that are long along one axis.

    **Arguments:**

    - `model`: the network.
    - `fields`: `(batch, channels, *spatial, D, ..., D)`, the same in the whole batch.
    - `axis`: the long one.
    - `factor`: as in `ReceptiveField`.
    """

    model: Any
    fields: MultiImage
    axis: int
    factor: int

    @classmethod
    def of(
        cls,
        model: Any,
        inputs: SignatureLike,
        flags: tuple[bool, ...],
        sides: tuple[int, ...],
        axis: int,
        factor: int,
    ) -> _Probe:
        rng, D = np.random.default_rng(0), len(sides)
        blocks = {}
        for key, channels in Signature(inputs):
            one = rng.standard_normal((1, channels, *sides, *(D,) * len(key[0]))).astype(np.float32)
            blocks[key] = np.repeat(one, len(_SIZES), axis=0)
        return cls(model, MultiImage(blocks, D, flags), axis, factor)

    @property
    def length(self) -> int:
        """Pixels along the axis."""
        return self.fields.get_spatial_dims()[self.axis]

    def halo(self) -> int | None:
        """The smallest one that suffices, a multiple of the factor; None if none does."""
        middle = self.factor * (self.length // (2 * self.factor))
        enough, least = middle // self.factor, -1  # in units of the factor
        if self._changed(slice(middle, middle + self.factor), (enough - 1) * self.factor):
            return None
        while enough - least > 1:
            tried = (enough + least) // 2
            if self._changed(slice(middle, middle + self.factor), tried * self.factor):
                least = tried
            else:
                enough = tried
        return enough * self.factor

    def wraps(self) -> bool | None:
        """Whether the network finds the other end beyond an end in all of its layers, in none, or, None, in some."""
        moved = MultiImage(
            {key: np.roll(block, self.factor, axis=2 + self.axis) for key, block in self.fields.items()},
            self.fields.D,
            self.fields.is_torus,
        )
        there, back = self._outputs(self.fields), self._outputs(moved)
        largest = max(np.abs(block).max() for block in there.values())
        apart = max(
            np.abs(np.roll(there[key], self.factor, axis=2 + self.axis) - back[key]).max() for key in there
        )
        if bool(apart <= _SAME * largest):
            return True
        half, ends = self.length // 2, (slice(0, self.factor), slice(self.length - self.factor, self.length))
        crosses = self._changed(ends[0], keep=slice(0, half)) or self._changed(
            ends[1], keep=slice(half, self.length)
        )
        return None if crosses else False

    def _changed(self, seen: slice, halo: int = 0, keep: slice | None = None) -> bool:
        """Whether the prediction at some pixels changes with what is neither within the halo nor to be kept."""
        kept = slice(max(seen.start - halo, 0), seen.stop + halo) if keep is None else keep
        rng, where = np.random.default_rng(1), (slice(None),) * (2 + self.axis)
        blocks = {}
        for key, block in self.fields.items():
            sizes = np.reshape(_SIZES, (-1, *(1,) * (block.ndim - 1)))
            others = (sizes * rng.standard_normal(block.shape)).astype(np.float32)
            others[(*where, kept)] = block[(*where, kept)]
            blocks[key] = others
        replaced = self._outputs(MultiImage(blocks, self.fields.D, self.fields.is_torus))
        as_it_was = self._outputs(self.fields)
        return any(
            bool((block[(*where, seen)] != replaced[key][(*where, seen)]).any())
            for key, block in as_it_was.items()
        )

    def _outputs(self, fields: MultiImage) -> dict[Any, np.ndarray]:
        with _on_host():
            return {key: np.asarray(block) for key, block in _predicted(self.model, fields).items()}


def _redrawn(model: Any) -> Any:
    """The same network with other weights, none of them zero."""
    rng = np.random.default_rng(0)

    def drawn(leaf: Any) -> Any:
        if not eqx.is_inexact_array(leaf):
            return leaf
        inputs = int(np.prod(leaf.shape[1:])) if leaf.ndim > 1 else 4
        return np.asarray(rng.standard_normal(leaf.shape) / np.sqrt(max(inputs, 1)), leaf.dtype)

    return jax.tree.map(drawn, model)


@contextlib.contextmanager
def _on_host():
    """On the host's processor, where there is one: other devices may convolve by ways that round one pixel by all others."""
    try:
        device = jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        yield
        return
    with jax.default_device(device):
        yield


def _reaches(model: Any, factor: int) -> list[int]:
    """A bound, in pixels of the input, on how far each convolution looks."""
    kinds = (ConvContract, eqx.nn.Conv, eqx.nn.ConvTranspose)
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda x: isinstance(x, kinds))
    found = []
    for path, leaf in leaves:
        if not isinstance(leaf, kinds):
            continue
        level_of = getattr(model, "level_of", lambda name: 0)
        coarse = 2 ** level_of(dotted(path))
        side = leaf.bank.side if isinstance(leaf, ConvContract) else max(leaf.kernel_size)
        dilation = leaf.rhs_dilation if isinstance(leaf, ConvContract) else leaf.dilation
        widest = dilation if isinstance(dilation, int) else max(dilation)
        found.append((side - 1) * widest * min(coarse, factor) + factor - 1)
    return found


def _paddings(model: Any, D: int) -> tuple[str, ...]:
    """A word for each axis, the same where the network treats axes alike."""
    spec = getattr(model, "spec", None)
    value = None if spec is None else spec.option("padding_mode")
    return tuple(map(str, value)) if isinstance(value, tuple) and len(value) == D else (str(value),) * D
