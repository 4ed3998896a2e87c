"""What the guide says of products beside vector neurons is what was measured."""

import json

import _resumed
import nonlinearities

from ginjax.models import Network

PAGE = _resumed.RESULTS.parents[1] / "docs" / "guides" / "vector-fields.md"


def test_the_guide_shows_what_was_measured_and_the_default_follows_from_it():
    path = _resumed.RESULTS / "nonlinearities.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert nonlinearities.table(rows, 3e-3) in PAGE.read_text("utf-8")
    lost = {
        kind: {
            row["pde"]
            for row in rows
            if row["nonlinearity"] == kind and max(row["2D diverged"], row["3D diverged"]) > 0.2
        }
        for kind in nonlinearities.NONLINEARITIES
    }
    # Products would be the default if they lost nothing that the others keep.
    assert bool(lost["product"] - lost["vector-neuron"]) == (Network().nonlinearity == "vector-neuron")


def test_a_table_is_a_line_for_each_network():
    errors = {"2D": {"1": 0.1, "5": 0.2, "20": None}, "3D": {"1": 0.1, "5": 0.2, "10": 0.3, "20": 0.4}}
    row = {"pde": "burgers", "network": "resnet", "nonlinearity": "product", "rate": 3e-3, "steps": 10}
    rows = [row | errors | {"2D diverged": 1.0, "3D diverged": 0.0, "seed": seed} for seed in (0, 1)]
    *_, line = nonlinearities.table([*rows, rows[0] | {"rate": 1e-3}], 3e-3).splitlines()
    assert (
        line
        == "| burgers | resnet, `product` | 10 | 0.1 | 0.2 | no number | 0.1 | 0.2 | 0.3 | 0.4 | 100 %, 0 % |"
    )
