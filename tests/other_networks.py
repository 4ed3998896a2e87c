"""A small network as other libraries save theirs, and NumPy that runs it in any dimension."""

import json
from pathlib import Path

import numpy as np
from dense_convolutions import convolve, convolve_transposed
from safetensors.numpy import save_file

from ginjax.state_dict import Module

PATTERNS = {"transposed": ["up.weight:2"], "stride": ["down.weight:2"]}
"""What the file of `parameters` does not tell."""


def parameters(D=2, seed=0, dtype=np.float32):
    """A stem, a convolution of stride 2, a transposed one back, a head of side 1; and what stands beside kernels."""
    rng = np.random.default_rng(seed)
    kernel = lambda *shape: rng.normal(size=(*shape, *(3,) * D)).astype(dtype)  # noqa: E731
    return {
        "stem.weight": kernel(3, 2),
        "stem.bias": rng.normal(size=3).astype(dtype),
        "norm.weight": rng.normal(size=3).astype(dtype),
        "norm.bias": rng.normal(size=3).astype(dtype),
        "norm.running_mean": rng.normal(size=3).astype(dtype),
        "norm.running_var": rng.uniform(0.5, 1, size=3).astype(dtype),
        "norm.num_batches_tracked": np.array(7, np.int64),
        "down.weight": kernel(4, 3),
        "up.weight": rng.normal(size=(4, 3, *(2,) * D)).astype(dtype),
        "up.bias": rng.normal(size=3).astype(dtype),
        "head.weight": rng.normal(size=(2, 3, *(1,) * D)).astype(dtype),
    }


def run(arrays, x):
    """The network on `(2, *grid)`, in float64."""
    arrays = {name: np.asarray(a, np.float64) for name, a in arrays.items()}
    D = x.ndim - 1
    wide = lambda name: arrays[name].reshape(-1, *(1,) * D)  # noqa: E731
    y = convolve(x, arrays["stem.weight"], padding=1) + wide("stem.bias")
    y = (y - wide("norm.running_mean")) / np.sqrt(wide("norm.running_var") + 1e-5)
    y = np.maximum(y * wide("norm.weight") + wide("norm.bias"), 0)
    y = np.tanh(convolve(y, arrays["down.weight"], stride=2, padding=1))
    y = y / (1 + np.abs(y).mean())  # as a norm over all positions does
    y = convolve_transposed(y, arrays["up.weight"], stride=2) + wide("up.bias")
    return convolve(np.tanh(y), arrays["head.weight"])


def modules(D=2):
    """The layers of the network, as they are described."""
    rows = [
        ("stem", f"Conv{D}d", {"kernel_size": [3] * D, "stride": [1] * D, "padding": [1] * D}),
        ("norm", f"BatchNorm{D}d", {}),
        ("down", f"Conv{D}d", {"kernel_size": [3] * D, "stride": [2] * D, "padding": [1] * D}),
        ("up", f"ConvTranspose{D}d", {"kernel_size": [2] * D, "stride": [2] * D, "padding": [0] * D, "output_padding": [0] * D}),
        ("head", f"Conv{D}d", {"kernel_size": [1] * D, "stride": [1] * D, "padding": [0] * D}),
    ]  # fmt: skip
    return tuple(Module(name, (kind, "Module"), settings) for name, kind, settings in rows)


def write_modules(path: Path, rows=None):
    """The file that the lines of `DESCRIBE_LINES` would write."""
    listed = [
        {"name": each.name, "kinds": list(each.kinds), "settings": dict(each.settings)}
        for each in (modules() if rows is None else rows)
    ]
    path.write_text(json.dumps({"modules": listed}))


def write(path: Path, arrays=None, metadata=None):
    """A file as another library writes it."""
    save_file(parameters() if arrays is None else arrays, path, metadata=metadata or {"format": "pt"})
    return path


def write_shards(folder, arrays=None):
    """Its arrays by turns in two files, under the index that it returns."""
    arrays = parameters() if arrays is None else arrays
    names = sorted(arrays)
    parts = {"net-1.safetensors": names[::2], "net-2.safetensors": names[1::2]}
    for file, part in parts.items():
        save_file({name: arrays[name] for name in part}, folder / file, metadata={"format": "pt"})
    index = folder / "net.safetensors.index.json"
    where = {name: file for file, part in parts.items() for name in part}
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": where}))
    return index
