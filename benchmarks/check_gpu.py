"""Run the programs of `compile_gpu.py` on a GPU and put what was measured beside the model.

`python benchmarks/check_gpu.py --seconds 300` on a machine with a GPU runs the cases that say most first, until the time is up;
`JAX_PLATFORMS=cpu python benchmarks/check_gpu.py --dry` runs them small and without a GPU, to see that they run. Every row is
written to `--out` when it is there, so that an interrupted run leaves what it has.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _cases import CONVOLUTIONS, GPU, LARGE, STEPS, Case
from gpu._hlo import parse
from gpu._kernels import kernels
from gpu._lanes import LANES, Lane, Program, build, settings
from gpu._model import LAUNCH, limit_seconds
from gpu._target import DEVICES, Device

from ginjax.geometric._compiled import compiler_options

CASES = CONVOLUTIONS | STEPS | LARGE | GPU
REFERENCE = "ours"
"""The lane whose results those of the other lanes of this library are compared with."""

CONVOLUTION_LANES = (REFERENCE, "fused", "fused, TF32", "plain, TF32", "plain")
STEP_LANES = (REFERENCE, "fused", "plain, TF32", "plain")
ORDER = (
    "conv-3d-vector",
    "gpu-3d-vector",
    "step-large",
    "gpu-2d-vector",
    "conv-3d-scalar",
    "conv-2d-vector",
    "step-2d-vector",
    "gpu-step-3d",
)
RESERVE = 30
"""Seconds that must be left to begin another program."""


def main() -> None:
    options = _parser().parse_args()
    device = jax.devices()[0]
    results: dict[str, Any] = {"device": device.device_kind, "jax": jax.__version__, "rows": []}
    print(results["device"], results["jax"], flush=True)
    until = time.perf_counter() + options.seconds
    for row in _rows(options, DEVICES["h200" if "H200" in device.device_kind else "h100"], until):
        results["rows"].append(row)
        print(_words(row), flush=True)
        options.out.write_text(json.dumps(results, indent=1) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=300, help="begin nothing when fewer than 30 are left"
    )
    parser.add_argument(
        "--cases", nargs="+", default=[], metavar="NAME", help="beginnings of the cases' names"
    )
    parser.add_argument(
        "--lanes", nargs="+", default=[], choices=LANES, metavar="LANE", help="; ".join(LANES)
    )
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ".")) / "check_gpu.json")
    parser.add_argument("--dry", action="store_true", help="small sizes, without a GPU")
    return parser


def _rows(options: argparse.Namespace, device: Device, until: float) -> Iterator[dict[str, Any]]:
    for name in ORDER:
        if options.cases and not name.startswith(tuple(options.cases)):
            continue
        case = CASES[name]
        if options.dry:
            case = replace(case, N=8, batch=1, channels=min(case.channels, 4), blocks=min(case.blocks, 1))
        wanted = None
        for lane in options.lanes or (STEP_LANES if case.blocks else CONVOLUTION_LANES):
            if until - time.perf_counter() < RESERVE:
                return
            row: dict[str, Any] = {"case": name, "lane": lane}
            try:
                found, more = _measured(case, LANES[lane], None if options.dry else device)
                if lane == REFERENCE:
                    wanted = found
                elif LANES[lane].network == "ours" and wanted is not None:
                    row["difference"] = _difference(found, wanted)
                row |= more
            except Exception as error:  # whatever the compiler or the device raises is a result
                row["failed"] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
            yield row


def _measured(case: Case, lane: Lane, device: Device | None) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The results of one program, and what was found out about it; without a device no kernels."""
    with settings(lane):
        program = build(case, lane)
        arguments = _filled(program)
        started = time.perf_counter()
        compiled = jax.jit(program.function, compiler_options=compiler_options(jax.default_backend()))
        compiled = compiled.lower(*arguments).compile()
    row: dict[str, Any] = {"compile_s": time.perf_counter() - started}
    if device is not None:
        launched = kernels(parse(compiled.as_text() or ""))
        row["kernels"] = sum(kernel.times for kernel in launched)
        row["moved"] = sum(kernel.moved * kernel.times for kernel in launched)
        row["limit"] = limit_seconds(launched, device)
        row["model"] = row["limit"] + LAUNCH * row["kernels"]
    memory: Any = compiled.memory_analysis()
    row["temporary"] = int(memory.temp_size_in_bytes)
    found = jax.block_until_ready(compiled(*arguments))
    row["measured"] = _median_seconds(lambda: jax.block_until_ready(compiled(*arguments)))
    return [np.asarray(leaf) for leaf in jax.tree.leaves(found)], row


def _filled(program: Program) -> tuple[Any, ...]:
    """The arguments of a program with random numbers for those that are shapes alone."""
    rng = np.random.default_rng(0)

    def fill(leaf: Any) -> Any:
        if not isinstance(leaf, jax.ShapeDtypeStruct):
            return leaf
        return jnp.asarray(rng.standard_normal(leaf.shape, np.float32), leaf.dtype)

    return jax.tree.map(fill, program.arguments)


def _median_seconds(run: Callable[[], Any], least: int = 5, most: int = 50, seconds: float = 1.0) -> float:
    """Of runs one after another, each waited for."""
    times, until = [], time.perf_counter() + seconds
    while len(times) < least or (len(times) < most and time.perf_counter() < until):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _difference(found: list[np.ndarray], wanted: list[np.ndarray]) -> float:
    """The largest difference of an array from what is wanted, in parts of that array's largest value."""
    return max(
        float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30))
        for a, b in zip(found, wanted, strict=True)
        if np.issubdtype(b.dtype, np.floating) and b.size
    )


def _words(row: dict[str, Any]) -> str:
    if "failed" in row:
        return f"{row['case']}, {row['lane']}: {row['failed']}"
    parts = [f"{row['measured'] * 1e3:.4g} ms"]
    if "model" in row:
        parts.append(
            f"model {row['model'] * 1e3:.4g} ms, {row['kernels']} kernels, {row['moved'] / 2**20:.0f} MiB"
        )
    if "difference" in row:
        parts.append(f"differs by {row['difference']:.1e}")
    parts.append(f"compiled in {row['compile_s']:.1f} s")
    return f"{row['case']}, {row['lane']}: {'; '.join(parts)}"


if __name__ == "__main__":
    sys.exit(main())
