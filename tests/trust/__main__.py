"""The whole of it, from the folder of the tests: `python -m trust --files 100000 --interruptions 1000 --seed 1`.

What was done is kept in `--keep`, and the same command goes on from there. It prints the tables, and ends with 1 if a cell of
their last columns is not zero.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

from trust import files, interruptions
from trust.formats import FORMATS
from trust.interruptions import Stage, Trial

AT_ONCE = 100


def options() -> argparse.ArgumentParser:
    """What the command takes."""
    words = argparse.ArgumentParser(prog="python -m trust", description=__doc__)
    words.add_argument("--files", type=int, default=0, help="damaged files in all, over the formats")
    words.add_argument("--interruptions", type=int, default=0, help="of each command")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--only", action="append", help="one format or command; may be given again")
    words.add_argument("--keep", type=Path, default=Path("trust.json"))
    return words


def main() -> int:
    """Do what is asked for, and print the tables."""
    given = options().parse_args()
    kept = json.loads(given.keep.read_text()) if given.keep.exists() else {}
    rows = kept.setdefault(str(given.seed), {})
    names = [name for name in FORMATS if not given.only or name in given.only]
    each = -(-given.files // max(len(names), 1))
    for begin in range(
        0, each, AT_ONCE
    ):  # all formats a little, so that a run cut short says something of each
        asked = [
            (name, number)
            for name in names
            for number in range(max(begin, rows.get(name, {}).get("cases", 0)), min(begin + AT_ONCE, each))
        ]
        if asked:
            files.count(asked, given.seed, partial(_note, rows, lambda: _keep(given.keep, kept)))
            _keep(given.keep, kept)
    if given.interruptions:
        _interrupt(given, rows, lambda: _keep(given.keep, kept))
    _table("files", files.COLUMNS, {name: rows[name] for name in FORMATS if name in rows})
    broken = {name: row for name, row in rows.items() if name not in FORMATS}
    _table("interruptions", interruptions.COLUMNS, broken)
    return int(any(row.get(column) for row in rows.values() for column in {*files.BAD, *interruptions.BAD}))


def _interrupt(given: argparse.Namespace, rows: dict[str, Any], keep: Callable[[], None]) -> None:
    """All commands and kinds a little, so that a run cut short says something of each."""
    with tempfile.TemporaryDirectory(prefix="ginjax-trust-") as made:
        folder = Path(made)
        with Stage(folder / "compiled") as stage:
            trials = {
                name: Trial(command, stage, folder / name)
                for name, command in interruptions.COMMANDS.items()
                if not given.only or name in given.only
            }
            asked = [
                case
                for name, trial in trials.items()
                for case in interruptions.cases(name, trial, given.seed, given.interruptions)
            ]
            done = {key: row["cases"] for key, row in rows.items() if key not in FORMATS}
            for _, name, kind, how in sorted(asked, key=itemgetter(0)):
                key = f"{name}: {kind}"
                if done.get(key, 0) > 0:
                    done[key] -= 1
                    continue
                made = trials[name].disturbed(**how)
                counted = ["cases", made["what"], *["given again"] * made.get("again", False)]
                rows[key] = dict(Counter(rows.get(key, {})) + Counter(counted))
                if made["what"] in interruptions.BAD:
                    _tell(key, made)
                keep()


def _note(rows: dict[str, Any], keep: Callable[[], None], name: str, made: dict[str, Any]) -> None:
    """Count a case, and keep the counts now and then: the cases after that are done again."""
    rows[name] = dict(Counter(rows.get(name, {})) + Counter(["cases", made["what"]]))
    if made["what"] in files.BAD:
        _tell(name, made)
    if made["number"] % 25 == 0:
        keep()


def _tell(name: str, made: dict[str, Any]) -> None:
    print(f"{name}: {json.dumps(made)}", file=sys.stderr, flush=True)


def _keep(path: Path, kept: dict) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    os.replace(beside, path)


def _table(title: str, columns: tuple[str, ...], rows: dict[str, dict[str, int]]) -> None:
    if not rows:
        return
    print(f"\n| {title} | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    total: Counter[str] = Counter()
    for name, row in rows.items():
        total.update(row)
        print(f"| {name} | " + " | ".join(str(row.get(column, 0)) for column in columns) + " |")
    print("| all | " + " | ".join(str(total[column]) for column in columns) + " |")


if __name__ == "__main__":
    sys.exit(main())
