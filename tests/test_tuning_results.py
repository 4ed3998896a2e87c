"""The page on tuning shows what the committed measurement says."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "tuning.json"


@pytest.fixture(scope="module")
def report():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from _tuning_cells import read
        from _tuning_report import report
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    cells = read(RESULTS, json.loads(RESULTS.read_text())["settings"])
    return lambda changed=0: report(cells[changed:])


def tables(text):
    return {line for line in text.splitlines() if line.startswith("|") and "---" not in line}


def test_the_tables_of_the_page_are_those_of_the_results(report):
    page = (ROOT / "docs" / "guides" / "tuning.md").read_text(encoding="utf-8")
    assert report().splitlines()[0] in page
    assert tables(report()) == tables(page)
    # Control: other results are other tables.
    assert tables(report(40)) != tables(page)
