"""Compare the transfer rules `isotropic` and `compatibility`: zero-shot rollouts of networks trained low.

`python benchmarks/rules.py` measures every cell that the file of results does not hold yet, and prints the tables;
`--quick` measures a few short ones into a file of its own; `--report` measures nothing. Two hours of one core.
"""

import argparse
import json
import warnings
from pathlib import Path

from _rules_cells import RULES, STEPS, Cell, cells, measure
from _rules_table import tables

from ginjax.errors import GinjaxWarning

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    options = _parser().parse_args()
    path = options.out or RESULTS / ("rules_quick.jsonl" if options.quick else "rules.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if not options.report:
        # Nothing is held out by the training itself: the held-out data are simulated here.
        warnings.simplefilter("ignore", GinjaxWarning)
        known = {_key(row) for row in rows}
        for cell in cells(options.quick, options.seeds):
            if cell.key not in known and set(options.only) <= set(map(str, cell.key)):
                rows += _measured(cell, path)
    print(tables(rows, RULES, STEPS))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two equations, short trainings, one seed")
    parser.add_argument("--seeds", type=int, default=3, help="networks of each cell")
    parser.add_argument(
        "--out", type=Path, help="file of results, one line for each network, dimension and rule"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="WORD", help="cells with these words, as unet long"
    )
    parser.add_argument("--report", action="store_true", help="measure nothing")
    return parser


def _key(row: dict) -> tuple[object, ...]:
    return tuple(row[name] for name in ("pde", "low", "network", "data", "training", "seed"))


def _measured(cell: Cell, path: Path) -> list[dict]:
    """The rows of a cell, written when all of them are there, so that a run that was cut off goes on."""
    found = measure(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("".join(json.dumps(row) + "\n" for row in found))
    print(*cell.key, flush=True)
    return found


if __name__ == "__main__":
    main()
