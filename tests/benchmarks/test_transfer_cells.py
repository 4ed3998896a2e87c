"""Which cells a table is made of, and the file that holds them."""

import json

import pytest
from measured_transfers import CASE, result
from transferbench._cells import COMMITTED, METHODS, Case, Cell, Request, parse_network, parse_transfer
from transferbench._estimate import estimate, expected
from transferbench._results import Book, read_book
from transferbench._settings import QUICK, Settings


def test_the_committed_cells():
    cells = list(Request(COMMITTED).cells())
    assert len({cell.name for cell in cells}) == len(cells)
    scalars = [cell for cell in cells if cell.case == COMMITTED[0] and cell.seed == 0]
    # Six of ours that need samples and four rivals that do with none too, as calibrating does; and the conversion alone.
    assert len(scalars) == 1 + 6 * 2 + 1 + 4 * 3
    assert not {"planes", "planes-tuned"} & {cell.method for cell in scalars}
    of_vectors = {cell.method for cell in cells if cell.case.pde == "burgers"}
    assert of_vectors == set(METHODS) - {"fourier", "axial"}


def test_whole_seeds_come_one_after_the_other():
    order = [(cell.case, cell.seed) for cell in Request(COMMITTED[:2], seeds=2).cells()]
    assert order == sorted(order, key=lambda each: (COMMITTED.index(each[0]), each[1]))


@pytest.mark.parametrize(
    ("pattern", "count"), [("*/scratch/*", 3), ("*/zero-shot/n0/*", 1), ("burgers/*", 0)]
)
def test_only(pattern, count):
    request = Request([CASE], samples=(0, 1), scratch_samples=(4, 16), seeds=1, only=[pattern])
    assert len(list(request.cells())) == count


def test_planes_are_of_2d_in_3d_and_no_sample():
    found = {
        (case.transfer, case.pde): [cell.samples for cell in Request([case], only=["*/planes/*"]).cells()]
        for case in (
            Case("diffusion", 2, 3),
            Case("diffusion", 1, 3),
            Case("diffusion", 1, 2),
            Case("navier-stokes-forced", 2, 3),
        )
    }
    assert found[("2to3", "diffusion")] == [0, 0, 0]  # three seeds
    assert sum(map(len, found.values())) == 3
    then = Request(
        [Case("diffusion", 2, 3), Case("diffusion", 1, 3)], seeds=1, only=["*/planes-tuned/*"]
    ).cells()
    assert [cell.name for cell in then] == [f"diffusion/2to3/8x1/planes-tuned/n{n}/seed0" for n in (1, 16)]


def test_names_of_networks_and_transfers():
    assert parse_network("24x2-product") == (24, 2, True)
    assert parse_network("8x1") == (8, 1, False)
    assert parse_transfer("2to3") == (2, 3)
    for wrong in ("8x1-something", "8", "x1"):
        with pytest.raises(ValueError):
            parse_network(wrong)
    with pytest.raises(ValueError):
        parse_transfer("3to1")


def test_a_file_of_results_comes_back(tmp_path):
    path = tmp_path / "new" / "results.jsonl"
    book = read_book(path, QUICK, "a machine")
    assert book.results == []
    book.rates["diffusion/low/ours"] = 5e-3
    lost = result(errors={1: 0.5, 20: None}, curve=((1.0, 0.5, float("inf")),))
    for each in (lost, result(seed=1)):
        book.add(each)
    again = read_book(path, QUICK)
    assert again.results == book.results
    assert (again.rates, again.machine, again.settings) == (book.rates, "a machine", QUICK)
    assert read_book(path).settings == QUICK


def test_results_know_their_machine(tmp_path):
    path = tmp_path / "results.jsonl"
    read_book(path, QUICK, "2026-01-01, one core of A").add(result())
    read_book(path, QUICK, "2026-02-02, one core of A").add(result(seed=1))
    there = read_book(path, QUICK, "2026-03-03, one core of B")
    there.add(result(seed=2))
    assert [each.machine for each in read_book(path).results] == ["", "", "2026-03-03, one core of B"]
    assert [there.at_hand(each) for each in there.results] == [False, False, True]
    home = read_book(path, QUICK, "2026-04-04, one core of A")
    assert [home.at_hand(each) for each in home.results] == [True, True, False]


def test_a_file_of_other_settings_is_refused(tmp_path):
    path = tmp_path / "results.jsonl"
    Book(path, QUICK, "a machine").add(result())
    with pytest.raises(ValueError, match="other settings"):
        read_book(path, Settings())


def test_a_file_from_before_a_setting_goes_on(tmp_path):
    path = tmp_path / "results.jsonl"
    Book(path, Settings(), "a machine").add(result())
    head, *lines = path.read_text().splitlines()
    head = json.loads(head)
    del head["settings"]["noises"]
    path.write_text("\n".join([json.dumps(head), *lines]) + "\n")
    assert read_book(path, Settings()).results == [result()]


def test_the_estimate_takes_the_cells_most_alike():
    found = [result(spent=60.0), result("scratch", 1, spent=300.0), result("scratch", 16, spent=600.0)]
    assert expected(Cell(CASE, "scratch", 16, 2), found) == 600
    assert expected(Cell(CASE, "scratch", 4, 2), found) == 450
    assert expected(Cell(Case("fisher-kpp", 1, 3), "scratch", 16, 0), found) == 450
    assert expected(Cell(CASE, "axial", 0, 0), found) is None
    cells = [Cell(CASE, "scratch", 16, 2), Cell(CASE, "axial", 0, 0)]
    assert estimate(cells, found) == "about 10 minutes to go, without 1 of a kind that was never measured"
