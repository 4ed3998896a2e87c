"""The page on calibration says what was measured of its constants."""

import json

import _resumed
import calibration

from ginjax.ml.transfer import _calibrate

RESULTS = _resumed.RESULTS / "calibration.jsonl"
PAGE = _resumed.RESULTS.parents[1] / "docs" / "theory" / "rules.md"


def rows():
    return [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]


def test_the_page_shows_what_was_measured():
    assert calibration.report(rows()) in PAGE.read_text("utf-8")


def test_what_is_varied_are_the_constants():
    for changed in calibration.VARIANTS.values():
        for name in changed.keys() - {"evaluations", "rule"}:
            assert hasattr(_calibrate, name) and changed[name] != getattr(_calibrate, name)
    keys = list(calibration.keys(2))
    assert len(keys) == len(set(keys)) and {calibration.Key.of(row) for row in rows()} <= set(keys)


def test_errors_are_compared_with_those_of_the_same_case():
    def row(pde, variant, error):
        errors = {str(step): error for step in calibration.HORIZONS}
        key = calibration.Key(pde, 0, "covering 1D", variant)
        return key._asdict() | {"errors": errors, "diverged": 0.5}

    found = [row("diffusion", "as it is", 0.1), row("allen-cahn", "as it is", 0.2)]
    found += [row("diffusion", "no pull", 0.2), row("allen-cahn", "no pull", 0.1)]
    *_, line = calibration.report(found).splitlines()
    assert line == "| resnet | covering 1D | no pull | 2 | 1.00 | 1.00 | 2.00 | 50 % |"
    *_, lost = calibration.report([*found[:3], row("allen-cahn", "no pull", None)]).splitlines()
    assert (
        lost == "| resnet | covering 1D | no pull | 2 | >= 14.14 | >= 14.14 | >= 100.00 | 50 % |"
    )  # 200**0.5
    *_, large = calibration.report([*found[:3], row("allen-cahn", "no pull", 1e3)]).splitlines()
    assert large == lost
