"""The page `results/latest.md`, made from a file of results."""

from typing import Any

from ._kernels import Kernel
from ._model import kernel_seconds
from ._target import Device

KINDS = ("product", "convolution", "elementwise", "reduce", "concatenate", "transpose", "copy", "write slab")


def page(results: dict[str, Any]) -> str:
    """Results as a page of Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    return "\n".join(
        [
            "# Compiled for a GPU",
            "",
            f"{results['date']}; {results['device']}, not present; {versions}.",
            f"A model, no measurement, see [README.md](../README.md); {results['launch'] * 1e6:g} us for each launch.",
            "",
            *_times(results["rows"]),
            "",
            *_floors(results["rows"]),
            "",
            *_kinds(results["rows"]),
            "",
            *(
                f"- {name}: {title}."
                for name, title in {r["name"]: r["title"] for r in results["rows"]}.items()
            ),
            "",
        ]
    )


def _times(rows: list[dict[str, Any]]) -> list[str]:
    """Every program, and its time over that of the ordinary network as JAX runs it by default."""
    head = ["program", "lane", "kernels", "moved", "products", "temporary", "limit", "model"]
    lines = _head(*head, "to plain, TF32")
    against = {row["name"]: row["model"] for row in rows if row["lane"] == "plain, TF32" and "model" in row}
    for row in rows:
        if "failed" in row:
            lines.append(_line(row["name"], row["lane"], row["failed"], *[""] * 6))
            continue
        products = sum(count for kind, count in row["operations"].items() if kind != "elementwise")
        lines.append(
            _line(
                row["name"],
                row["lane"],
                str(sum(row["kernels"].values())),
                f"{row['moved'] / 2**20:.0f} MiB",
                f"{products / 1e9:.1f} GFlop",
                f"{row['temporary'] / 2**20:.0f} MiB",
                _milliseconds(row["limit"]),
                _milliseconds(row["model"]),
                f"{row['model'] / against[row['name']]:.2f}" if row["name"] in against else "-",
            )
        )
    return lines


def _floors(rows: list[dict[str, Any]]) -> list[str]:
    lines = _head("convolution, ours", "moving", "mixing", "limit", "limit / floor")
    for row in rows:
        if row["lane"] == "ours" and "floor" in row:
            floor = row["floor"]
            times = [_milliseconds(seconds) for seconds in (floor["moving"], floor["mixing"], row["limit"])]
            lines.append(_line(row["name"], *times, f"{row['limit'] / floor['floor']:.1f}"))
    return lines


def _kinds(rows: list[dict[str, Any]]) -> list[str]:
    others = sorted({kind for row in rows for kind in row.get("kernels", {})} - {*KINDS})
    lines = _head("kernels of", "lane", *KINDS, *others)
    for row in rows:
        if "failed" not in row:
            counts = (str(row["kernels"].get(kind, 0)) for kind in (*KINDS, *others))
            lines.append(_line(row["name"], row["lane"], *counts))
    return lines


def _head(*cells: str) -> list[str]:
    return [_line(*cells), "|" + "---|" * len(cells)]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


def longest(kernels: list[Kernel], device: Device, count: int) -> list[str]:
    """The kernels that take the model the longest, one a line."""
    order = sorted(kernels, key=lambda k: -k.times * kernel_seconds(k, device))
    return [
        f"{k.times:5} x {kernel_seconds(k, device) * 1e6:9.1f} us  {k.kind:12} {k.name:40.40}"
        f" read {k.read / 2**20:9.2f} MiB, written {k.written / 2**20:9.2f} MiB  {k.source}"
        for k in order[:count]
    ]
