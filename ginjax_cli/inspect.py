"""`ginjax inspect`: show what is in a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ginjax._text import shell_line, shell_word

from ._conversion_step import conversion_command
from ._in_words import in_words
from ._options import Debug, Json, Quiet
from ._output import Output

if TYPE_CHECKING:
    from ginjax.checkpoint import ModelRecord
    from ginjax.filters import FilterBank


def inspect(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files written by ginjax, folders of trainings (model.run), networks of other libraries "
            "(.safetensors, .onnx), or checkpoints of Equinox (.eqx).",
            metavar="FILE...",
        ),
    ],
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show what is in files: models, trainings, filters, or networks of other libraries.

    For a model, the command shows the architecture, fields, filters, history and certificate. For the folder of a
    training (model.run), it shows how far the training is, its settings, and whether a process works on it.
    """
    from ginjax.errors import FileError, GinjaxError

    out = Output(json=json, quiet=quiet)
    if len(files) == 1:
        payload, following = _show(out, files[0])
        out.result(None, payload)
        if following is not None:
            out.next_step(following)
        return
    shown: list[dict[str, Any]] = []
    unread: dict[str, str] = {}
    for file in files:
        try:
            payload, _ = _show(out, file)
        except GinjaxError as error:
            unread[str(file)] = error.problem.removeprefix(f"{file}: ")
            continue
        shown.append({"path": str(file), **payload})
    out.result(None, {"files": shown, "unread": unread})
    if unread:
        told = "; ".join(f"{shell_word(file)}: {problem}" for file, problem in unread.items())
        raise FileError(f"{len(unread)} of {len(files)} files were not read: {told}")
    of_trainings = [each["path"] for each in shown if each["kind"] in ("model", "run")]
    if len(of_trainings) > 1:
        out.next_step(shell_line(["ginjax", "compare", *of_trainings]))


def _show(out: Output, file: Path) -> tuple[dict[str, Any], str | None]:
    """Show one file. Return the payload, and the command that comes next."""
    from ginjax.checkpoint import file_kind, read_header, read_model
    from ginjax.onnx import is_onnx
    from ginjax.state_dict import is_state_dict

    kind = file_kind(file).name
    if kind in ("run folder", "state"):
        return _show_run(out, file), None
    if kind == "checkpoint":
        return _show_eqx(out, file)
    if is_onnx(file):
        from ._onnx_report import show as show_graph

        return show_graph(out, file)
    if is_state_dict(file):
        from . import _state_dict

        return _state_dict.show(out, file)
    header, arrays = read_header(file)
    if header["kind"] == "model":
        return _show_model(out, file, read_model(file))
    out.fields(shell_word(file), {"kind": header["kind"], "arrays": len(arrays)})
    rows = [(name, spec.dtype, "x".join(map(str, spec.shape))) for name, spec in arrays.items()]
    out.table("Arrays", ("name", "dtype", "shape"), rows)
    listed = [{"name": n, "dtype": s.dtype, "shape": list(s.shape)} for n, s in arrays.items()]
    following = f"ginjax train --filters {shell_word(file)}" if header["kind"] == "filters" else None
    return {"kind": header["kind"], "header": header, "arrays": listed}, following


def _show_eqx(out: Output, file: Path) -> tuple[dict[str, Any], str | None]:
    """Show a checkpoint of Equinox, whose arrays have no names. Return the payload, and the command that comes next."""
    from ginjax.checkpoint import read_eqx
    from ginjax.filters import filters_among

    content = read_eqx(file)
    found = filters_among(content.arrays)
    fields: dict[str, object] = {
        "kind": "checkpoint of Equinox, which does not say what network it holds",
        "arrays": len(content.arrays),
        "values": sum(array.size for array in content.arrays),
    }
    if content.further is not None:
        fields["settings"] = in_words(content.further)
    for D, kinds in found.items():
        fields[f"filters in dimension {D}"] = ", ".join(f"k{k}p{p} side {side}" for k, p, side in kinds)
    out.fields(shell_word(file), fields)
    rows = [
        (i, array.dtype.name, "x".join(map(str, array.shape))) for i, array in enumerate(content.arrays, 1)
    ]
    out.table("Arrays", ("number", "dtype", "shape"), rows)
    listed = [{"dtype": array.dtype.name, "shape": list(array.shape)} for array in content.arrays]
    payload = {"kind": "eqx", "settings": content.further, "arrays": listed}
    return payload, f"ginjax import {shell_word(file)} --arch ARCH --in FIELD --channels N"


def _show_run(out: Output, file: Path) -> dict[str, Any]:
    """Show the folder of a training. Return the payload."""
    from ginjax.runs import read_run

    run = read_run(file)
    who = run.claimant
    rows: dict[str, object] = {
        "state": run.state,
        "architecture": run.network.get("architecture"),
        "dimension": run.D,
        "parameters": run.parameters,
        "data": run.trained_on,
        "step": run.step if run.steps is None else f"{run.step} of {run.steps}",
    }
    if run.validation is not None:
        rows["lowest validation loss"] = f"{run.validation:.3g}  (step {run.best_step})"
    if who is not None and run.state == "running":
        rows["process"] = f"{who.process} on {who.host}, since {who.since}"
    out.fields(shell_word(file), rows)
    settings = {**run.data, **run.settings}
    out.fields(
        "Settings", {name: in_words(value) for name, value in sorted(settings.items()) if value is not None}
    )
    if run.state == "interrupted":
        out.note("the command that began it goes on from there with --resume")
    return {"kind": "run", **run.to_json()}


def _show_model(out: Output, file: Path, record: "ModelRecord") -> tuple[dict[str, Any], str | None]:
    """Show a model. Return the payload, and the command that comes next."""
    from ginjax.checkpoint import contract_to_json, weights_digest

    from ._certificate import certificate_payload, show_certificate, show_paths

    digest = weights_digest(record.arrays)
    stale = record.certificate_is_stale
    out.fields(
        shell_word(file),
        {
            "architecture": record.spec.get("architecture"),
            "dimension": record.D,
            "parameters": record.parameters,
            "precision": ", ".join(sorted({a.dtype.name for a in record.arrays.values()})),
            "inputs": _fields(record, "inputs"),
            "outputs": _fields(record, "outputs"),
            "axes": ", ".join(axis.in_words for axis in record.contract.axes),
            **_task(record),
            **_reading(record),
            **_parts(record),
            "weights": digest,
            "model": record.digest,
        },
    )
    if record.contract.scales:
        out.table(
            "Fields",
            ("name", "order", "parity", "unit", "scale", "offset", "scale of changes"),
            [
                (
                    scale.field.name,
                    scale.field.k,
                    "odd" if scale.field.p else "even",
                    scale.field.unit,
                    f"{scale.scale:.4g}",
                    f"{scale.offset:.4g}",
                    "-" if scale.increment is None else f"{scale.increment:.4g}",
                )
                for scale in record.contract.scales
            ],
        )
    out.fields("Options", {name: in_words(value) for name, value in sorted(_options(record).items())})
    if record.banks:
        out.table(
            "Filters",
            ("role", "side", "support", "scaling", "order", "parity", "filters"),
            _bank_rows(record),
        )
    out.table(
        "History",
        ("step", "setting", "value"),
        [
            (step.get("step", "?"), name, in_words(value))
            for step in record.provenance
            for name, value in step.items()
            if name not in ("step", "trained_before") and value is not None and value is not False
        ],
    )
    if record.certificate is not None:
        show_paths(out, "Last conversion", record.certificate)
        show_certificate(out, record.certificate, stale=stale)
    payload: dict[str, Any] = {
        "kind": "model",
        "dimension": record.D,
        "spec": record.spec,
        "parameters": record.parameters,
        "is_torus": list(record.is_torus),
        "banks": {
            role: {"recipe": None if bank.recipe is None else bank.recipe.to_json(), "digest": bank.digest}
            for role, bank in record.banks.items()
        },
        "layers": [layer.to_json() for layer in record.layers],
        "contract": contract_to_json(record.contract),
        "provenance": list(record.provenance),
        "certificate": None
        if record.certificate is None
        else certificate_payload(record.certificate, stale=stale),
        "weights_digest": digest,
        "digest": record.digest,
    }
    converts = record.D < 3 and (record.layers or record.plain_layers)
    return payload, conversion_command(file, record, record.D + 1) if converts else None


def _options(record: "ModelRecord") -> dict[str, Any]:
    """The options of the network, without the padding if every axis is periodic."""
    options = dict(record.spec.get("options", {}))
    if all(record.is_torus) and not record.plain_layers:
        options.pop("padding_mode", None)
    return options


def _task(record: "ModelRecord") -> dict[str, object]:
    """The task of the model, as far as the file states it."""
    contract = record.contract
    if not contract.scales:
        return {}
    past = contract.past_steps
    seen = "the last frame" if past == 1 else f"the last {past} frames"
    rows: dict[str, object] = {
        "task": f"{'change to the next frame' if contract.residual else 'next frame'} from {seen}"
    }
    steady = [each.name for each in contract.constants if each.name not in contract.told]
    if steady:
        rows["constants"] = ", ".join(steady)
    if contract.conditions:
        rows["conditions"] = ", ".join(each.in_words for each in contract.conditions)
    for value, unit, words in (
        (contract.spacing, contract.length_unit, "grid spacing"),
        (contract.time_step, contract.time_unit, "time step"),
    ):
        if value is not None:
            rows[words] = in_words(value) if unit is None else f"{in_words(value)} {unit}"
    return rows


def _reading(record: "ModelRecord") -> dict[str, object]:
    """How the training data were read, which holds for other data of their kind too."""
    contract, reading = record.contract, record.contract.reading
    rows: dict[str, object] = {}
    if contract.layout:
        rows["axes of the data"] = ", ".join(f"{name} {order}" for name, order in contract.layout.items())
    if reading is not None and reading.fields:
        rows["fields of the data"] = ", ".join(reading.fields)
    if reading is not None and reading.parity:
        rows["parities of the data"] = ", ".join(f"{name} {word}" for name, word in reading.parity.items())
    return rows


def _parts(record: "ModelRecord") -> dict[str, object]:
    """The number of trajectories in each part of the training data, as far as the file states it."""
    sizes = {
        name: len(part.each) if part.trajectories is None else len(part.trajectories)
        for name, part in record.contract.parts.items()
    }
    known = [f"{name} {size}" for name, size in sizes.items() if size]
    return {"trajectories": ", ".join(known)} if known else {}


def _fields(record: "ModelRecord", which: str) -> str:
    """The fields by name if the file has the names, otherwise by order and parity."""
    contract = record.contract
    if contract.fields:
        named = (*contract.fields, *contract.constants) if which == "inputs" else contract.predicted
        return ", ".join(each.kind for each in named)
    rows = record.spec.get(which)
    if not isinstance(rows, list):
        return "?"
    return ", ".join(f"{row[2]} of order {row[0]}{'-' if row[1] else '+'}" for row in rows)


def _bank_rows(record: "ModelRecord") -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for role, bank in record.banks.items():
        recipe = bank.recipe
        kind = (_given(bank), "-") if recipe is None else (recipe.support, recipe.scaling)
        rows += [(role, bank.side, *kind, k, p, len(block)) for (k, p), block in bank.blocks.items()]
    return rows


def _given(bank: "FilterBank") -> str:
    """For filters without a recipe: how many symmetries of the grid they have, by measurement."""
    from math import factorial

    from ginjax.filters import symmetries

    own = symmetries(bank.D, {key: block.filters for key, block in bank.blocks.items()})
    return f"given as arrays, with {own} of {2**bank.D * factorial(bank.D)} symmetries"
