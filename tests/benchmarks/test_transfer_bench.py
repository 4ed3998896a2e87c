"""The benchmark of transfers, from its options to its tables."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import transfer_bench
from measured_transfers import result
from transferbench._cells import Case
from transferbench._data import CaseData
from transferbench._page import BEGIN, END, tables, with_tables
from transferbench._picture import picture
from transferbench._results import Book, read_book
from transferbench._settings import QUICK, Settings
from transferbench._summary import Spread, best_scratch, grouped, ratio, samples_needed, time_to_equal, worths

from ginjax.ml import FOLDS, HELD_OUT_OFFSET


def measured(path, *words):
    options = transfer_bench.parser().parse_args(["--quick", "--pde", "diffusion", "--seeds", "1", *words])
    options.out = path
    transfer_bench.measure(options, core=-1)
    return read_book(path)


def test_one_cell_is_measured_once(tmp_path, capsys):
    path = tmp_path / "results.jsonl"
    words = ("--transfer", "1to2", "--network", "2x1", "--samples", "0", "1", "--only", "*/axial/*")
    book = measured(path, *words)
    assert [each.cell.name for each in book.results] == [
        "diffusion/1to2/2x1/axial/n0/seed0",
        "diffusion/1to2/2x1/axial/n1/seed0",
    ]
    alone, tuned = book.results
    assert alone.seconds.high_training == 0 and tuned.seconds.high_training > 0
    assert alone.seconds.low_training > 0 and not alone.curve and alone.levelled is None
    assert tuned.curve[0][1:] == pytest.approx(alone.validation, rel=1e-3) and tuned.levelled is not None
    assert all(0 < value < 10 for each in book.results for value in each.errors.values())
    before = path.read_bytes()
    measured(path, *words)
    assert path.read_bytes() == before
    assert "0 cells to do" in capsys.readouterr().err
    assert "| axially shared network | 0 |" in tables(book)


ON_PLANES = "--transfer", "2to3", "--network", "2x1", "--samples", "0", "1", "--only"


def test_tuning_on_planes_sees_no_field_of_the_high_dimension(tmp_path, monkeypatch):
    seen = []
    simulate = CaseData._simulated

    def watched(self, D, count, steps, side, seed, planes=None):
        seen.append((D, planes, seed))
        return simulate(self, D, count, steps, side, seed, planes)

    monkeypatch.setattr(CaseData, "_simulated", watched)
    (found,) = measured(tmp_path / "results.jsonl", *ON_PLANES, "*/planes/*").results
    assert found.cell.name == "diffusion/2to3/2x1/planes/n0/seed0" and found.steps > 0
    assert found.seconds.high_data > 0 and found.seconds.high_training > 0 and found.seconds.low_training > 0
    in_3d = [(planes, seed) for D, planes, seed in seen if D == 3]
    measuring = FOLDS["validation"] + HELD_OUT_OFFSET, FOLDS["test"] + HELD_OUT_OFFSET
    assert all(planes == "both" or seed in measuring for planes, seed in in_3d)
    assert {planes for planes, _ in in_3d} == {None, "both"}
    # Planes judge: what they say of the network as converted is not what fields of 3D say.
    assert found.curve[0][1:] != pytest.approx(found.validation, rel=1e-3)


@pytest.mark.slow
def test_tuning_on_samples_begins_with_the_network_tuned_on_planes(tmp_path):
    """And its seconds count."""
    found, tuned = measured(tmp_path / "both.jsonl", *ON_PLANES, "*/planes/*", "*/planes-tuned/*").results
    assert tuned.cell.name == "diffusion/2to3/2x1/planes-tuned/n1/seed0"
    assert tuned.curve[0][1:] == pytest.approx(found.validation, rel=1e-4)
    assert tuned.seconds.high_training > found.seconds.high_training
    assert tuned.seconds.high_data > found.seconds.high_data


@pytest.mark.slow
def test_noise_from_scratch_is_chosen_and_noted(tmp_path):
    path = tmp_path / "results.jsonl"
    words = ("--transfer", "1to2", "--network", "2x1", "--samples", "1", "--only", "*/scratch*/*")
    book = measured(path, *words)
    found = {each.cell.method: each for each in book.results}
    plain, noisy = found["scratch"], found["scratch-noise"]
    assert (plain.noise, noisy.noise) == (0.0, *QUICK.noises)
    assert noisy.rate == plain.rate and noisy.curve[0][1:] == plain.curve[0][1:]  # the same network at first
    assert noisy.curve[-1][1:] != plain.curve[-1][1:]
    assert book.rates["diffusion/1to2/2x1/scratch/n1/noise"] == noisy.noise


def test_all_methods_stand_in_one_table():
    results = [
        *(result(seed=seed, error=error) for seed, error in enumerate((0.1, 0.2, 0.3))),
        scratch(16, 0.7),
        replace(scratch(1, 0.5), cell=replace(scratch(1, 0.5).cell, case=Case("burgers", 2, 3))),
    ]
    text = tables(Book(Path("none"), QUICK, "here", results)).partition("### Without")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows == [
        "| method | samples | diffusion 1→3, 1 step | diffusion 1→3, 20 steps | burgers 2→3, 1 step | burgers 2→3, 20 steps |",
        "| converted, no tuning | 0 | 0.2 | 0.4 | - | - |",
        "| from scratch to its plateau | 1 | - | - | 0.5 (1) | 1 (1) |",
        "| from scratch to its plateau | 16 | 0.7 (1) | > 1 (1) | - | - |",
    ]


def scratch(samples, error, **changed):
    return result("scratch", samples, error=error, **{"rule": "", "levelled": True} | changed)


def test_samples_that_scratch_needs():
    by_samples = {1: 0.4, 4: 0.2, 16: 0.1}
    assert samples_needed(0.2, by_samples) == ("=", pytest.approx(4))
    assert samples_needed(0.1 * 2**0.5, by_samples) == ("=", pytest.approx(8))
    assert samples_needed(0.05, by_samples) == (">", 16)
    assert samples_needed(0.5, by_samples) == ("<", 1)
    assert samples_needed(0.2, {1: math.inf, 4: 0.1}) == ("=", 4)


def test_time_to_equal_error():
    training = scratch(
        16, 0.1, curve=((0.0, 1.0, 1.0), (5.0, 0.05, 0.95), (2.0, 0.2, 0.9), (3.0, 0.05, math.inf))
    )
    assert time_to_equal(training, 0.1, 1) == 3
    assert time_to_equal(training, 0.9, 2) == 2
    assert time_to_equal(training, 0.1, 2) == math.inf


def test_the_worth_of_a_conversion():
    results = [
        *(result(seed=seed, error=error) for seed, error in enumerate((0.1, 0.2, 0.3))),
        *(
            scratch(n, e, seed=s, curve=((5.0, 0.25, 0.1),))
            for n, e in ((1, 0.8), (16, 0.2))
            for s in range(3)
        ),
        *(result("tuned", 16, seed=seed, error=0.1) for seed in range(3)),
    ]
    groups = grouped(results)
    (worth,) = worths(groups)
    assert worth.zero.error(1) == Spread(0.2, 0.1, 0.3)
    assert worth.samples[1] == ("=", pytest.approx(16))
    assert [pair[0] for pair in worth.times] == [math.inf, math.inf, 5]
    (tuned,) = (each for each in groups if each.method == "tuned")
    assert ratio(tuned, worth.scratch, 1) == ratio(tuned, worth.scratch, 20) == Spread(0.5, 0.5, 0.5)
    other = [replace(each, rule="isotropic") for each in results if each.cell.method == "tuned"]
    rows = tables(Book(Path("none"), QUICK, "here", [*results, *other]))
    assert rows.count("| 16 | 0.5 | 0.5 |") == 2  # a row for each rule, none in place of the other
    text = tables(Book(Path("none"), QUICK, "here", results))
    assert "| converted, no tuning | 0 | 10 | 0.2 (0.1 to 0.3) | 0.4 (0.2 to 0.6) | 0 % | 1 |" in text
    assert "| 16.0, 16.0 | 1 | 5 (never in 2 of 3); 5 |" in text
    assert len(picture(groups).axes) == 2


def test_what_did_not_level_off_and_what_blew_up_is_marked():
    results = [scratch(1, 0.1, errors={1: 0.1, 20: None}), scratch(16, 0.1, levelled=False)]
    text = tables(Book(Path("none"), QUICK, "here", [results[0]]))
    assert (
        "| from scratch to its plateau | 1 | 10 | 0.1 | no number |" in text and "still improving" not in text
    )
    text = tables(Book(Path("none"), QUICK, "here", [results[1]]))
    assert "| from scratch to its plateau* | 16 |" in text and "still improving" in text


def test_tables_go_between_their_marks():
    book = Book(Path("none"), QUICK, "here", [result()])
    page = with_tables(f"before\n{BEGIN}\nold\n{END}\nafter\n", book)
    assert page == f"before\n{BEGIN}\n\n{tables(book)}\n{END}\nafter\n"
    assert with_tables(page, book) == page
    with pytest.raises(ValueError, match="a page without"):
        with_tables("no marks", book)


def test_the_page_shows_what_was_measured():
    book = read_book(transfer_bench.RESULTS)
    assert book.results and book.settings == Settings()  # those of the page
    text = transfer_bench.PAGE.read_text("utf-8")
    assert with_tables(text, book) == text
    settings = book.settings
    *most, last = settings.lengths["scalars"]
    assert f"over {', '.join(map(str, most))} and {last} steps" in text
    *most, last = settings.lengths["vectors"]
    assert f"(vectors: {', '.join(map(str, most))} and {last})" in text
    assert f"less than {100 * settings.gain:.0f} %" in text
    assert f"after one and after {settings.ahead} steps on {settings.validation} trajectories" in text


README = transfer_bench.PAGE.parents[2] / "README.md"
SCALARS = ("allen-cahn", "diffusion", "fisher-kpp")


def two(group):
    """The errors of a group after one and after twenty steps, as the README writes them."""
    return " / ".join(f"{group.error(horizon).median:.2g}" for horizon in (1, 20))


def rows_of_the_readme():
    """The cells of its table of errors, by the words at the beginning of a row."""
    table = README.read_text("utf-8").split("## What you gain")[1].split("\n\n")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert rows[0][1:] == ["Allen-Cahn", "diffusion", "Fisher-KPP", "Burgers, from 2D"]
    return {name: cells for name, *cells in rows[2:]}


def test_the_table_of_the_readme_is_what_was_measured():
    groups = grouped(read_book(transfer_bench.RESULTS).results)
    expected = {}
    for pde in SCALARS:
        own = {(e.method, e.samples, e.cover, e.rule): e for e in groups if e.case.pde == pde}
        (scratch,) = (e for (method, n, *_), e in own.items() if (method, n) == ("scratch", 16))
        expected[pde] = [
            two(own["zero-shot", 0, True, "isotropic"]),
            two(own["calibrated", 0, True, "isotropic"]),
            two(own["calibrated", 1, True, "isotropic"]),
            "-",
            two(own["tuned-plateau", 16, True, "isotropic"]),
            two(scratch),
            two(own["scratch-noise", 16, False, ""]),
        ]
    expected["burgers"] = list(map(two, burgers(groups)))
    expected["burgers"][1:1] = ["-", "-"]
    table = rows_of_the_readme()
    assert [*zip(*table.values(), strict=True)] == [tuple(column) for column in expected.values()]
    assert list(table) == [
        "converted, no 3D data",
        "and calibrated on its 1D data",
        "or calibrated on one 3D trajectory",
        "or tuned on 3D fields that vary in a plane",
        "tuned on 16 3D trajectories",
        "from scratch, 16 3D trajectories",
        "the same with noise on its inputs",
    ]


def test_the_readme_begins_with_what_one_gains():
    """The least and the greatest factor between calibrated networks without 3D data and the better training from scratch."""
    groups = grouped(read_book(transfer_bench.RESULTS).results)
    ours, theirs, silent = (
        {e.case.pde: e for e in groups if (e.method, e.samples, e.cover) == key}
        for key in (("calibrated", 0, True), ("scratch-noise", 16, False), ("scratch", 16, False))
    )
    factors = [
        min(each[pde].error(horizon).median for each in (theirs, silent)) / ours[pde].error(horizon).median
        for pde in SCALARS
        for horizon in (1, 20)
    ]
    said = " ".join(README.read_text("utf-8").split("## One minute")[0].split())
    assert f"forecast 3D {min(factors):.2g} to {max(factors):.2g} times as accurately" in said
    shares = [ours[p].seconds / theirs[p].seconds for p in SCALARS]
    assert "about a seventh of the processor time" in said and 1 / 8.5 < min(shares) <= max(shares) < 1 / 5.5
    _, planes, _, *scratch = burgers(groups)
    planes_simulated = Settings().low_trajectories["2"]
    assert (
        f"tuning on {planes_simulated} simulations that vary in a plane is worth as much as 16 simulations in 3D"
        in said
    )
    assert all(planes.error(h).median <= 1.05 * each.error(h).median for each in scratch for h in (1, 20))


def test_the_page_says_what_was_measured():
    groups = grouped(read_book(transfer_bench.RESULTS).results)
    said = transfer_bench.PAGE.read_text("utf-8")
    for pde in SCALARS:
        own = [each for each in groups if each.case.pde == pde]
        (zero,) = (e for e in own if (e.method, e.samples, e.cover) == ("calibrated", 0, True))
        (one,) = (e for e in own if (e.method, e.samples, e.cover) == ("calibrated", 1, True))
        (scratch,) = (e for e in own if (e.method, e.samples) == ("scratch", 16))
        for group in (zero, scratch):
            for horizon in (1, 20):
                assert f"{group.error(horizon).median:.2g}" in said, (pde, horizon)
        assert f"{one.error(1).median:.2g}" in said


def medians(groups, horizon, method, samples, cover=False, rule=""):
    """Of the three scalar equations, as they stand in the text."""
    own = {
        e.case.pde: e
        for e in groups
        if (e.method, e.samples, e.cover, e.rule) == (method, samples, cover, rule)
    }
    return [own[pde].error(horizon).median for pde in SCALARS]


def in_text(values):
    return ", ".join(f"{value:.2g}" for value in values)


def test_the_page_says_what_the_best_rival_from_scratch_does():
    """With noise on its inputs, as strong as validation chose it, and for the factors by which it loses."""
    book = read_book(transfer_bench.RESULTS)
    groups = grouped(book.results)
    page = " ".join(transfer_bench.PAGE.read_text("utf-8").split())
    (said,) = (part for part in page.split("- **")[1:] if part.startswith("Without 3D data"))
    factors = []
    for horizon in (1, 20):
        ours = medians(groups, horizon, "calibrated", 0, True, "isotropic")
        theirs = medians(groups, horizon, "scratch-noise", 16)
        assert in_text(ours) in said and in_text(theirs) in said
        ratios = sorted(other / own for own, other in zip(ours, theirs, strict=True))
        assert ratios[0] > 1
        factors.append([f"{ratio:.2g}" for ratio in (ratios[0], ratios[-1])])
    assert (
        "by factors of {} to {} in one step and {} to {} after twenty".format(*factors[0], *factors[1])
        in said
    )
    noisy = [e for e in groups if (e.method, e.samples) == ("scratch-noise", 16)]
    assert {e.diverged for e in noisy} == {0}
    chosen = [book.rates[f"{pde}/1to3/8x1/scratch/n16/noise"] for pde in SCALARS]
    assert chosen == [0.03, 0.03, 0.01] == [e.results[0].noise for e in noisy if e.case.pde in SCALARS]
    assert "0.03 of the spread of the fields (Fisher-KPP 0.01)" in page
    assert max(chosen) < max(book.settings.noises)  # not at the end of what was on offer
    # Where it is, the page says so.
    few = [book.rates[f"{pde}/1to3/8x1/scratch/n1/noise"] for pde in SCALARS]
    assert few[:2] == [max(book.settings.noises)] * 2 == [0.1] * 2 and few[2] < 0.1
    assert "With one trajectory it chose 0.1 on the first two, the largest strength on offer" in page
    assert book.rates["burgers/2to3/8x1-product/scratch/n16/noise"] == min(book.settings.noises) == 0.01
    assert "On Burgers it chose, for 16 trajectories, 0.01, the smallest strength on offer" in page


def test_the_page_says_what_tuning_to_the_plateau_is_worth():
    groups = grouped(read_book(transfer_bench.RESULTS).results)
    page = " ".join(transfer_bench.PAGE.read_text("utf-8").split())
    (said,) = (part for part in page.split("- **")[1:] if part.startswith("Tuned to its plateau"))
    own = {
        (e.case.pde, e.method, e.samples): e
        for e in groups
        if e.cover and e.rule == "isotropic" and e.samples
    }
    for method, samples in (("tuned-plateau", 1), ("tuned-plateau", 16), ("tuned", 16)):
        for horizon in (1, 20):
            found = [own[pde, method, samples] for pde in SCALARS]
            ratios = [ratio(e, best_scratch(groups, e.case, samples), horizon).median for e in found]
            words = in_text(ratios) if method == "tuned" else "{:.2g}, {:.2g} and {:.2g}".format(*ratios)
            assert words in said, (method, samples, horizon, words)


def burgers(groups):
    """Converted by default, tuned on planes, then on samples too, and from scratch without noise and with it."""
    own = {
        (e.method, e.samples): e
        for e in groups
        if e.case.pde == "burgers" and not e.cover and e.rule in ("", "compatibility")
    }
    last = own["planes-tuned", 16], own["scratch", 16], own["scratch-noise", 16]
    return own["zero-shot", 0], own["planes", 0], *last


def test_the_page_says_what_planes_are_worth():
    found = burgers(grouped(read_book(transfer_bench.RESULTS).results))
    assert [len(each.results) for each in found] == [3] * 5
    zero, planes, tuned, *scratch = found
    page = transfer_bench.PAGE.read_text("utf-8")
    without, with_samples = (
        next(part for part in page.split("- **")[1:] if part.startswith(begin))
        for begin in ("Burgers without 3D data", "Burgers with 3D data")
    )
    for said, groups in ((without, (zero, planes, *scratch)), (with_samples, (tuned,))):
        for group in groups:
            for horizon in (1, 20):
                assert f"{group.error(horizon).median:.2g}" in said, (group.method, horizon)


def test_the_page_says_what_unseen_seeds_gave():
    text = transfer_bench.PAGE.read_text("utf-8")
    (said,) = (part for part in text.split("- **")[1:] if part.startswith("Blind**"))
    groups = grouped(read_book(transfer_bench.AGAIN).results)
    for method in ("calibrated", "scratch"):
        own = {e.case.pde: e for e in groups if e.method == method}
        for horizon in (1, 20):
            row = [
                f"{own[pde].error(horizon).median:.2g}" for pde in ("allen-cahn", "diffusion", "fisher-kpp")
            ]
            assert ", ".join(row) in said, (method, horizon, row)
    assert {each.cell.seed for each in read_book(transfer_bench.AGAIN).results} == {3, 4, 5}


def test_unseen_seeds_give_the_ranking_that_the_readme_says():
    """Calibrated before from scratch, and by which factor at most the calibrated errors differ from those of the other seeds."""
    seen, unseen = (
        {
            (e.case.pde, e.method, horizon): e.error(horizon).median
            for e in grouped(read_book(path).results)
            if (e.method, e.samples, e.cover) == ("calibrated", 0, True)
            or (e.method, e.samples) == ("scratch", 16)
            for horizon in (1, 20)
        }
        for path in (transfer_bench.RESULTS, transfer_bench.AGAIN)
    )
    factors = []
    for pde in SCALARS:
        for horizon in (1, 20):
            key = pde, "calibrated", horizon
            assert unseen[key] < unseen[pde, "scratch", horizon]
            factors += [unseen[key] / seen[key], seen[key] / unseen[key]]
    said = " ".join(README.read_text("utf-8").split())
    assert "give the same ranking of calibrated networks and those from scratch without noise" in said
    assert f"calibrated errors within a factor of {max(factors):.2g}." in said


def test_the_page_says_what_rivals_do_without_samples():
    text = transfer_bench.PAGE.read_text("utf-8")
    (said,) = (part for part in text.split("- **")[1:] if part.startswith("Rivals without a sample"))
    said = " ".join(said.split())
    groups = [each for each in grouped(read_book(transfer_bench.RESULTS).results) if not each.cover]
    for method in ("plain-mean", "plain-centre", "axial", "fourier", "zero-shot"):
        own = {e.case.pde: e for e in groups if (e.method, e.samples) == (method, 0)}
        row = [f"{own[pde].error(1).median:.2g}" for pde in ("allen-cahn", "diffusion", "fisher-kpp")]
        assert ", ".join(row) in said, (method, row)
    # Where a rival wins, or loses every forecast, it stands there.
    last = {(e.method, e.case.pde): e for e in groups if e.samples == 0}
    assert f"{last['axial', 'diffusion'].error(20).median:.2g}" in said
    assert last["axial", "diffusion"].error(20).median < last["zero-shot", "diffusion"].error(20).median
    lost = {key for key, group in last.items() if group.diverged == 1}
    assert lost >= {("axial", "allen-cahn"), ("axial", "fisher-kpp"), ("fourier", "diffusion")}


def test_the_page_says_what_equal_time_gave():
    text = transfer_bench.PAGE.read_text("utf-8")
    (said,) = (part for part in text.split("- **")[1:] if part.startswith("From scratch at equal time"))
    said = " ".join(said.split())
    groups = [each for each in grouped(read_book(transfer_bench.RESULTS).results) if not each.cover]
    for method, samples in ((method, n) for method in ("scratch-equal-time", "tuned") for n in (1, 16)):
        own = {e.case.pde: e for e in groups if (e.method, e.samples) == (method, samples)}
        for horizon in (1, 20):
            row = [
                f"{own[pde].error(horizon).median:.2g}" for pde in ("allen-cahn", "diffusion", "fisher-kpp")
            ]
            assert ", ".join(row) in said, (method, samples, horizon, row)
