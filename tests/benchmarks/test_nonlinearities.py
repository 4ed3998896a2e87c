"""What the guide says of products beside vector neurons is what was measured."""

import json

import _resumed
import nonlinearities
import numpy as np

from ginjax.models import Network

NOISE = 0.02
PAGE = _resumed.RESULTS.parents[1] / "docs" / "guides" / "vector-fields.md"


def test_the_guide_shows_what_was_measured_and_the_default_follows_from_it():
    path = _resumed.RESULTS / "nonlinearities.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert nonlinearities.table(rows, 3e-3) in PAGE.read_text("utf-8")
    assert nonlinearities.comparison(rows, "resnet", NOISE) in PAGE.read_text("utf-8")
    # Products would be the default if they were better throughout.
    found = nonlinearities.ratios(rows, "resnet", NOISE)
    assert {key[0] for key in found} == set(nonlinearities.EQUATIONS)
    assert (max(found.values()) > 1.05) == (Network().nonlinearity == "vector-neuron")


def test_the_guide_says_truly_when_products_need_noise():
    path = _resumed.RESULTS / "nonlinearities.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    cells = {
        (row["pde"], row["noise"], row["seed"]): row
        for row in rows
        if (row["network"], row["nonlinearity"], row["rate"]) == ("resnet", "product", 3e-3)
    }
    seeds = {seed for _, noise, seed in cells if not noise}
    assert len(seeds) == 2

    def change(pde, steps):
        """The error in 3D with noise over that without, as the geometric mean over the seeds of both."""
        with_noise, without = ([cells[pde, n, s]["3D"][steps] for s in seeds] for n in (NOISE, 0.0))
        return float(np.exp(np.mean(np.log(with_noise) - np.log(without))))

    burgers = [f"{change('burgers', steps):.2f}" for steps in ("1", "5", "10", "20")]
    assert (min(burgers), max(burgers)) == ("0.99", "1.02")
    isothermal = [f"{change('isothermal', steps):.2f}" for steps in ("1", "20")]
    assert isothermal == ["1.06", "0.47"]
    assert max(change(pde, "1") for pde in nonlinearities.EQUATIONS) <= 1.065
    for pde in ("navier-stokes", "acoustics"):
        assert all(cells[pde, 0.0, seed]["3D diverged"] == 1.0 for seed in seeds)
    page = PAGE.read_text("utf-8")
    assert "0.99 to 1.02 times" in page
    assert "is 1.06 times that without noise, after twenty 0.47 times" in page


def test_a_table_is_a_line_for_each_network():
    errors = {"2D": {"1": 0.1, "5": 0.2, "20": None}, "3D": {"1": 0.1, "5": 0.2, "10": 0.3, "20": 0.4}}
    row = {
        "pde": "burgers",
        "network": "resnet",
        "nonlinearity": "product",
        "rate": 3e-3,
        "noise": 0.0,
        "steps": 10,
    }
    rows = [row | errors | {"2D diverged": 1.0, "3D diverged": 0.0, "seed": seed} for seed in (0, 1)]
    *_, line = nonlinearities.table([*rows, rows[0] | {"rate": 1e-3}], 3e-3).splitlines()
    assert (
        line
        == "| burgers | resnet, `product` | 10 | 0.1 | 0.2 | no number | 0.1 | 0.2 | 0.3 | 0.4 | 100 %, 0 % |"
    )


def test_ratios_are_those_of_the_seeds_of_both():
    def row(nonlinearity, noise, seed, error):
        errors = dict.fromkeys(("1", "5", "10", "20"), error)
        return {
            "pde": "burgers",
            "network": "resnet",
            "nonlinearity": nonlinearity,
            "rate": 3e-3,
            "noise": noise,
            "seed": seed,
            "2D": errors,
            "3D": errors | {"20": None if nonlinearity == "product" else error},
        }

    rows = [row("vector-neuron", 0.0, seed, error) for seed, error in enumerate((0.2, 0.8, 5.0))]
    rows += [row("product", 0.02, seed, error) for seed, error in enumerate((0.1, 0.1))]
    rows += [row("product", 0.0, 0, 9.0), row("vector-neuron", 0.02, 0, 9.0)]
    found = nonlinearities.ratios(rows, "resnet", 0.02)
    assert len(found) == 8 and found["burgers", "3D", 20] == float("inf")
    assert all(abs(value - 0.25) < 1e-9 for key, value in found.items() if key != ("burgers", "3D", 20))
    assert "| burgers | 0.25 | 0.25 | 0.25 | 0.25 | 0.25 | 0.25 | 0.25 | inf |" in nonlinearities.comparison(
        rows, "resnet", 0.02
    )
    assert nonlinearities.comparison(rows, "unet", 0.02) == "Not measured."
