"""Compile the measured programs for a GPU on a machine without one, and say what they consist of.

`python benchmarks/compile_gpu.py` compiles all; `--cases conv-3d step` those whose names begin so; `--report FILE`
makes the page from results that are there. `gpu/README.md` says what has to be installed and what the numbers are.
"""

import argparse
import datetime
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

# What is compiled is not run: JAX is to hold its constants on the processor, and to look for no GPU.
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

from _cases import CONVOLUTIONS, GPU, LARGE, STEPS, Case
from _floors import convolution_floor
from _rows import words
from gpu._hlo import parse
from gpu._kernels import Kernel, kernels
from gpu._lanes import CONVOLUTION_LANES, LANES, STEP_LANES, build, settings
from gpu._model import LAUNCH, limit_seconds, model_seconds
from gpu._table import longest, page
from gpu._target import DEVICES, Device, compile_for

RESULTS = Path(__file__).parent / "gpu" / "results"
CASES = CONVOLUTIONS | STEPS | LARGE | GPU
PACKAGES = (
    "ginjax",
    "jax",
    "jaxlib",
    "jax-cuda13-plugin",
    "nvidia-cudnn-cu13",
    "nvidia-cuda-nvcc",
    "equinox",
    "numpy",
)


def main() -> None:
    options = _parser().parse_args()
    if options.report is not None:
        _publish(json.loads(options.report.read_text()))
        return
    names = [name for name in CASES if not options.cases or name.startswith(tuple(options.cases))]
    device = DEVICES[options.device]
    results: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "device": device.name,
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "launch": options.launch,
        "rows": [],
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for name in names:
        for lane in options.lanes or (STEP_LANES if CASES[name].blocks else CONVOLUTION_LANES):
            results["rows"].append(_row(name, CASES[name], lane, device, options))
            # After every row, so that an interrupted run leaves what it has.
            options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(page(results))
    # A part does not replace the published page.
    if not options.cases and not options.lanes:
        _publish(results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cases", nargs="+", default=[], metavar="NAME", help="beginnings of the cases' names"
    )
    parser.add_argument(
        "--lanes", nargs="+", default=[], choices=LANES, metavar="LANE", help="; ".join(LANES)
    )
    parser.add_argument("--device", default="h100", choices=DEVICES)
    parser.add_argument("--launch", type=float, default=LAUNCH, help="seconds for each kernel (%(default)s)")
    parser.add_argument("--longest", type=int, default=0, metavar="N", help="list the N longest kernels")
    parser.add_argument("--hlo", type=Path, metavar="FOLDER", help="keep the compiler's output")
    parser.add_argument("--out", type=Path, default=RESULTS / "latest.json", help="file of results")
    parser.add_argument("--report", type=Path, metavar="FILE", help="compile nothing, publish these results")
    return parser


def _row(name: str, case: Case, lane: str, device: Device, options: argparse.Namespace) -> dict[str, Any]:
    """Compile one program and describe it."""
    row: dict[str, Any] = {"name": name, "title": _title(name, case), "lane": lane, "case": case.to_json()}
    try:
        with settings(LANES[lane]):
            program = build(case, LANES[lane])
            compiled = compile_for(device, program.function, program.arguments, program.donated)
    except Exception as error:  # whatever the compiler raises is a result
        row["failed"] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
        print(f"{name}, {lane}: {row['failed']}", file=sys.stderr, flush=True)
        return row
    if options.hlo is not None:
        options.hlo.mkdir(parents=True, exist_ok=True)
        (options.hlo / f"{name}.{lane.replace(', ', '-').replace(' ', '-')}.hlo").write_text(compiled.text)
    found = kernels(parse(compiled.text))
    row |= described(found, device, options.launch)
    row |= {"temporary": compiled.temporary, "trace_s": compiled.trace_s, "compile_s": compiled.compile_s}
    if program.filters is not None:
        limits = {"bandwidth": device.bandwidth, "product": device.peaks["fp32"]}
        row["floor"] = convolution_floor(case, program.filters, limits)
    print(f"{name}, {lane}: {row['model'] * 1e3:.4g} ms by the model", file=sys.stderr, flush=True)
    print(
        *longest(found, device, options.longest),
        sep="\n",
        end="\n" if options.longest else "",
        file=sys.stderr,
    )
    return row


def described(found: list[Kernel], device: Device, launch: float) -> dict[str, Any]:
    """Kernels by kind, bytes moved, operations by kind, and the two times of the model, in seconds."""
    by_kind: dict[str, int] = {}
    work: dict[str, int] = {}
    for kernel in found:
        by_kind[kernel.kind] = by_kind.get(kernel.kind, 0) + kernel.times
        for kind, count in kernel.operations.items():
            work[kind] = work.get(kind, 0) + count * kernel.times
    return {
        "kernels": by_kind,
        "moved": sum(kernel.moved * kernel.times for kernel in found),
        "operations": work,
        "limit": limit_seconds(found, device),
        "model": model_seconds(found, device, launch),
    }


def _title(name: str, case: Case) -> str:
    return f"{'training step' if case.blocks else 'convolution'}, {words(case)}"


def _publish(results: dict[str, Any]) -> None:
    (RESULTS / "latest.md").write_text(page(results))


if __name__ == "__main__":
    main()
