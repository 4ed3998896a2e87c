"""The model card: the content of a model file as a page for people, with the metadata block that the Hugging Face Hub reads."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ginjax.errors import FileError

from ._contract import AXIS_NAMES
from ._field import Field
from ._model_file import ModelRecord
from ._opened import read_text
from ._strict_json import JsonProblem, parse_json

LIBRARY = "ginjax"

TAGS = ("jax", "equivariance", "convolution", "partial-differential-equations", "dimension-transfer")

_MAX_EVALUATION = 64 * 2**20
_FORECASTS = ("model", "persistence", "from scratch")
_QUIET = ("step", "trained_before", "version")


def model_card(
    record: ModelRecord,
    name: str,
    evaluation: Mapping[str, object] | None = None,
    *,
    address: str | None = None,
) -> str:
    """Make a model card in Markdown: fields and units, history of the network, certificate, errors, and how to load it.

    It contains only what the file or the evaluation states.

    **Arguments:**

    - `record`: the model.
    - `name`: name of its file, such as `model.3d.safetensors`.
    - `evaluation`: the content of `evaluation.json`, see `read_evaluation`; None if the model was not evaluated.
    - `address`: the address for `ginjax.load` if it is not the file name, such as `hf://user/name`.
    """
    parts = [
        _head(record, name, evaluation),
        f"# {_title(record)}\n\n{_summary(record)}",
        _fields(record),
        _lineage(record),
        _certificate(record),
        _errors(record, evaluation),
        _use(record, name if address is None else address),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def evaluation_file(path: str | os.PathLike[str]) -> Path:
    """The file with the numbers of an evaluation: the given file, or the one in the given folder."""
    path = Path(path)
    return path / "evaluation.json" if path.is_dir() else path


def read_evaluation(path: str | os.PathLike[str]) -> Mapping[str, object]:
    """Read the numbers of an evaluation from the file `evaluation.json`, or from the folder that holds it.

    **Raises:** `FileError` if the file cannot be read or does not hold an evaluation.
    """
    path = evaluation_file(path)
    try:
        found = parse_json(read_text(path, most=_MAX_EVALUATION))
    except JsonProblem as problem:
        raise FileError(f"{path}: cannot be read: {problem}", hint="Evaluate the model again.") from problem
    if not isinstance(found, dict) or not isinstance(found.get("errors"), dict):
        raise FileError(
            f"{path}: is no evaluation", expected="evaluation.json", hint="'ginjax evaluate' writes it."
        )
    return found


def _head(record: ModelRecord, name: str, evaluation: Mapping[str, object] | None) -> str:
    lines = ["---", f"library_name: {LIBRARY}", "tags:", *(f"- {tag}" for tag in TAGS)]
    lines += [f"- {record.D}d"]
    rows = list(_final_errors(evaluation)) if evaluation is not None else []
    if rows and evaluation is not None:
        lines += ["model-index:", f"- name: {_quoted(Path(name).stem)}", "  results:"]
        for field, metric, value in rows:
            lines += [
                "  - task:",
                "      type: other",
                '      name: "forecast of fields on a grid"',
                "    dataset:",
                "      type: other",
                f"      name: {_quoted(evaluation.get('data', 'unknown'))}",
                "    metrics:",
                f"    - type: {_quoted(metric)}",
                f"      name: {_quoted(f'{metric} of {field}, step {_steps(evaluation)}')}",
                f"      value: {value!r}",
            ]
    return "\n".join([*lines, "---"])


def _title(record: ModelRecord) -> str:
    fields = ", ".join(each.name for each in record.contract.predicted) or "fields"
    return f"{_cell(record.spec.get('architecture', 'Network'))} for {_cell(fields)} in {record.D}D"


def _summary(record: ModelRecord) -> str:
    plain = record.spec.get("options", {}).get("equivariant", True) is False
    kind = "An ordinary" if plain else "A group-equivariant"
    contract = record.contract
    what = "the change of the fields to" if contract.residual else ""
    sentence = (
        f"{kind} convolutional network in {record.D} dimension{'s' if record.D > 1 else ''}, "
        f"{record.parameters} trained values."
    )
    if contract.fields:
        frames = "the last frame" if contract.past_steps == 1 else f"the last {contract.past_steps} frames"
        sentence += f" It predicts {what + ' ' if what else ''}the next frame from {frames}."
    return sentence


def _fields(record: ModelRecord) -> str:
    contract = record.contract
    boundary = ", ".join(
        f"{axis.name} {axis.boundary}" + ("" if axis.is_torus else f" (padded by {axis.padding})")
        for axis in contract.axes
    )
    facts = [f"- boundaries: {_cell(boundary)}"]
    for value, unit, words in (
        (contract.spacing, contract.length_unit, "grid spacing"),
        (contract.time_step, contract.time_unit, "time step"),
    ):
        told = words.removeprefix("grid ").replace(" ", "_") in contract.told
        known = (
            f"{value:g} {unit or ''}".strip() if value is not None else "a condition" if told else "not known"
        )
        facts.append(f"- {words}: {_cell(known)}")
    if contract.conditions:
        facts.append(
            f"- conditions, in training: {_cell(', '.join(each.in_words for each in contract.conditions))}"
        )
    if not contract.fields:
        return "## Fields\n\nThe file does not say which fields the network is for.\n\n" + "\n".join(facts)
    scales = {scale.field: scale for scale in contract.scales}
    predicted = set(contract.predicted)
    rows = []
    for each in dict.fromkeys(contract.everything):
        scale = scales.get(each)
        role = (
            "condition, seen"
            if each.name in contract.told
            else _role(
                each, contract.constants, predicted, contract.targets is not None and each in contract.fields
            )
        )
        numbers = ("-", "-") if scale is None else (f"{scale.scale:.6g}", f"{scale.offset:.6g}")
        parity = "odd" if each.p else "even"
        rows.append((each.name, role, each.k, parity, each.unit, *numbers))
    names = ("field", "role", "order", "parity", "unit", "scale", "offset")
    note = "The network sees (value - offset) / scale."
    return "\n\n".join(["## Fields", _table(names, rows), note, "\n".join(facts)])


def _role(field: Field, constants: Sequence[Field], predicted: set[Field], seen_only: bool) -> str:
    if field in constants:
        return "constant, seen"
    if seen_only and field not in predicted:
        return "seen"
    return "predicted" if field in predicted else "seen"


def _lineage(record: ModelRecord) -> str:
    lines = []
    for number, step in enumerate(record.provenance, 1):
        settings = ", ".join(
            f"{name} {_plain(value)}"
            for name, value in sorted(step.items())
            if name not in _QUIET and value is not None and value is not False
        )
        version = f" (ginjax {step['version']})" if "version" in step else ""
        told = f"**{_cell(step.get('step', '?'))}**{version and ' ' + _cell(version)}"
        lines.append(f"{number}. {told}" + (f": {_cell(settings)}" if settings else ""))
    return "## How it came to be\n\n" + ("\n".join(lines) if lines else "The file does not say.")


def _certificate(record: ModelRecord) -> str:
    certificate = record.certificate
    if certificate is None:
        return ""
    lines = [f"- {_cell(certificate)}", f"- counts as exact up to {certificate.tolerance:.0e}"]
    if certificate.fields:
        lines.append(f"- it speaks of the fields {_cell(', '.join(certificate.fields))}")
    if certificate.new_axes:
        lines.append(f"- the new axes are {_cell(', '.join(AXIS_NAMES[i] for i in certificate.new_axes))}")
    if record.certificate_is_stale:
        lines.append("- **void: the model has changed since the certificate was made**")
    if certificate.parity_lift:
        lines.append("- odd scalars became odd vectors along the added axis")
    lines += [f"- {_cell(note)}" for note in dict.fromkeys(p.note for p in certificate.paths if p.note)]
    return "## Certificate of its conversion\n\n" + "\n".join(lines)


def _errors(record: ModelRecord, evaluation: Mapping[str, object] | None) -> str:
    if evaluation is None:
        return "## Errors\n\nNot measured for this card."
    errors = _mapping(evaluation["errors"])
    rows = []
    for who in (*_FORECASTS, *(each for each in errors if each not in _FORECASTS)):
        for field, metrics in _mapping(errors.get(who)).items():
            for metric, curve in _mapping(metrics).items():
                if isinstance(curve, list) and curve:
                    rows.append((who, field, metric, _number(curve[0]), _number(curve[-1])))
    about = f"On {_cell(evaluation.get('data', 'unknown'))}"
    if isinstance(evaluation.get("trajectories"), int):
        about += f", {evaluation['trajectories']} trajectories"
    names = ("forecast", "field", "metric", "step 1", f"step {_steps(evaluation)}")
    return "\n\n".join(["## Errors", about + ".", _table(names, rows)])


def _final_errors(evaluation: Mapping[str, object]) -> Iterator[tuple[str, str, float]]:
    """Field, metric and final error of the model, for each error at the last step that is finite."""
    for field, metrics in _mapping(_mapping(evaluation["errors"]).get("model")).items():
        for metric, curve in _mapping(metrics).items():
            if isinstance(curve, list) and curve and isinstance(curve[-1], int | float):
                yield str(field), str(metric), float(curve[-1])


def _use(record: ModelRecord, name: str) -> str:
    lines = ["```python", "import ginjax", "", f"model = ginjax.load({json.dumps(name)})"]
    if record.contract.fields and record.contract.scales:
        lines.append("forecast = model.predict(source, steps=10)  # a data source, see ginjax.open_data")
    lines += ["```", "", f"Weights: `{record.digest}`"]
    return "## How to use it\n\n" + "\n".join(lines)


def _steps(evaluation: Mapping[str, object]) -> object:
    return evaluation.get("steps", "?")


def _mapping(value: object) -> Mapping[object, object]:
    return value if isinstance(value, Mapping) else {}


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    return "\n".join([*lines, *("| " + " | ".join(map(_cell, row)) + " |" for row in rows)])


def _cell(value: object) -> str:
    """A text on one line that neither ends a table cell nor becomes a link, an image or HTML."""
    text = " ".join(str(value).split())
    for sign in ("\\", "|", "[", "]", "<", ">", "`", "*", "#"):
        text = text.replace(sign, f"\\{sign}")
    return text[:2000]


def _quoted(value: object) -> str:
    """A text quoted in a way that is valid in both YAML and JSON."""
    return json.dumps(" ".join(str(value).split())[:200])


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else "-"


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return " ".join(_plain(item) for item in value)
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{name} {_plain(item)}" for name, item in value.items()) + ")"
    return str(value)
