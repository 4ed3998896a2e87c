"""The receptive field of a network: the pixels around a pixel on which its prediction depends."""

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
"""Outputs that differ by less than this, relative to the largest value, count as equal."""

_SIZES = (1.0, 1.0, 1.0, 3.0, 3.0, 10.0, 30.0, 100.0)
"""The sizes of the replacement values, one for each field of the batch."""


@dataclass(frozen=True)
class ReceptiveField:
    """The box of pixels on which a prediction depends.

    **Arguments:**

    - `halo`: an output box whose faces are at multiples of `factor` depends on the input in the box and within this many pixels
      around it. It is a multiple of `factor`. Without down-sampling, it is the reach of a single pixel.
    - `factor`: the product of the down-samplings. Shifting the input by this many pixels shifts the output.
    - `wraps`: for each axis, whether the network continues periodically beyond the ends; otherwise it pads there.
    """

    halo: int
    factor: int
    wraps: tuple[bool, ...]


def receptive_field(model: Any, inputs: SignatureLike, is_torus: Sequence[bool]) -> ReceptiveField:
    """Measure the receptive field of any network.

    The network runs on a grid that is long along one axis. All values beyond some distance from a few pixels are replaced,
    several times and by values of several sizes. If the prediction at these pixels stays the same bit for bit, it does not
    depend on the replaced values. The weights are drawn anew, so the result is the receptive field of the architecture: trained
    weights that happen to be zero do not change it.

    **Arguments:**

    - `model`: the network, for one sample.
    - `inputs`: the signature of its inputs.
    - `is_torus`: for each axis of the data, whether it is periodic.

    **Raises:** `UnsupportedError` if a prediction at a pixel depends on the whole field (the message names known layers that
    cause this), or if the network wraps around an axis in some of its layers only.
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
    """Describe the layers of a network that are known to take means over the whole grid."""
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
    """Measure the halo along one axis, and whether the network wraps around it.

    **Raises:** `UnsupportedError` if a prediction depends on the whole axis, or if the network wraps in some layers only.
    """
    reaches = _reaches(model, factor)
    widest = max(reaches, default=0)
    sides = [factor * (1 if periodic else widest + 1) for periodic in flags]
    for attempt in (1, 4):  # unknown layers may reach farther than the known ones
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
    - `axis`: the long axis.
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
        """The number of pixels along the axis."""
        return self.fields.get_spatial_dims()[self.axis]

    def halo(self) -> int | None:
        """Find the smallest sufficient halo, a multiple of the factor; None if none suffices."""
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
        """Whether the network wraps around the axis in all of its layers (True) or in none (False); None for some."""
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
        """Whether the prediction at the pixels `seen` changes with values outside of the halo, or of `keep` if given."""
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
    """Draw random weights for the network, none of them zero."""
    rng = np.random.default_rng(0)

    def drawn(leaf: Any) -> Any:
        if not eqx.is_inexact_array(leaf):
            return leaf
        inputs = int(np.prod(leaf.shape[1:])) if leaf.ndim > 1 else 4
        return np.asarray(rng.standard_normal(leaf.shape) / np.sqrt(max(inputs, 1)), leaf.dtype)

    return jax.tree.map(drawn, model)


@contextlib.contextmanager
def _on_host():
    """Run on the CPU if JAX has one: other devices may convolve in ways where all pixels affect the rounding of one."""
    try:
        device = jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        yield
        return
    with jax.default_device(device):
        yield


def _reaches(model: Any, factor: int) -> list[int]:
    """Return a bound on the reach of each convolution, in pixels of the input."""
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
    """Return a word for each axis; axes with the same word are treated alike by the network."""
    spec = getattr(model, "spec", None)
    value = None if spec is None else spec.option("padding_mode")
    return tuple(map(str, value)) if isinstance(value, tuple) and len(value) == D else (str(value),) * D
