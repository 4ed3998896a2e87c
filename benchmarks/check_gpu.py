"""Run the programs of `compile_gpu.py` on a GPU and put what was measured beside the model.

`python benchmarks/check_gpu.py --seconds 300` on a machine with a GPU runs the cases that say most first, until the time is up;
`JAX_PLATFORMS=cpu python benchmarks/check_gpu.py --dry` runs them small and without a GPU, to see that they run. All programs are
compiled first, several at a time, and then measured one after another. Every row is written to `--out` when it is there, so that an
interrupted run leaves what it has; `--report FILE` makes a table of it.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _cases import CONVOLUTIONS, GPU, LARGE, STEPS
from gpu._hlo import parse
from gpu._kernels import kernels
from gpu._lanes import LANES, Program, build, settings
from gpu._model import LAUNCH, limit_seconds
from gpu._target import DEVICES, Device

from ginjax.geometric._compiled import compiler_options

CASES = CONVOLUTIONS | STEPS | LARGE | GPU
REFERENCE = "ours"
"""The lane whose results those of the other lanes of this library are compared with."""

CONVOLUTION_LANES = (REFERENCE, "by XLA", "plain, TF32", "plain, TF32, channels last", "plain")
STEP_LANES = (REFERENCE, "by XLA", "plain, TF32", "plain")
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
MEASURING = 0.4
"""The part of the time that is kept for measuring what is compiled by then."""

RESERVE = 10
"""Seconds that must be left to measure another program."""


@dataclass
class Prepared:
    """A program that is being compiled: its lane, arguments, and what compiling it gives and takes (seconds)."""

    case: str
    lane: str
    arguments: tuple[Any, ...]
    compiled: "Future[tuple[Any, float]]"


def main() -> None:
    options = _parser().parse_args()
    if options.report is not None:
        print(_table(json.loads(options.report.read_text())))
        return
    device = jax.devices()[0]
    results: dict[str, Any] = {"device": device.device_kind, "jax": jax.__version__, "rows": []}
    print(results["device"], results["jax"], flush=True)
    until = time.perf_counter() + options.seconds
    for row in _rows(options, DEVICES["h200" if "H200" in device.device_kind else "h100"], until):
        results["rows"].append(row)
        print(_words(row), flush=True)
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    os._exit(0)  # what is still being compiled when the time is up is not waited for


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=300, help="measure nothing more when fewer than 10 are left"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="programs compiled at a time")
    parser.add_argument(
        "--cases", nargs="+", default=[], metavar="NAME", help="beginnings of the cases' names"
    )
    parser.add_argument(
        "--lanes", nargs="+", default=[], choices=LANES, metavar="LANE", help="; ".join(LANES)
    )
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ".")) / "check_gpu.json")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="print the table of results that are there"
    )
    parser.add_argument("--dry", action="store_true", help="small sizes, without a GPU")
    return parser


def _rows(options: argparse.Namespace, device: Device, until: float) -> Iterator[dict[str, Any]]:
    with ThreadPoolExecutor(options.jobs) as pool:
        every = list(_prepared(options, pool))
        # Nothing is measured while the compiler tries things out on the device.
        wait(
            [each.compiled for each in every],
            max(0.0, until - MEASURING * options.seconds - time.perf_counter()),
        )
        wanted: dict[str, list[np.ndarray]] = {}
        for each in every:
            if until - time.perf_counter() < RESERVE:
                return
            row: dict[str, Any] = {"case": each.case, "lane": each.lane}
            try:
                found, more = _measured(each, None if options.dry else device)
                if each.lane == REFERENCE:
                    wanted[each.case] = found
                elif LANES[each.lane].network == "ours" and each.case in wanted:
                    row["difference"] = _difference(found, wanted[each.case])
                row |= more
            except Exception as error:  # whatever the compiler or the device raises is a result
                row["failed"] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
            yield row


def _prepared(options: argparse.Namespace, pool: ThreadPoolExecutor) -> Iterator[Prepared]:
    """All programs, traced one after another and handed to the compiler."""
    for name in ORDER:
        if options.cases and not name.startswith(tuple(options.cases)):
            continue
        case = CASES[name]
        if options.dry:
            case = replace(case, N=8, batch=1, channels=min(case.channels, 4), blocks=min(case.blocks, 1))
        for lane in options.lanes or (STEP_LANES if case.blocks else CONVOLUTION_LANES):
            with settings(LANES[lane]):
                program = build(case, LANES[lane])
                arguments = _filled(program)
                made = jax.jit(program.function, compiler_options=compiler_options(jax.default_backend()))
                lowered = made.lower(*arguments)
            yield Prepared(name, lane, arguments, pool.submit(_compiled, lowered))


def _compiled(lowered: jax.stages.Lowered) -> tuple[jax.stages.Compiled, float]:
    started = time.perf_counter()
    return lowered.compile(), time.perf_counter() - started


def _measured(each: Prepared, device: Device | None) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The results of one program, and what was found out about it; without a device no kernels."""
    compiled, seconds = each.compiled.result(0)
    row: dict[str, Any] = {"compile_s": seconds}
    if device is not None:
        launched = kernels(parse(compiled.as_text() or ""))
        row["kernels"] = sum(kernel.times for kernel in launched)
        row["moved"] = sum(kernel.moved * kernel.times for kernel in launched)
        row["limit"] = limit_seconds(launched, device)
        row["model"] = row["limit"] + LAUNCH * row["kernels"]
    memory: Any = compiled.memory_analysis()
    row["temporary"] = int(memory.temp_size_in_bytes)
    found = jax.block_until_ready(compiled(*each.arguments))
    row["measured"] = _median_seconds(lambda: jax.block_until_ready(compiled(*each.arguments)))
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


def _table(results: dict[str, Any]) -> str:
    """A row for each program, with its time over those of the ordinary network's two lanes in the same run."""
    rows = [row for row in results["rows"] if "measured" in row]
    times = {(row["case"], row["lane"]): row["measured"] for row in rows}
    lines = [
        f"{results['device']}, jax {results['jax']}, medians.",
        "",
        "| program | lane | measured | of plain, TF32 | of plain | kernels | temporary | compiled |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        rivals = [times.get((row["case"], lane)) for lane in ("plain, TF32", "plain")]
        ratios = ["-" if rival is None else f"{row['measured'] / rival:.2f}" for rival in rivals]
        lines.append(
            f"| {row['case']} | {row['lane']} | {row['measured'] * 1e3:.3g} ms | {' | '.join(ratios)} | {row.get('kernels', '-')} "
            f"| {row['temporary'] / 2**20:.0f} MiB | {row['compile_s']:.1f} s |"
        )
    return "\n".join(lines)


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
