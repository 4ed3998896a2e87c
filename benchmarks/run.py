"""Measure everything side by side, write JSON, the tables of README.md and the plots.

`python benchmarks/run.py` measures all; `--rows conv-3d step` those whose names begin so; `--quick` all with few
repeats; `--report FILE` makes tables and plots from results that are there, with `--renew OLD` of those
in OLD whose rows it renews.
"""

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from _convolution_rows import convolutions, sweep_rows
from _environment import torch_python, upstream_python
from _plots import draw
from _process_rows import banks, processes
from _report import clock_of, report, write_readme
from _rows import OURS, TORCH, UPSTREAM, Bench, Row
from _state_dict_rows import state_dicts
from _step_rows import first_steps, memory_rows, product_rows, steps

HERE = Path(__file__).parent
Rows = Callable[[Bench, Callable[[str], bool]], Iterator[Row]]
GROUPS: tuple[Rows, ...] = (
    convolutions,
    steps,
    first_steps,
    product_rows,
    banks,
    processes,
    state_dicts,
    memory_rows,
    sweep_rows,
)
ON_ONE_CORE: tuple[Rows, ...] = (convolutions, steps)


def main() -> None:
    options = _parser().parse_args()
    if options.report is not None:
        results = json.loads(options.report.read_text())
        if options.renew is not None:
            results = renewed(json.loads(options.renew.read_text()), results)
            options.renew.write_text(json.dumps(results, indent=1) + "\n")
        _publish(results)
        return
    with tempfile.TemporaryDirectory() as scratch:
        results = _measure(options, Path(scratch))
    print(report(results))
    # A part, or a quick look, does not replace the published tables.
    if not options.rows and not options.quick:
        _publish(results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", default=[], metavar="NAME", help="beginnings of the rows' names")
    parser.add_argument("--quick", action="store_true", help="few repeats and small sweeps")
    parser.add_argument("--out", type=Path, help="file of results (latest.json or processor.json in results)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="measure nothing, publish these results")
    parser.add_argument(
        "--renew",
        type=Path,
        metavar="FILE",
        help="with --report: put its rows in the place of those of FILE first",
    )
    parser.add_argument("--without-upstream", action="store_true", help="do not install or run the reference")
    parser.add_argument("--without-torch", action="store_true", help="do not install or run PyTorch")
    parser.add_argument("--torch", type=Path, default=HERE / ".venv-torch", help="folder of its environment")
    parser.add_argument(
        "--processor", action="store_true", help="on one core, counting processor time: for a busy machine"
    )
    parser.add_argument("--upstream", type=Path, default=HERE / ".venv", help="folder of its environment")
    parser.add_argument("--memory", type=float, default=12, help="GiB of address space for each process")
    parser.add_argument("--timeout", type=float, default=None, help="seconds for one answer (120, quick 40)")
    return parser


def _measure(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    pythons = {OURS: Path(sys.executable)}
    if not options.without_upstream:
        pythons[UPSTREAM] = upstream_python(options.upstream.absolute())
    if not options.without_torch:
        pythons[TORCH] = torch_python(options.torch.absolute())
    if options.processor:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    quick = options.quick
    bench = Bench(
        pythons,
        memory=int(options.memory * 2**30),
        timeout=options.timeout or (40 if quick else 120),
        rounds=3 if quick else 9,
        budget=(2 if quick else 20) * (5 if options.processor else 1),
        quick=quick,
        scratch=scratch,
        clock="processor" if options.processor else "wall",
    )
    machine = _machine()
    versions = {}
    for name, script in (("ours", OURS), ("upstream", UPSTREAM), ("torch", TORCH)):
        if script in pythons:
            worker = bench.start(script)
            versions[name] = worker.ask("versions")
            worker.close()
    worker = bench.start(OURS)
    limits = worker.ask("limits")
    machine["backend"] = limits.pop("backend")
    worker.close()
    results: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "quick": quick,
        "clock": bench.clock,
        "machine": machine,
        "versions": versions,
        "limits": limits,
        "rows": [],
    }
    name = "processor.json" if options.processor else "latest.json"
    out = HERE / "results" / name if options.out is None else options.out
    out.parent.mkdir(parents=True, exist_ok=True)
    for row in _rows(bench, ON_ONE_CORE if options.processor else GROUPS, options.rows):
        results["rows"].append(asdict(row))
        # After every row, so that an interrupted run leaves what it has measured.
        out.write_text(json.dumps(results, indent=1) + "\n")
    return results


def _rows(bench: Bench, groups: Sequence[Rows], beginnings: list[str]) -> Iterator[Row]:
    wanted: Callable[[str], bool] = lambda name: not beginnings or name.startswith(tuple(beginnings))  # noqa: E731
    for group in groups:
        for row in group(bench, wanted):
            lanes = ", ".join(
                f"{name} {lane['median']:.4g}" if "median" in lane else f"{name} {lane.get('failed')}"
                for name, lane in row.lanes.items()
            )
            print(f"{row.name}: {lanes} {row.unit}", file=sys.stderr, flush=True)
            yield row


def renewed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Results with rows that were measured again, which keep the date, the machine and its limits of their own run."""
    own = {name: new[name] for name in ("date", "machine", "limits")}
    rows = {row["name"]: row for row in old["rows"]}
    rows |= {row["name"]: row | own for row in new["rows"]}
    return old | {"rows": list(rows.values()), "versions": old["versions"] | new["versions"]}


def _machine() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "processor"
    )


def _publish(results: dict[str, Any]) -> None:
    write_readme(results, HERE / "README.md")
    if clock_of(results) == "wall":
        draw(results["rows"], HERE / "plots")


if __name__ == "__main__":
    main()
