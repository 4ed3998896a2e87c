"""What a conversion is worth, beside what else one could do: measure, and make the table, the page and the picture.

`python benchmarks/transfer_bench.py` measures what the committed table lacks, cell by cell, and goes on where it was
interrupted. Everything runs on one core, and the clock is processor time.

    --quick                               see that it works, in a file of its own
    --only 'allen-cahn/*/scratch/*'       cells by name: equation/transfer/network/method/samples/seed
    --pde diffusion --transfer 1to2 --network 24x2-product   other cases than those of the committed table
    --table, --page, --plot               make the table, the page and the picture of what is there
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from transferbench._clock import stay_on_one_core

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "transfer_bench.jsonl"
AGAIN = HERE / "results" / "transfer_bench_again.jsonl"
"""Seeds that nobody looked at while a method was settled."""

QUICK_RESULTS = HERE / "results" / "transfer_bench_quick.jsonl"
PAGE = HERE.parent / "docs" / "results" / "transfer-bench.md"
PICTURE = HERE.parent / "docs" / "images" / "transfer_bench.png"


def main(arguments: list[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if options.table or options.page or options.plot:
        _publish(options)
        return
    core = stay_on_one_core(options.core)
    os.environ["JAX_PLATFORMS"] = "cpu"
    from ginjax.xla_flags import set_xla_flags

    set_xla_flags()
    measure(options, core)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--pde", nargs="+", metavar="NAME", help="equations, in place of the committed cases")
    add("--transfer", nargs="+", metavar="AtoB", default=["1to3"], help="with --pde: 1to2, 1to3, 2to3")
    add("--network", nargs="+", metavar="CxB", default=["8x1"], help="with --pde: 8x1, 24x2, 8x1-product")
    add("--samples", nargs="+", type=int, default=[0, 1, 16], help="trajectories of the high dimension")
    add("--scratch-samples", nargs="*", type=int, default=[], help="more of them, from scratch only: 4 64")
    add("--seeds", type=int, default=3, help="how many")
    add("--rule", default="compatibility", help="that our networks are converted by")
    add("--cover", action="store_true", help="low-dimensional data that cover the high dimension")
    add("--only", nargs="+", default=[], metavar="PATTERN", help="cells whose names fit")
    add("--quick", action="store_true", help="tiny sizes, whose numbers mean nothing")
    add("--core", type=int, help="the core to stay on; the first one if not given")
    add("--out", type=Path, help="file of results")
    add("--list", action="store_true", help="name the cells that are missing, and measure nothing")
    add("--table", action="store_true", help="print the table of what is there")
    add("--page", action="store_true", help=f"write {PAGE.name}")
    add("--plot", action="store_true", help=f"write {PICTURE.name}")
    return made


def measure(options: argparse.Namespace, core: int) -> None:
    """Measure the cells that are asked for and missing, each into the file at once."""
    from transferbench._cells import COMMITTED, METHODS, Case, Request, parse_network, parse_transfer
    from transferbench._estimate import estimate
    from transferbench._machine import machine
    from transferbench._measurement import Bench
    from transferbench._results import read_book
    from transferbench._settings import QUICK, Settings
    from transferbench._stage import Options

    cases = COMMITTED
    if options.pde:
        cases = [
            Case(pde, *parse_transfer(transfer), *parse_network(network))
            for pde in options.pde
            for transfer in options.transfer
            for network in options.network
        ]
    request = Request(cases, options.samples, options.scratch_samples, options.seeds, options.only)
    path = options.out or (QUICK_RESULTS if options.quick else RESULTS)
    book = read_book(path, QUICK if options.quick else Settings(), machine(core))
    most = max([1, *options.samples, *options.scratch_samples])
    bench = Bench(book, Options(options.rule, options.cover), most)
    done = {result.key for result in book.results}
    missing = [cell for cell in request.cells() if bench.key(cell) not in done]
    _say(f"{len(missing)} cells to do, {estimate(missing, book.results)}")
    for number, cell in enumerate(missing):
        if options.list:
            print(cell.name)
            continue
        if bench.key(cell) in {result.key for result in book.results}:
            continue  # another cell needed it
        result = bench.measure(cell)
        book.add(result)
        errors = " ".join(f"{result.error(each):.3g}" for each in result.errors)
        left = estimate(missing[number + 1 :], book.results)
        label = METHODS[cell.method].label
        _say(f"{cell.name}: {errors} ({label}; {result.spent:.0f} s); {left}")


def _publish(options: argparse.Namespace) -> None:
    from transferbench._page import tables, with_tables
    from transferbench._picture import picture
    from transferbench._results import read_book
    from transferbench._summary import grouped

    from ginjax.ml import save_picture

    book = read_book(options.out or (QUICK_RESULTS if options.quick else RESULTS))
    if not book.results:
        raise SystemExit(f"{book.path} holds no results")
    if options.table:
        print(tables(book))
    if options.page:
        PAGE.write_text(with_tables(PAGE.read_text("utf-8"), book), "utf-8")
    if options.plot:
        save_picture(PICTURE, picture(grouped(book.results)), force=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
