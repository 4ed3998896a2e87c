"""The row of networks of other libraries: a whole conversion beside reading and writing as many bytes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from _process_rows import whole
from _rows import OURS, Bench, Row, compare, fill

PARAMETERS = 25_000_000
_LIBRARY = """
import sys
import numpy as np
from safetensors.numpy import load_file, save_file
read = load_file(sys.argv[1])
more = int(sys.argv[3]) - sum(array.nbytes for array in read.values())
save_file({**read, "more": np.ones(more, np.uint8)}, sys.argv[2])
"""
_BYTES = """
import os, sys
data = memoryview(open(sys.argv[1], "rb").read())
left = int(sys.argv[3])
with open(sys.argv[2], "wb") as file:
    while left:
        left -= file.write(data[:left])
    file.flush()
    os.fsync(file.fileno())
"""


def state_dicts(bench: Bench, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """A state dict of 25 million parameters from 2D to 3D, as a whole process.

    Beside it two that read the same file and write as many bytes as the conversion: by the library of the format, and bytes
    alone.
    """
    name = "process-state-dict"
    if not wanted(name):
        return
    source, target, other = (bench.scratch / f"{each}.safetensors" for each in ("net", "net_3d", "other"))
    _write(source)
    python = str(bench.pythons[OURS])
    said = ["--transposed", "none", "--stride", "layer1*.weight:2"]
    convert = [python, "-m", "ginjax_cli", "convert-d", str(source), "--to-dim", "3", *said]
    convert += ["-o", str(target), "--force", "-q"]
    whole(convert, bench.timeout)
    size = str(target.stat().st_size)
    lanes = {
        "ours": convert,
        "library": [python, "-c", _LIBRARY, str(source), str(other), size],
        "bytes": [python, "-c", _BYTES, str(source), str(other), size],
    }
    seconds: dict[str, list[float]] = {lane: [] for lane in lanes}
    for _ in range(3 if bench.quick else 9):
        for lane, line in lanes.items():
            seconds[lane].append(whole(line, bench.timeout).processor)
    row = Row(
        name, "whole process: a state dict of 25 M parameters, 2D to 3D (processor time)", "seconds", {}
    )
    fill(row, seconds)
    compare(row, "ours", "library", 3.0)
    compare(row, "ours", "bytes")
    yield row


def _write(path: Path) -> None:
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    total = 0
    while total < PARAMETERS:
        layer, channels = f"layer{len(arrays) // 2}", (64, 128, 256, 512)[len(arrays) // 2 % 4]
        arrays[f"{layer}.weight"] = rng.standard_normal((channels, channels, 3, 3), dtype=np.float32)
        arrays[f"{layer}.bias"] = np.zeros(channels, np.float32)
        total += channels * (9 * channels + 1)
    save_file(arrays, path)
