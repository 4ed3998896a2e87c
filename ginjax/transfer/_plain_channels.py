"""Plain networks whose fields change: the channels at their ends are components of fields."""

from collections.abc import Sequence

from ._channels import Ends, KeptChannels, LayerChannels, Rows, changed_width
from ._layers import key_name
from ._plain_layers import PlainLayer


def match_plain_channels(
    before: Sequence[PlainLayer],
    after: Sequence[PlainLayer],
    inputs: Ends,
    outputs: Ends,
    D: int,
) -> dict[str, LayerChannels]:
    """Like `match_channels`, for plain convolutions: channels at the ends of the network are components of fields.

    **Arguments:** as in `match_channels`, and:

    - `D`: the dimension.

    **Raises:** `UnsupportedError` for a layer whose channels changed in another way.
    """
    known = {layer.name: layer for layer in before}
    found = {}
    for layer in after:
        old = known.get(layer.name)
        if old is None:
            raise changed_width(layer.name, "no such layer", "one")
        found[layer.name] = LayerChannels(
            {(0, 0): _plain(layer.name, old.inputs, layer.inputs, inputs, D)},
            {(0, 0): _plain(layer.name, old.outputs, layer.outputs, outputs, D)},
        )
    return found


def _plain(name: str, before: Rows, after: Rows, ends: Ends, D: int) -> KeptChannels:
    total = KeptChannels((), 0)
    if before == after:
        count = sum(channels * D**k for k, _, channels in after)
        return KeptChannels(tuple(range(count)), count)
    counts = {(k, p): channels for k, p, channels in before}
    rows = {(k, p): channels for k, p, channels in after}
    for key in sorted({*counts, *rows}):
        kept = ends.get(key, KeptChannels((), counts.get(key, 0)))
        if (kept.before, len(kept.origins)) != (counts.get(key, 0), rows.get(key, 0)):
            raise changed_width(f"block {key_name(key)} of {name}", f"{before}", f"{after}")
        total = total.then(kept.components(D ** key[0]))
    return total
