"""The command line of a benchmark that goes on with the cells its file lacks."""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transferbench._clock import stay_on_one_core

RESULTS = Path(__file__).parent / "results"

Rows = list[dict[str, Any]]
Measure = Callable[[argparse.Namespace, Path, Rows], None]


def go_on(name: str, description: str | None, measure: Measure) -> Rows:
    """Read the options and the rows that there are, and have the others measured.

    **Arguments:**

    - `name`: of the file of rows, without its ending; `_quick` is added for quick ones.
    - `measure`: adds the missing rows to the list and to the file, unless `--report` is given.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, whose numbers mean nothing")
    parser.add_argument("--seeds", type=int, default=2, help="how many")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="cells with these words")
    parser.add_argument("--core", type=int, help="the core to stay on; the first one if not given")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    options = parser.parse_args()
    path = RESULTS / (f"{name}_quick.jsonl" if options.quick else f"{name}.jsonl")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    if not options.report:
        stay_on_one_core(options.core)
        os.environ["JAX_PLATFORMS"] = "cpu"
        from ginjax.xla_flags import set_xla_flags

        set_xla_flags()
        measure(options, path, rows)
    return rows
