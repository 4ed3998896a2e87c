"""Networks whose fields change: which channels of a layer are kept, and the resulting weights.

A network that gains fields computes its old fields as before: weights from new channels to old ones are zero, and so are all
weights to new outputs. A network that loses a field computes the rest as it did when that field was zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ginjax.errors import UnsupportedError

from ._layers import ConvLayer, FieldKey, key_name

Rows = tuple[tuple[int, int, int], ...]
"""`(order, parity, channels)` of each block of a field."""

_PRODUCT = ".product_conv"


@dataclass(frozen=True)
class KeptChannels:
    """The origin of each channel of a block that has changed.

    **Arguments:**

    - `origins`: for each channel, its number in the old block; None for a new channel. The numbers increase.
    - `before`: number of channels of the old block.
    """

    origins: tuple[int | None, ...]
    before: int

    @property
    def new(self) -> np.ndarray:
        """For each channel, whether it is new."""
        return np.array([origin is None for origin in self.origins], bool)

    @property
    def kept(self) -> np.ndarray:
        """The old numbers of the channels that are not new."""
        return np.array([origin for origin in self.origins if origin is not None], int)

    def components(self, count: int) -> "KeptChannels":
        """The same with the components of tensors as separate channels, `count` for each channel."""
        found = [
            None if origin is None else origin * count + i for origin in self.origins for i in range(count)
        ]
        return KeptChannels(tuple(found), self.before * count)

    def then(self, other: "KeptChannels") -> "KeptChannels":
        """This block and a following block as one block."""
        shifted = tuple(None if origin is None else origin + self.before for origin in other.origins)
        return KeptChannels((*self.origins, *shifted), self.before + other.before)


Ends = Mapping[FieldKey, KeptChannels]
"""The blocks of the input, or of the output, of a network, by key."""


@dataclass(frozen=True)
class LayerChannels:
    """The origins of the channels of one convolution, by key."""

    inputs: Ends
    outputs: Ends


def match_channels(
    before: Sequence[ConvLayer],
    after: Sequence[ConvLayer],
    inputs: Ends,
    outputs: Ends,
    shapes: tuple[Mapping[str, tuple[int, ...]], Mapping[str, tuple[int, ...]]],
) -> dict[str, LayerChannels]:
    """Find the origins of all channels, for every convolution of a network whose fields have changed.

    Inside, a network keeps its channels; for a new order or parity of a field it gets further blocks. So a block with the same
    number of channels as before is the same block. A block with another number belongs to the input or the output of the network,
    or holds products of further blocks.

    **Arguments:**

    - `before`, `after`: the layer tables, in the same dimension or in two.
    - `inputs`, `outputs`: the changes at the input and the output of the network: channels were only added, or only removed.
    - `shapes`: the shape of every array before and after.

    **Raises:** `UnsupportedError` for a layer whose channels changed in another way.
    """
    known = {layer.name: layer for layer in before}
    found = {}
    for layer in after:
        old = known.get(layer.name)
        if old is not None:
            products = _products(old, layer, shapes)
            found[layer.name] = LayerChannels(
                _matched(layer.name, old.inputs, layer.inputs, inputs, products),
                _matched(layer.name, old.outputs, layer.outputs, outputs, {}),
            )
            continue
        # Even vectors are new inside, and so is the convolution of their products.
        beside = known.get(layer.name.removesuffix(_PRODUCT) + ".conv")
        if beside is None or not layer.name.endswith(_PRODUCT):
            raise changed_width(layer.name, "no such layer", "one")
        found[layer.name] = LayerChannels(
            _matched(layer.name, (), layer.inputs, {}, {}),
            _matched(layer.name, beside.outputs, layer.outputs, outputs, {}),
        )
    return found


def _matched(
    name: str, before: Rows, after: Rows, ends: Ends, products: Ends
) -> dict[FieldKey, KeptChannels]:
    counts = {(k, p): channels for k, p, channels in before}
    found = {}
    for k, p, channels in after:
        key, count = (k, p), counts.get((k, p), 0)
        if count in (0, channels):
            found[key] = KeptChannels(tuple(range(count)) or (None,) * channels, count)
            continue
        for candidate in (ends.get(key), products.get(key)):
            if candidate is not None and (candidate.before, len(candidate.origins)) == (count, channels):
                found[key] = candidate
                break
        else:
            raise changed_width(f"block {key_name(key)} of {name}", f"{count} channels", f"{channels}")
    return found


def changed_width(subject: str, got: str, after: str) -> UnsupportedError:
    """The error for a layer whose width would change with the fields."""
    return UnsupportedError(
        f"{subject}, as the fields of the network change",
        got=f"{got} before and {after} after",
        expected="layers whose channels are those of the input, of the output, or as many as before",
        hint="Fields can be added and taken away where the width of a network does not depend on them.",
    )


def _products(
    old: ConvLayer,
    new: ConvLayer,
    shapes: tuple[Mapping[str, tuple[int, ...]], Mapping[str, tuple[int, ...]]],
) -> dict[FieldKey, KeptChannels]:
    """The origins of channels after the products of fields before a convolution, see `ProductNonlinear`.

    Scalars, then products of each other field with itself; each other field, then the same times a gate of the scalars.
    """
    inside = _before_products(old, shapes[0]), _before_products(new, shapes[1])
    scalars = inside[0].pop((0, 0), 0), inside[1].pop((0, 0), 0)
    found = {}
    total = KeptChannels(tuple(range(scalars[0])) or (None,) * scalars[1], scalars[0])
    for key in sorted({*inside[0], *inside[1]}):
        had, has = inside[0].get(key, 0), inside[1].get(key, 0)
        same = KeptChannels(tuple(range(had)) or (None,) * has, had)
        total = total.then(same)
        gated = KeptChannels(
            (same.origins if scalars[0] else (None,) * has) if scalars[1] else (), had if scalars[0] else 0
        )
        found[key] = same.then(gated)
    return found | {(0, 0): total}


def _before_products(layer: ConvLayer, shapes: Mapping[str, tuple[int, ...]]) -> dict[FieldKey, int]:
    stem = f"{layer.name.removesuffix('.conv')}.nonlinearity.partners."
    channels = {(k, p): count for k, p, count in layer.inputs}
    others = {
        key: shapes[f"{stem}{key_name(key)}"][0] for key in channels if f"{stem}{key_name(key)}" in shapes
    }
    scalars = channels.get((0, 0), 0) - sum(others.values())
    return others | ({(0, 0): scalars} if scalars > 0 else {})


def carry_channels(
    arrays: Mapping[str, np.ndarray],
    fresh: Mapping[str, np.ndarray],
    layers: Mapping[str, LayerChannels],
    last: frozenset[str] = frozenset(),
) -> dict[str, np.ndarray]:
    """Compute the arrays of a network whose fields have changed.

    **Arguments:**

    - `arrays`: the arrays before.
    - `fresh`: the arrays of the same network for its new fields, with initial weights; new channels inside the network start with
      these.
    - `layers`: by name of each convolution, the result of `match_channels` or `match_plain_channels`.
    - `last`: the convolutions whose outputs are the outputs of the network. Their weights and biases for new channels start at
      zero.

    **Raises:** `UnsupportedError` if the shape of any other array changed, such as a norm over the input.
    """
    found = {}
    for name, start in fresh.items():
        place = _place(name, layers)
        old = arrays.get(name)
        if place is None:
            if old is not None and old.shape != start.shape:
                raise changed_width(f"array {name!r}", str(old.shape), str(start.shape))
            found[name] = start if old is None else old
            continue
        layer, (source, target) = place
        found[name] = _carried(old, start, layers[layer], source, target, is_last=layer in last)
    return dict(sorted(found.items()))


def new_targets(
    shapes: Mapping[str, tuple[int, ...]], layers: Mapping[str, LayerChannels], before: frozenset[str]
) -> dict[str, np.ndarray]:
    """Find the values of each array that act on new channels only, so that no old channel depends on them.

    **Arguments:**

    - `shapes`: shapes of the arrays after the change.
    - `layers`: as in `carry_channels`.
    - `before`: names of the arrays before the change.

    **Returns:** by name, a boolean for each entry along the first axis; arrays without any such entry are left out.
    """
    found = {}
    for name, shape in shapes.items():
        place = _place(name, layers)
        if place is None:
            free = np.full(shape[:1], name not in before)
        else:
            free = layers[place[0]].outputs[place[1][1]].new
        if free.any():
            found[name] = free
    return found


def _place(
    name: str, layers: Mapping[str, LayerChannels]
) -> tuple[str, tuple[FieldKey | None, FieldKey]] | None:
    """The convolution of an array and the keys of its input (None for a bias) and output; None if it is not of a convolution."""
    for word in (".weight.", ".bias."):
        layer, found, path = name.rpartition(word)
        if not found or layer not in layers:
            continue
        ends = layers[layer]
        by_name = {key_name(key): key for key in (*ends.inputs, *ends.outputs)}
        source, arrow, target = path.partition("->")
        if arrow:
            return layer, (by_name[source], by_name[target])
        if word == ".bias.":
            return layer, (None, by_name[path])
    for word in (".weight", ".bias"):
        layer = name.removesuffix(word)
        if layer != name and layer in layers:
            return layer, ((0, 0) if word == ".weight" else None, (0, 0))
    return None


def _carried(
    old: np.ndarray | None,
    fresh: np.ndarray,
    ends: LayerChannels,
    source: FieldKey | None,
    target: FieldKey,
    *,
    is_last: bool,
) -> np.ndarray:
    """Weights `(out, in, ...)` or a bias `(out, ...)` of one path."""
    out = ends.outputs[target]
    result = np.array(fresh)
    if is_last:
        result[out.new] = 0
    rows = np.nonzero(~out.new)[0]
    if source is None:
        if old is not None and len(rows):
            result[rows] = old[out.kept]
        return result
    into = ends.inputs[source]
    result[rows] = 0
    columns = np.nonzero(~into.new)[0]
    if old is not None and len(rows) and len(columns):
        result[np.ix_(rows, columns)] = old[np.ix_(out.kept, into.kept)]
    return result
