"""Rows of single convolutions, forward and backward."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from _cases import CONVOLUTIONS, Case, sweeps
from _rows import OURS, TORCH, UPSTREAM, Bench, Row, compare, raced, words
from _workers import Lane

TARGETS = {
    "conv-3d-vector": 0.25,
    "conv-3d-orthoplex": 0.05,
    "conv-3d-scalar": 0.15,
    "conv-2d-vector": 0.6,
}


def convolutions(bench: Bench, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """Single layers, forward and backward."""
    for name, case in CONVOLUTIONS.items():
        if wanted(name):
            row = _convolution(bench, name, case)
            compare(row, "ours", "plain", TARGETS[name])
            compare(row, "ours", "PyTorch", 0.5)
            compare(row, "ours", "upstream")
            compare(row, "upstream", "plain")
            yield row


def sweep_rows(bench: Bench, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """The same along sizes, channels and sides, for the plots; fewer rounds, since a curve has many points."""
    bench = replace(bench, rounds=min(bench.rounds, 5), budget=min(bench.budget, 6.0))
    for sweep, cases in sweeps(bench.quick).items():
        if not wanted(f"sweep-{sweep}"):
            continue
        # The reference compiles for most of a minute at every point, too long for a look.
        hopeless: set[str] = {"upstream"} if bench.quick else set()
        for index, case in enumerate(cases):
            row = _convolution(bench, f"sweep-{sweep}-{index}", case, hopeless)
            # A lane that failed at one size is not tried at a larger one.
            hopeless |= {name for name, lane in row.lanes.items() if "failed" in lane}
            yield row


def _convolution(
    bench: Bench, name: str, case: Case, without: set[str] | frozenset[str] = frozenset()
) -> Row:
    ours = bench.start(OURS)
    record = case.to_json()
    lanes = {
        "ours": Lane(ours, "conv", {"case": record}),
        "plain": Lane(ours, "plain_conv", {"case": record}),
        "dense": Lane(ours, "conv", {"case": record, "way": "dense"}),
    }
    if bench.with_upstream:
        lanes["upstream"] = Lane(bench.start(UPSTREAM), "conv", {"case": record})
    if bench.with_torch and not name.startswith("sweep-"):
        torch = bench.start(TORCH)
        lanes["PyTorch"] = Lane(torch, "plain_conv", {"case": record}, has_memory=False)
    lanes = {lane: value for lane, value in lanes.items() if lane not in without}
    return raced(bench, name, f"convolution, {words(case)}", case, lanes, memory=True)
