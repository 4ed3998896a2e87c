"""Rows of things that happen once: filter banks and whole processes."""

import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from _rows import OURS, UPSTREAM, Bench, Row, ask_fresh, compare, fill
from _workers import usual_environment


def banks(bench: Bench, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """Filter banks, each built in a process that has built no other."""
    for (D, M, k), target in {(3, 5, 2): 0.02, (3, 7, 2): 1.0, (4, 5, 2): 1.0, (3, 5, 4): 1.0}.items():
        name = f"bank-{D}d-{M}-{k}"
        if not wanted(name):
            continue
        request = {"do": "filters", "D": D, "M": M, "k": k}
        requests = {"ours": (OURS, request)}
        if bench.with_upstream and (not bench.quick or (D, M, k) == (3, 5, 2)):
            requests["upstream"] = (UPSTREAM, request)
        row = Row(name, f"filter bank, D={D} M={M} k={k}", "seconds", {}, at_most=target)
        # The reference takes most of a minute; its ratio is in the thousands.
        ask_fresh(bench, row, requests, 1 if bench.quick else 5, None, once={"upstream"})
        compare(row, "ours", "upstream")
        yield row


def processes(bench: Bench, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """Whole processes against one that only imports the libraries every command needs."""
    python, folder = str(bench.pythons[OURS]), bench.scratch
    ginjax = [python, "-m", "ginjax_cli"]
    bare = [python, "-c", "import numpy, typer, rich, safetensors.numpy"]
    model, converted = str(folder / "model_1d.safetensors"), str(folder / "model_3d.safetensors")
    network = ["init", "resnet", "--dim", "1", "--channels", "32", "--blocks", "8", "--support", "orthoplex"]
    subprocess.run([*ginjax, *network, "-o", model, "--force", "-q"], check=True, capture_output=True)
    convert = ["convert-d", model, "--to-dim", "3", "--rescale", "compatibility", "-o", converted]
    commands = {
        "process-convert": (
            "load a ResNet (8 blocks x 32 channels, 1D), convert to 3D, write",
            [*ginjax, *convert, "--force", "-q"],
            3.0,
        ),
        "process-inspect": ("ginjax inspect FILE", [*ginjax, "inspect", model], 2.0),
        "process-help": ("ginjax --help", [*ginjax, "--help"], 2.0),
    }
    for name, (title, command, target) in commands.items():
        if not wanted(name):
            continue
        lanes = {"ours": command, "bare imports": bare}
        seconds: dict[str, list[float]] = {lane: [] for lane in lanes}
        for line in lanes.values():  # once before, so that bytecode and files are in their caches
            _whole(line, bench.timeout)
        for _ in range(5 if bench.quick else 15):
            for lane, line in lanes.items():
                seconds[lane].append(_whole(line, bench.timeout))
        row = Row(name, f"whole process: {title}", "seconds", {})
        if name == "process-convert" and bench.with_upstream:
            try:
                seconds["upstream"] = _upstream_conversion(bench)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                row.lanes["upstream"] = {"failed": type(error).__name__}
        fill(row, seconds)
        compare(row, "ours", "bare imports", target)
        compare(row, "ours", "upstream")
        yield row


def _upstream_conversion(bench: Bench) -> list[float]:
    script = [str(bench.pythons[UPSTREAM]), str(Path(__file__).with_name("_convert_upstream.py"))]
    old, new = str(bench.scratch / "model_1d.eqx"), str(bench.scratch / "model_3d.eqx")
    _whole([*script, "init", old], bench.timeout)
    times = 1 if bench.quick else 3
    return [_whole([*script, "convert", old, new], bench.timeout) for _ in range(times)]


class Whole(NamedTuple):
    """What a process took from start to end: seconds on the clock, and on the processor."""

    clock: float
    processor: float


def whole(command: list[str], timeout: float) -> Whole:
    """Run a process and say what it took."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, timeout=timeout, capture_output=True, env=usual_environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Whole(time.perf_counter() - started, processor)


def _whole(command: list[str], timeout: float) -> float:
    """Seconds from start to end of a process."""
    return whole(command, timeout).clock
