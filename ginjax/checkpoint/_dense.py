"""The kernels of a network as plain arrays, for libraries that do not know invariant filters."""

import math
import os
from collections.abc import Mapping

import numpy as np

from ginjax.filters import FilterBank
from ginjax.transfer import ConvLayer

from ._file import write_file
from ._model_file import ModelRecord


def dense_kernels(record: ModelRecord) -> dict[str, np.ndarray]:
    r"""All arrays of a network, with the weights of each equivariant convolution as one ordinary kernel.

    The channels are those of `MultiImage.to_scalar_multi_image`: keys in canonical order, channel-major, components row-major.
    The kernels are in the layout of PyTorch, for a cross-correlation (not flipped):

    $$K_{(b\,o\,J),\,(a\,i\,I)}(m) = \sum_l W^{a \to b}_{o i l}\, C_l(m)_{I J}$$

    A convolution `NAME` becomes three arrays: `NAME.kernel`, `(out, in, *(M,)*D)`; `NAME.bias`, `(out,)`, which is added to the
    output; and `NAME.mean_bias`, `(out,)`. The last one is multiplied by the spatial mean of each output channel, and the
    product is added to that channel. A convolution without biases has its kernel only. All other arrays keep their names and
    shapes.

    **Arguments:**

    - `record`: the model; if it is not equivariant, its arrays are returned unchanged.
    """
    arrays = dict(record.arrays)
    use_bias = record.spec.get("options", {}).get("use_bias", "auto")
    for layer in record.layers:
        weights = {
            path: arrays.pop(layer.weight_name(*path))
            for path in ((a, b) for a, _, b, _ in layer.paths())
            if layer.weight_name(*path) in arrays
        }
        arrays[f"{layer.name}.kernel"] = _kernel(layer, record.banks[layer.role], weights, record.D)
        arrays |= _biases(layer, arrays, record.D, use_bias)
    return dict(sorted(arrays.items()))


def write_dense(path: str | os.PathLike[str], record: ModelRecord, *, force: bool = False) -> str:
    """Write `dense_kernels` and a description of each convolution to a safetensors file, which any library can read.

    **Returns:** the SHA-256 of the file.

    **Raises:** as `write_file`.
    """
    header = {
        "kind": "arrays",
        "layout": "kernels (out, in, *sides), cross-correlation; channels: keys in canonical order, channel-major, "
        "components row-major",
        "architecture": record.spec,
        "dimension": record.D,
        "periodic": list(record.is_torus),
        "padding": [axis.padding for axis in record.contract.axes],
        "convolutions": [layer.to_json() for layer in record.layers],
        "plain_convolutions": [layer.to_json() for layer in record.plain_layers],
        "digest": record.digest,
    }
    return write_file(path, dense_kernels(record), header, force=force)


def _kernel(
    layer: ConvLayer,
    bank: FilterBank,
    weights: Mapping[tuple[tuple[int, int], tuple[int, int]], np.ndarray],
    D: int,
) -> np.ndarray:
    """The kernel `(out, in, *(M,)*D)` in the precision of the weights, summed in float64."""
    rows = []
    for k_out, p_out, c_out in layer.outputs:
        row = []
        for k_in, p_in, c_in in layer.inputs:
            shape = (c_out, D**k_out, c_in, D**k_in, *(bank.side,) * D)
            block = weights.get(((k_in, p_in), (k_out, p_out)))
            if block is None:
                row.append(np.zeros(shape))
                continue
            filters = bank.blocks[k_in + k_out, (p_in + p_out) % 2].filters
            flat = filters.reshape(len(filters), bank.side**D, D**k_in, D**k_out)
            row.append(np.einsum("oin,nmIJ->oJiIm", block.astype(np.float64), flat).reshape(shape))
        merged = [each.reshape(c_out * D**k_out, -1, *(bank.side,) * D) for each in row]
        rows.append(np.concatenate(merged, axis=1))
    dtype = next(iter(weights.values())).dtype if weights else np.dtype(np.float32)
    return np.concatenate(rows).astype(dtype)


def _biases(
    layer: ConvLayer, arrays: dict[str, np.ndarray], D: int, use_bias: object
) -> dict[str, np.ndarray]:
    """The biases of all output channels, 0 for a key without one; the biases by key are removed from `arrays`."""
    added: dict[str, list[np.ndarray]] = {"bias": [], "mean_bias": []}
    found = False
    for k, p, channels in layer.outputs:
        bias = arrays.pop(f"{layer.name}.bias.k{k}p{p}", None)
        found = found or bias is not None
        kind = "bias" if (k, p) == (0, 0) and use_bias != "mean" else "mean_bias"
        for name, parts in added.items():
            own = bias if bias is not None and name == kind else np.zeros(channels, np.float32)
            parts.append(np.repeat(own, math.prod((D,) * k)))
    return {f"{layer.name}.{name}": np.concatenate(parts) for name, parts in added.items()} if found else {}
