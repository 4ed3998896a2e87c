"""The page on tuning shows what the committed measurement says."""

import json
import sys
from pathlib import Path

import pytest

from ginjax.ml.training import _plan

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


def row(table, name):
    """The cells of the first row of that name."""
    return next(
        [cell.strip() for cell in line.split("|")[2:-1]]
        for line in table.splitlines()
        if line.startswith(f"| {name} |")
    )


def test_the_page_says_what_the_bar_of_a_tenth_is_worth(report):
    """And so does the constant of the library, which is that of the measurement."""
    page = " ".join((ROOT / "docs" / "guides" / "tuning.md").read_text(encoding="utf-8").split())
    source = " ".join(Path(_plan.__file__).read_text(encoding="utf-8").split())
    (_, any_gain, any_worst), (_, bar, bar_worst) = (
        row(report(), name)
        for name in ("one step and last step", "one step and last step, better by a tenth")
    )
    assert any_gain != bar
    assert f"any gain accepted {any_gain} of the tunings" in page and f"with this bar {bar}" in page
    assert (
        f"the worst {float(any_worst):.1f}-fold" in page and f"the worst {float(bar_worst):.0f}-fold" in page
    )
    assert (
        f"any gain was accepted, {any_gain} of the measured tunings" in source
        and f"with this margin {bar}" in source
    )
    assert _plan.START_MARGIN == 0.9


def test_what_nothing_judges_is_not_kept_by_a_rule(report):
    """Calibrating ends in one set of weights: its rows have no figures of what is kept, and the rules are compared without it."""
    for table in report().split("## ")[1:]:
        _, cases, *last, kept, worse, worst = row(table, "calibrated")
        assert (kept, worse, worst) == ("-", "-", "-") and "-" not in last and int(cases) > 0
        assert not any("-" in cell for cell in row(table, "tuned")[1:])
