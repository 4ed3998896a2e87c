"""The headings and names of the pictures of an evaluation, and the names in its table of numbers."""

import csv
import io

import numpy as np

from ginjax.ml import PERSISTENCE, RolloutStudy
from ginjax.ml.forecast import NO_CHANGE
from ginjax.workflow import Evaluation

FIELDS = ("height", "flow")


def evaluation(networks=("model",), called="wave.safetensors", fields=FIELDS):
    """Of two steps of two trajectories in 1D, with made-up numbers."""
    names, rows = (*networks, PERSISTENCE), np.full((2, 2), 0.1)
    errors = {name: {key: {"nrmse": rows[0]} for key in fields} for name in names}
    shells = np.array([1.0, 0.1, 0.01])
    spectra = {field: dict.fromkeys(("truth", *names), shells) for field in fields}
    frames = dict.fromkeys(("truth", *names), dict.fromkeys(fields, np.sin(np.arange(8.0))))
    study = RolloutStudy(
        2, 2, errors, dict.fromkeys(names), 1, spectra, {1: frames}, {key: {} for key in fields},
        errors_by_trajectory={name: {key: {"nrmse": rows} for key in fields} for name in names},
        spectra_by_trajectory={field: dict.fromkeys(("truth", *names), np.stack([shells, shells])) for field in fields},
    )  # fmt: skip
    return Evaluation("ResNet", "secret.hdf5", study, 1, (8,), called=called)


def said(found, picture):
    """The heading of a picture, and the words below its panels."""
    figure = found.plot(picture)
    return figure.get_suptitle(), [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_network_is_called_by_its_name_and_the_data_are_not():
    found, by = evaluation(), "height, flow predicted by wave.safetensors (ResNet)"
    assert said(found, "fields") == (by, ["truth", "prediction"])
    assert said(found, "errors") == (
        f"error: {by}",
        ["wave.safetensors", NO_CHANGE, "middle 68% of 2 trajectories"],
    )
    assert said(found, "spectra") == (
        f"energy spectrum: {by}, step 1",
        ["truth", "wave.safetensors", "middle 68% of 2 trajectories"],
    )
    unnamed = evaluation(called="model", fields=FIELDS[:1])
    assert said(unnamed, "errors")[0] == "error: height predicted by ResNet"


def test_several_networks_are_named_beside_their_lines():
    found = evaluation(("model", "b.safetensors", "from scratch"))
    heading, names = said(found, "errors")
    assert heading == "error: height, flow predicted by 2 networks"
    assert names[:4] == ["wave.safetensors", "b.safetensors", "from scratch", NO_CHANGE]
    assert said(found, "fields")[0] == "height, flow predicted by wave.safetensors (ResNet)"
    many = evaluation(fields=tuple("abcde"))
    assert said(many, "fields")[0] == "5 fields predicted by wave.safetensors (ResNet)"


def test_the_table_of_numbers_has_the_same_names_and_json_its_own():
    found = evaluation(("model", "b.safetensors"))
    forecasts = {row["forecast"] for row in csv.DictReader(io.StringIO(found.to_csv()))}
    assert forecasts == {"wave.safetensors", "b.safetensors", PERSISTENCE}
    assert set(found.to_json()["errors"]) == {"model", "b.safetensors", PERSISTENCE}
