"""Read the log of a training, also while it is being written."""

import json
import os
from collections.abc import Mapping
from typing import Any

from ginjax.checkpoint import JsonProblem, opened, parse_json

Row = Mapping[str, Any]
"""`{"step", "loss", "learning_rate", "rate", "seconds"}` or `{"step", "validation", "seconds"}`."""

_NUMBERS = ("loss", "validation", "learning_rate", "rate", "seconds")
_OF_NUMBERS = (int, float, type(None))
_LONGEST_LINE = 2**16
_MOST_STEPS = 2**53


def log_line(row: Row) -> str:
    """Format a row as a line of a log."""
    return json.dumps(row, sort_keys=True) + "\n"


def read_log(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read the rows of a log.

    Lines that are no rows are skipped, such as a line that a killed program left unfinished.

    **Arguments:**

    - `path`: a file that `ginjax.ml.JsonLines` wrote; a missing file is an empty log.

    **Raises:** `FileError` for a file that exists and cannot be read.
    """
    if not os.path.lexists(path):
        return []
    rows = []
    with opened(path) as (stream, _):
        while line := stream.readline(_LONGEST_LINE):
            try:
                row = parse_json(line.decode("utf-8", "replace"))
            except JsonProblem:
                continue
            if isinstance(row, dict) and _is_row(row):
                rows.append(row)
    return rows


def _is_row(row: Mapping[str, object]) -> bool:
    """Whether the values have the types that a log book writes; other names are ignored."""
    step = row.get("step")
    numbers = (row.get(name) for name in _NUMBERS)
    return type(step) is int and 0 <= step <= _MOST_STEPS and all(type(n) in _OF_NUMBERS for n in numbers)
