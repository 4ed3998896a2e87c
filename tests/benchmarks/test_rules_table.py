"""What the criterion says of cells that are written by hand."""

import json

import _resumed
import numpy as np
from _rules_table import tables

STEPS = (1, 5)
RULES = ("old", "new")


def row(rule, errors, diverged=0.0, seed=0, pde="waves"):
    return {
        "pde": pde, "low": 1, "high": 2, "network": "net", "data": "all", "training": "long", "seed": seed, "rule": rule,
        "errors": dict(zip(map(str, STEPS), errors, strict=True)), "diverged": diverged,
    }  # fmt: skip


def line_of(*rows) -> list[str]:
    lines = tables(rows, RULES, STEPS).splitlines()
    return [cell.strip() for cell in lines[4].split("|")[1:-1]]


def test_a_cell_holds_while_the_median_grows_by_no_more_than_a_twentieth():
    seeds = [row("old", (0.1, 0.2), seed=s) for s in range(3)]
    within = [row("new", (0.104, e), seed=s) for s, e in enumerate((0.1, 0.2, 0.9))]
    assert line_of(*seeds, *within)[-1] == "yes"
    beyond = [row("new", (0.106, 0.2), seed=s) for s in range(3)]
    assert line_of(*seeds, *beyond)[-1] == "no: x 1.060"


def test_roll_outs_that_are_lost():
    old = row("old", (0.1, None), diverged=0.5)
    assert line_of(old, row("new", (0.1, 7.0), diverged=0.5))[-1] == "yes"  # both are worthless
    assert line_of(old, row("new", (0.1, None), diverged=0.75))[-1] == "no: diverges"
    assert line_of(row("old", (0.1, 0.5)), row("new", (0.1, None)))[-1] == "no: x 2.000"


def test_the_summary_is_a_geometric_mean_over_cells():
    rows = [row("old", (0.1, 0.1)), row("new", (0.2, 0.1))]
    rows += [row("old", (0.1, 0.1), pde="heat"), row("new", (0.05, 0.2), pde="heat")]
    summary = tables(rows, RULES, STEPS).splitlines()[-1]
    assert "2 cells: geometric mean of the ratios 1.000 at 1, 1.414 at 5" in summary
    assert "within 1.05 in 1 at 1, 1 at 5; more rollouts diverge in 0." in summary


def test_the_mean_is_given_without_cells_that_compare_nothing_too():
    rows = [row("old", (0.1, 0.1)), row("new", (0.2, 0.1))]
    lost = [row("old", (0.1, 0.1), 1.0, pde="chaos"), row("new", (0.1, 0.1), 1.0, pde="chaos")]
    every, without = tables(rows + lost, RULES, STEPS).splitlines()[-2:]
    assert "2 cells: geometric mean of the ratios 1.414 at 1" in every
    assert (
        without.startswith("Without those in which every")
        and "1 cells: geometric mean of the ratios 2.000" in without
    )
    half = [row("old", (0.1, 0.1), 0.5, pde="chaos"), lost[1]]  # control: not lost by both rules
    assert "Without" not in tables(rows + half, RULES, STEPS)


def test_the_page_says_whose_roll_outs_are_lost():
    text = (_resumed.RESULTS / "rules.jsonl").read_text("utf-8")
    rows = [each for each in map(json.loads, text.splitlines()) if each["network"] == "resnet"]
    page = (_resumed.RESULTS.parents[1] / "docs" / "theory" / "rules.md").read_text("utf-8")
    (said,) = (part for part in page.split("\n\n") if part.startswith("Staying within the range"))
    said = " ".join(said.split())

    def lost(pde, rule):
        return np.mean([each["diverged"] for each in rows if (each["pde"], each["rule"]) == (pde, rule)])

    equations, both = {each["pde"] for each in rows}, ("compatibility", "isotropic")
    never = {pde for pde in equations if not any(lost(pde, rule) for rule in both)}
    assert never == {"allen-cahn", "diffusion", "fisher-kpp", "wave"}
    assert "no rollout of Allen-Cahn, diffusion, Fisher-KPP or the wave equation was lost" in said
    assert all(lost("kuramoto-sivashinsky", rule) == 1 for rule in both) and "All of Kuramoto-Siv" in said
    assert all(lost("swift-hohenberg", rule) >= 1 / 3 for rule in both) and "a third or more of Swift" in said
    assert all(0.05 < lost("gray-scott", rule) < 0.15 for rule in both) and "a tenth of Gray-Scott" in said
