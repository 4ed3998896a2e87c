"""The model card tells what the file says, and nothing in a file can break out of its place."""

import json
import re
from dataclasses import replace

import pytest
import yaml
from helpers import FIXTURES

from ginjax.checkpoint import (
    DataContract,
    Field,
    convert_record,
    model_card,
    read_evaluation,
    read_model,
)
from ginjax.errors import FileError
from ginjax.transfer import make_rule

EVALUATION = {
    "data": "held out",
    "steps": 2,
    "trajectories": 3,
    "errors": {
        "model": {"velocity": {"nrmse": [0.01, 0.02], "pearson": [1.0, None]}},
        "persistence": {"velocity": {"nrmse": [0.2, 0.4]}},
    },
}


@pytest.fixture(scope="module")
def burgers():
    return read_model(FIXTURES / "burgers_2d.safetensors")


def head_of(card: str):
    _, head, body = card.split("---\n", 2)
    return yaml.safe_load(head), body


def test_fields_history_and_how_to_load(burgers):
    head, body = head_of(model_card(burgers, "burgers.safetensors"))
    assert head["library_name"] == "ginjax" and {"jax", "2d"} <= set(head["tags"])
    assert "model-index" not in head and "Not measured" in body
    assert body.lstrip().startswith("# ResNet for velocity in 2D")
    assert "| velocity | predicted | 1 | even | length/time | 0.826873 | 0 |" in body
    assert "time step: 0.05" in body and "x periodic, y periodic" in body
    assert "1. **train** (ginjax 0.1.0)" in body and "equation burgers" in body
    assert 'ginjax.load("burgers.safetensors")' in body and burgers.digest in body
    assert "Certificate" not in body


def test_what_the_certificate_speaks_of(burgers):
    made = convert_record(burgers, 3, "compatibility", new_axis="y").after
    certificate = replace(made.certificate, fields=("velocity",))
    body = head_of(model_card(made.certified(certificate), "burgers.safetensors"))[1]
    assert "- it speaks of the fields velocity" in body and "- the new axes are y" in body
    usual = convert_record(burgers, 3, "compatibility").after
    assert "speaks of" not in model_card(usual, "b") and "new axes" not in model_card(usual, "b")


def test_errors(burgers):
    head, body = head_of(model_card(burgers, "burgers.safetensors", EVALUATION))
    (result,) = head["model-index"][0]["results"]
    assert result["metrics"] == [
        {"type": "nrmse", "name": "nrmse of velocity, step 2", "value": 0.02},
    ]
    assert result["dataset"]["name"] == "held out"
    assert "| model | velocity | nrmse | 0.01 | 0.02 |" in body
    assert "| model | velocity | pearson | 1 | - |" in body
    assert "| persistence | velocity | nrmse | 0.2 | 0.4 |" in body


def test_certificate(burgers):
    low = read_model(FIXTURES / "diffusion_1d.safetensors")
    record = convert_record(low, 2, make_rule("none")).after
    card = model_card(record, "a.safetensors")
    assert "## Certificate" in card and "paths are not exact" in card and "void" not in card
    changed = replace(record, arrays={name: array + 1 for name, array in record.arrays.items()})
    assert "void" in model_card(changed, "a.safetensors")


HOSTILE = "a|b](http://x) <script> `c`\n---\nlicense: mit\n# h"


def test_names_from_a_file_stay_in_their_place(burgers):
    contract = DataContract(burgers.contract.axes, fields=(Field(HOSTILE, 1, 0, HOSTILE),))
    record = replace(burgers, contract=contract, provenance=({"step": HOSTILE, HOSTILE: [HOSTILE]},))
    evaluation = {**EVALUATION, "data": HOSTILE, "errors": {"model": {HOSTILE: {HOSTILE: [1.0]}}}}
    card = model_card(record, HOSTILE, evaluation)
    head, body = head_of(card)
    assert "license" not in head and set(head) == {"library_name", "tags", "model-index"}
    assert "\n---" not in body and "\n# h" not in body.split("\n", 3)[3]
    assert not re.search(r"(?<!\\)(\]\(|<|\|b)", body.split("```")[0])


def test_what_is_no_evaluation(tmp_path):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(EVALUATION))
    assert read_evaluation(path) == read_evaluation(tmp_path) == EVALUATION
    for text in ("{}", "[]", "no", '{"errors": 1}'):
        path.write_text(text)
        with pytest.raises(FileError):
            read_evaluation(path)
    with pytest.raises(FileError, match="no such file"):
        read_evaluation(tmp_path / "none.json")
    # Numbers of another kind than expected are left out.
    assert "step 1" in model_card(
        read_model(FIXTURES / "diffusion_1d.safetensors"), "a", {"errors": {"model": 1}}
    )
