"""The parts of an equivariant convolution, computed once on the host: filters, weights, and the adjoint."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from ...filters import FilterBank
from .._keys import Key, Signature
from ._stencil import ROUNDING, Stencil, make_stencil


@dataclass(frozen=True, eq=False)
class Path:
    """All filters from one key to another, with their place in the flat vector of weights.

    **Arguments:**

    - `source`, `target`: the positions of the keys in the signatures.
    - `filters`: `(n, *(M,)*D, input components, output components)`.
    - `c_in`, `c_out`: the numbers of channels.
    - `offset`: the position of the first weight.
    - `swapped`: whether weights are stored as `(n, out, in)`, as in an adjoint, instead of `(n, in, out)`.
    """

    source: int
    target: int
    filters: np.ndarray
    c_in: int
    c_out: int
    offset: int
    swapped: bool = False

    def __len__(self) -> int:
        return len(self.filters)

    @functools.cached_property
    def sizes(self) -> Float[np.ndarray, " filters"]:
        """`(n,)`: the divisor of each filter that makes its largest absolute entry 1, and the last such entry positive.

        Then an odd filter and its mirror image become the same, and the adjoint consists of the same operations.
        """
        flat = self.filters.reshape(len(self), -1)[:, ::-1]
        largest = np.abs(flat).max(axis=1, initial=0.0)
        # Well below 1, because equal entries may differ by rounding.
        last = np.argmax(np.abs(flat) > 0.9 * largest[:, None], axis=1)
        return np.where(flat[np.arange(len(self)), last] < 0, -largest, largest)

    def take(self, w: Float[Array, " weights"]) -> Float[Array, "filters in out"]:
        """Return the weights of this path, `(n, in, out)`."""
        own = w[self.offset : self.offset + self.c_in * self.c_out * len(self)]
        if self.swapped:
            return own.reshape(len(self), self.c_out, self.c_in).transpose(0, 2, 1)
        return own.reshape(len(self), self.c_in, self.c_out)

    def flatten(self, w: Float[Array, "filters in out"]) -> Float[Array, " weights"]:
        """Undo `take`."""
        return (w.transpose(0, 2, 1) if self.swapped else w).ravel()


@dataclass(frozen=True)
class Slot:
    """One tensor component of a key in a packed field.

    **Arguments:**

    - `index`: the position of the key.
    - `component`: the row-major position of the component.
    - `start`, `channels`: its place along the packed axis.
    - `grade`: a bit mask of the axes whose reflection changes its sign.
    """

    index: int
    component: int
    start: int
    channels: int
    grade: int


@dataclass(frozen=True, eq=False)
class Feature:
    """The filters of one path that reach one output component; the weights mix their images.

    **Arguments:**

    - `path`: the position of the path.
    - `rows`: the numbers of the filters in the path.
    - `stencils`: for each input slot that takes part, the filters that act on it, by number and as a stencil.
    """

    path: int
    rows: tuple[int, ...]
    stencils: tuple[tuple[Slot, tuple[int, ...], Stencil], ...]


@dataclass(frozen=True, eq=False)
class Mixing:
    """One equivariant convolution: `y_b = sum_a sum_l W[a->b][:, :, l] (C_l * x_a)`.

    A packed field holds all components of all keys along one axis: key by key, component by component, channel by channel.

    **Arguments:**

    - `D`, `side`: dimension and side of the filters.
    - `inputs`, `outputs`: the components of the packed fields.
    - `paths`: the filters.
    - `weights`: the number of weights.
    """

    D: int
    side: int
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    paths: tuple[Path, ...]
    weights: int

    @functools.cached_property
    def adjoint(self) -> "Mixing":
        """The adjoint: mirrored filters with input and output exchanged, for the same weights."""
        D = self.D
        paths = tuple(
            Path(
                path.target,
                path.source,
                np.swapaxes(np.flip(path.filters, tuple(range(1, D + 1))), -1, -2),
                path.c_out,
                path.c_in,
                path.offset,
                not path.swapped,
            )
            for path in self.paths
        )
        made = Mixing(D, self.side, self.outputs, self.inputs, paths, self.weights)
        made.__dict__["adjoint"] = self
        return made

    @functools.cached_property
    def features(self) -> tuple[tuple[Slot, tuple[Feature, ...]], ...]:
        """For each output component that any filter reaches, the features that are mixed to it."""
        found = []
        for slot in self.outputs:
            features = []
            for position, path in enumerate(self.paths):
                if path.target == slot.index:
                    feature = self._feature(position, path, slot.component)
                    if feature is not None:
                        features.append(feature)
            if features:
                found.append((slot, tuple(features)))
        return tuple(found)

    def scaled(self, w: Float[Array, " weights"]) -> list[Float[Array, "filters in out"]]:
        """Return the weights of every path times the `sizes` of its filters, for filters that are divided by `sizes`."""
        return [path.take(w) * jnp.asarray(path.sizes[:, None, None], w.dtype) for path in self.paths]

    def _feature(self, position: int, path: Path, component: int) -> Feature | None:
        filters = path.filters[..., component]
        sizes = path.sizes
        taps = tuple(range(1, self.D + 1))
        reach = np.abs(filters).max(axis=taps, initial=0.0) > ROUNDING * np.abs(sizes)[:, None]
        rows = tuple(np.flatnonzero(reach.any(axis=1)).tolist())
        if not rows:
            return None
        stencils = []
        for slot in self.inputs:
            if slot.index == path.source and reach[:, slot.component].any():
                own = np.flatnonzero(reach[:, slot.component])
                scaled = filters[own][..., slot.component] / sizes[own].reshape(-1, *(1,) * self.D)
                stencils.append((slot, tuple(own.tolist()), make_stencil(scaled)))
        return Feature(position, rows, tuple(stencils))


def runs(rows: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Join consecutive rows `(path, row)` to slices `(path, start, stop)`."""
    found: list[tuple[int, int, int]] = []
    for path, row in rows:
        if found and found[-1][0] == path and found[-1][2] == row:
            found[-1] = path, found[-1][1], row + 1
        else:
            found.append((path, row, row + 1))
    return found


def packed_slots(D: int, signature: Signature) -> tuple[Slot, ...]:
    """Return the places of all components in a packed field."""
    slots, start = [], 0
    for index, (key, channels) in enumerate(signature):
        for component, grade in enumerate(component_grades(D, key)):
            slots.append(Slot(index, component, start, channels, grade))
            start += channels
    return tuple(slots)


def packed_grades(D: int, signature: Signature) -> tuple[int, ...]:
    """Return, for each row of a packed field, a bit mask of the axes whose reflection changes its sign."""
    return tuple(slot.grade for slot in packed_slots(D, signature) for _ in range(slot.channels))


@functools.lru_cache(maxsize=512)
def component_grades(D: int, key: Key) -> tuple[int, ...]:
    """Return, for each component of a key (row-major), a bit mask of the axes whose reflection changes its sign."""
    k, p = key
    odd = 2**D - 1 if p else 0
    return tuple(
        functools.reduce(lambda mask, axis: mask ^ (1 << axis), axes, odd)
        for axes in np.ndindex(*(D,) * len(k))
    )


@functools.lru_cache(maxsize=512)
def make_mixing(bank: FilterBank, sources: Signature, targets: Signature) -> Mixing:
    """Make the convolution of a layer; its weights are in the order of `weight_order`, each block as `(n, in, out)`."""
    D = bank.D
    paths, offset = [], 0
    for a, b in weight_order(bank, sources, targets):
        (source, c_in), (target, c_out) = sources[a], targets[b]
        block = bank.blocks[len(source[0]) + len(target[0]), (source[1] + target[1]) % 2]
        shape = (len(block), *(bank.side,) * D, D ** len(source[0]), D ** len(target[0]))
        paths.append(Path(a, b, block.filters.reshape(shape), c_in, c_out, offset))
        offset += c_out * c_in * len(block)
    return Mixing(D, bank.side, packed_slots(D, sources), packed_slots(D, targets), tuple(paths), offset)


@functools.lru_cache(maxsize=512)
def channel_mixing(c_in: int, c_out: int, D: int) -> Mixing:
    """Make the convolution that is one matrix over the channels of a scalar, the same at every pixel."""
    path = Path(0, 0, np.ones((1, *(1,) * D, 1, 1)), c_in, c_out, 0)
    return Mixing(D, 1, (Slot(0, 0, 0, c_in, 0),), (Slot(0, 0, 0, c_out, 0),), (path,), c_in * c_out)


def weight_order(bank: FilterBank, sources: Signature, targets: Signature) -> tuple[tuple[int, int], ...]:
    """Return the positions of the pairs of input and output keys between which there are filters."""

    def connected(source: Key, target: Key) -> bool:
        block = bank.blocks.get((len(source[0]) + len(target[0]), (source[1] + target[1]) % 2))
        return block is not None and len(block) > 0

    return tuple(
        (a, b)
        for a, (source, _) in enumerate(sources)
        for b, (target, _) in enumerate(targets)
        if connected(source, target)
    )


def stack_outputs(
    parts: Mapping[Slot, Float[Array, "batch _ *spatial"]],
    mixing: Mixing,
    batch: int,
    spatial: tuple[int, ...],
    dtype: DTypeLike,
) -> Float[Array, "batch packed *spatial"]:
    """Stack components `(batch, channels, *spatial)` to a packed field; components that no filter reaches are zero."""
    found = [
        parts[slot] if slot in parts else jnp.zeros((batch, slot.channels, *spatial), dtype)
        for slot in mixing.outputs
    ]
    return jnp.concatenate(found, axis=1) if len(found) > 1 else found[0]
