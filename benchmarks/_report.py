"""The tables of `README.md`, made from a file of results."""

import math
from pathlib import Path
from typing import Any

from _floors import floor_of

MARKS = {
    "wall": ("<!-- results: written by run.py -->", "<!-- end of results -->"),
    "processor": ("<!-- results on one core: written by run.py -->", "<!-- end of results on one core -->"),
}
"""What the tables stand between, by the clock of the results."""


def clock_of(results: dict[str, Any]) -> str:
    """The clock that results were measured by; older ones say none."""
    return results.get("clock", "wall")


def write_readme(results: dict[str, Any], path: Path) -> None:
    """Replace what stands between the two marks."""
    begin, end = MARKS[clock_of(results)]
    text = path.read_text()
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    path.write_text(f"{before}{begin}\n\n{report(results)}\n{end}{after}")


def report(results: dict[str, Any]) -> str:
    rows = [row for row in results["rows"] if not row["name"].startswith("sweep-")]
    if clock_of(results) == "processor":
        return "\n".join([*_heading(results), "", *_targets(rows), "", *_details(rows)])
    return "\n".join(
        [
            *_heading(results),
            "",
            *_targets(rows),
            "",
            *_details(rows),
            "",
            *_against_floors(rows, results["limits"]),
            "",
            *_slopes(results["rows"]),
        ]
    )


def _heading(results: dict[str, Any]) -> list[str]:
    machine, limits = results["machine"], results["limits"]
    numbers = results["versions"]["ours"] | results["versions"].get("torch", {})
    versions = ", ".join(f"{name} {number}" for name, number in numbers.items())
    load = "quick run, " if results["quick"] else ""
    cores = f"{machine['cores']} cores"
    if clock_of(results) == "processor":
        cores = "processor time on one core"
    heading = [
        f"{results['date']}, {load}load {machine['load']:.1f} at the start. {machine['processor']}, "
        f"{cores}, {machine['memory'] / 2**30:.0f} GiB, {machine['system']}; "
        f"Python {machine['python']}; {versions}; JAX on {machine['backend']}.",
    ]
    if clock_of(results) == "processor":  # limits are of a machine that does nothing else
        return heading
    return [
        *heading,
        *_renewals(results["rows"]),
        "",
        f"Limits of this machine, measured in the same run through XLA: memory {limits['bandwidth'] / 1e9:.1f} GB/s "
        f"(`b + s c` on vectors of 256 MiB), matrix product {limits['product'] / 1e9:.0f} GFlop/s (float32).",
    ]


def _renewals(rows: list[dict[str, Any]]) -> list[str]:
    """Which rows are of another day, and of which."""
    days: dict[tuple[str, str, float], list[str]] = {}
    for row in rows:
        if "date" in row:
            machine = row["machine"]
            days.setdefault((row["date"], machine["processor"], machine["load"]), []).append(row["name"])
    return [
        f"\nMeasured again on {date} ({processor}, load {load:.1f} at the start): {', '.join(names)}."
        for (date, processor, load), names in days.items()
    ]


def _targets(rows: list[dict[str, Any]]) -> list[str]:
    """Everything that was promised, ratios first."""
    lines = ["| what | ratio | quartiles | target | met |", "|---|---|---|---|---|"]
    for row in rows:
        if row["at_most"] is not None:
            ours = row["lanes"]["ours"]
            met = _verdict(ours.get("median"), row["at_most"])
            quartiles = f"{_amount(ours, row['unit'], 'q1')} - {_amount(ours, row['unit'], 'q3')}"
            lines.append(
                f"| {row['title']} | {_amount(ours, row['unit'])} | {quartiles} | <= {row['at_most']:g} s | {met} |"
            )
        for ratio in row["ratios"]:
            if ratio["target"] is None:
                continue
            what = f"{row['title']}: {ratio['of']} / {ratio['to']}"
            if "median" in ratio:
                value, quartiles = _short(ratio["median"]), f"{_short(ratio['q1'])} - {_short(ratio['q3'])}"
            else:
                value, quartiles = "-", "-"
            met = _verdict(ratio.get("median"), ratio["target"])
            lines.append(f"| {what} | {value} | {quartiles} | <= {_short(ratio['target'])} | {met} |")
    return lines


def _verdict(value: float | None, limit: float) -> str:
    return "not measured" if value is None else "yes" if value <= limit else "**no**"


def _details(rows: list[dict[str, Any]]) -> list[str]:
    """Medians of every lane, and the ratios nobody asked for."""
    lines = ["| what | medians | other ratios |", "|---|---|---|"]
    for row in rows:
        lanes = "; ".join(f"{name} {_amount(lane, row['unit'])}" for name, lane in row["lanes"].items())
        others = "; ".join(
            f"{ratio['of']} / {ratio['to']} {_short(ratio['median'])}"
            for ratio in row["ratios"]
            if ratio["target"] is None and "median" in ratio
        )
        lines.append(f"| {row['title']} | {lanes} | {others or '-'} |")
    return lines


def _against_floors(rows: list[dict[str, Any]], limits: dict[str, float]) -> list[str]:
    lines = ["| convolution | ours | moving | mixing | ours / floor |", "|---|---|---|---|---|"]
    for row in rows:
        floor = floor_of(row, row.get("limits", limits)) if row["name"].startswith("conv-") else None
        if floor is None or "median" not in row["lanes"]["ours"]:
            continue
        ours = row["lanes"]["ours"]["median"]
        cells = (_time(ours), _time(floor["moving"]), _time(floor["mixing"]), _short(ours / floor["floor"]))
        lines.append(f"| {row['title']} | {' | '.join(cells)} |")
    return lines


def _slopes(rows: list[dict[str, Any]]) -> list[str]:
    from _plots import curves

    lines = ["| along | way | points | time | memory |", "|---|---|---|---|---|"]
    for sweep, lanes in curves(rows).items():
        for lane, curve in lanes.items():
            cells = [f"{s:.2f}" if math.isfinite(s) else "-" for s in (curve.time_slope, curve.memory_slope)]
            points = f"{curve.at[0]:g} to {curve.at[-1]:g}" if curve.at else "none"
            note = "" if curve.failed is None else f", then {curve.failed}"
            lines.append(f"| {sweep} | {lane} | {points}{note} | {cells[0]} | {cells[1]} |")
    return lines


def _amount(lane: dict[str, Any], unit: str, which: str = "median") -> str:
    if which not in lane:
        return lane.get("failed", "-")
    return _time(lane[which]) if unit == "seconds" else f"{lane[which] / 2**20:.1f} MiB"


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{_short(1e3 * seconds)} ms"


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
