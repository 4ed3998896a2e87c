"""No file of the library or the command line grows beyond what one reads at a time."""

import pytest
from house_rules import FILES, ROOT

MOST = 300
"""Lines."""

LONG = {
    "ginjax/checkpoint/_claim.py": 325,
    "ginjax/checkpoint/_contract.py": 350,
    "ginjax/checkpoint/_format.py": 325,
    "ginjax/data/_open.py": 325,
    "ginjax/data/readers/_hdf5.py": 350,
    "ginjax/data/readers/_hdf5_tree.py": 325,
    "ginjax/data/sources/_source.py": 350,
    "ginjax/filters/_bank.py": 325,
    "ginjax/geometric/_image.py": 350,
    "ginjax/geometric/_multi_image.py": 350,
    "ginjax/models/verify/_lift_test.py": 350,
    "ginjax/runs/_run.py": 325,
    "ginjax/state_dict/_convert.py": 325,
    "ginjax/workflow/_evaluation.py": 350,
    "ginjax/workflow/_model.py": 550,
    "ginjax_cli/evaluate.py": 325,
    "ginjax_cli/inspect.py": 350,
    "ginjax_cli/verify.py": 350,
}
"""Files that were longer when the rule was made, and how long they may be: numbers that go down, and entries that leave."""

SLACK = 75
"""A file that is so much shorter than it may be has been shortened: its number goes down with it."""


def wrong_lengths(lengths: dict[str, int], long: dict[str, int]) -> list[str]:
    """What is longer than it may be, and what may be longer than it needs to be."""
    found = [
        f"{name} has {lines} lines; it may have {long.get(name, MOST)}"
        for name, lines in lengths.items()
        if lines > long.get(name, MOST)
    ]
    found += [f"{name} needs no entry" for name in long if lengths.get(name, 0) <= MOST]
    return found + [
        f"{name} has {lengths[name]} lines; lower its entry of {most}"
        for name, most in long.items()
        if MOST < lengths.get(name, 0) < most - SLACK
    ]


def test_no_file_is_longer_than_it_may_be():
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in FILES
        if path.suffix == ".py"
    }
    assert len(lengths) > 300
    assert wrong_lengths(lengths, LONG) == []


@pytest.mark.parametrize(
    ("lines", "long"),
    [(301, {}), (326, {"a.py": 325}), (300, {"a.py": 325}), (305, {"a.py": 400}), (0, {"b.py": 325})],
)
def test_a_wrong_length_is_found(lines, long):
    assert len(wrong_lengths({"a.py": lines}, long)) == 1


def test_a_right_length_is_none():
    assert wrong_lengths({"a.py": 300, "b.py": 320}, {"b.py": 350}) == []
