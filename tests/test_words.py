"""The words of the pages: nothing that a draft left behind."""

import re

import pytest
from helpers import FIXTURES

ROOT = FIXTURES.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in (
        *map(ROOT.joinpath, ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
    )
}

NAMES = {"MATLAB", "MONAI", "NVIDIA", "README", "SIGTERM", "SLURM", "VRMSE"}
"""Words of five capital letters and more that are names."""

NOT_PROSE = re.compile(
    r"(?ms)^ *```.*?^ *```|<!--.*?-->|\$\$.*?\$\$|`[^`]*`|\]\([^)]*\)|\]\[[^\]]*\]|https?://\S+"
)
"""Blocks and words of code, comments, formulas and targets of links."""


def stray_capitals(page: str) -> list[str]:
    """Words in capitals that are no names: a place where something was still to be put in."""
    words = re.findall(r"\b[A-Z]{5,}\b", NOT_PROSE.sub(" ", page))
    return [word for word in words if word not in NAMES]


@pytest.mark.parametrize("name", PAGES)
def test_no_word_in_capitals_was_left_to_be_filled_in(name):
    assert stray_capitals(PAGES[name].read_text(encoding="utf-8")) == []


def test_a_word_in_capitals_is_noticed():
    assert stray_capitals("It has 54: EVENTS. A MATLAB file.\n") == ["EVENTS"]
    code = (
        "`--only EVENTS`, [x](EVENTS.md)\n\n```sh\nFIRST=1 true\n```\n\n   ```python\n   FIRST = 1\n   ```\n"
    )
    assert stray_capitals(code) == []
