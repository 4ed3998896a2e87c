"""The description of a training from its files, whether it has finished or not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ginjax.checkpoint import (
    Claimant,
    ModelRecord,
    claimant,
    expect,
    file_kind,
    read_file,
    read_header,
    read_model,
    wrong_file,
)
from ginjax.errors import FileError
from ginjax.runs._log import Row, read_log
from ginjax.runs._names import FOLDER_ENDING, MODEL_ENDING, STATE_FILE, STATE_PURPOSE, RunNames

RunState = Literal["model", "running", "interrupted", "finished", "lost"]
"""The state of a run:

- `model`: there is a model;
- `running`: a process works on the training;
- `interrupted`: there is a saved state from which the training can resume;
- `finished`: there is a saved state of a training that has finished;
- `lost`: the training left a log at most.
"""

_OF_DATA = ("equation", "data", "dim", "size", "trajectories", "frames", "cover", "planes", "valid", "test")
_RESULTS = (
    "step", "version", "steps_done", "best_step", "best_loss", "one_step_error", "judged", "source",
    "trained_before",
)  # fmt: skip
_OF_STATE = (
    "model", "data_digest", "validation_digest", "boundaries", "spacing", "time_step", "fields", "source",
)  # fmt: skip
_TRAININGS = ("train", "tune")


LEFT_OUT = {"loss": "smse"}
"""Settings that a saved state omits if they have these values; the history of a model states them."""


@dataclass(frozen=True)
class Run:
    """The description of a training from its files; None for what they do not state.

    **Arguments:**

    - `path`: the model; or the folder of an unfinished run; or the log if there is nothing else.
    - `state`: how far the training is, see `RunState`.
    - `D`, `parameters`: dimension and number of trained values of the network.
    - `network`: architecture and options.
    - `data`: the data of the training.
    - `settings`: the settings of the last training.
    - `history`: what was done, oldest first, such as `("train", "convert 1D -> 3D")`.
    - `step`, `steps`: steps done in the last training, and steps asked for.
    - `best_step`, `validation`: the step with the lowest validation loss, and that loss; for a tuning, the lowest error of the
      rollouts that judge it.
    - `error`: `{"model", "persistence", ...}`, the one-step error on the held-out part.
    - `certificate`: the verdict of the last conversion in a few words.
    - `claimant`: the process that works on the training, or that left it unfinished.
    - `log`: the log, if there is one.
    - `last`: the file of the last model, if an earlier one was the best.
    """

    path: Path
    state: RunState
    D: int | None = None
    parameters: int | None = None
    network: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[str, ...] = ()
    step: int | None = None
    steps: int | None = None
    best_step: int | None = None
    validation: float | None = None
    error: Mapping[str, float] | None = None
    certificate: str | None = None
    claimant: Claimant | None = None
    log: Path | None = None
    last: Path | None = None

    @property
    def names(self) -> RunNames:
        """The names of the files of the run."""
        return run_names(self.path)

    @property
    def trained_on(self) -> str | None:
        """The data in a few words."""
        name = self.data.get("equation") or self.data.get("data")
        dim = self.data.get("dim")
        if name is None:
            return None
        return str(name) if dim is None or dim == self.D else f"{name} in {dim}D"

    def rows(self) -> list[dict[str, Any]]:
        """Read the rows of the log; an empty list without a log.

        **Raises:** `FileError` for a log that cannot be read.
        """
        return [] if self.log is None else read_log(self.log)

    def to_json(self) -> dict[str, Any]:
        """A plain JSON object."""
        who = self.claimant
        return {
            "path": str(self.path),
            "state": self.state,
            "dimension": self.D,
            "parameters": self.parameters,
            "network": dict(self.network),
            "data": dict(self.data),
            "settings": dict(self.settings),
            "history": list(self.history),
            "step": self.step,
            "steps": self.steps,
            "best_step": self.best_step,
            "validation": self.validation,
            "one_step_error": None if self.error is None else dict(self.error),
            "certificate": self.certificate,
            "process": None
            if who is None or not who.running
            else {"process": who.process, "host": who.host, "since": who.since},
            "log": None if self.log is None else str(self.log),
            "last": None if self.last is None else str(self.last),
        }


def run_names(path: Path) -> RunNames:
    """Derive the names of the files of a run from its model, its folder or its log."""
    return RunNames(path.with_name(path.name.removesuffix(FOLDER_ENDING).removesuffix(".log.jsonl")))


def read_run(path: str | os.PathLike[str], *, record: ModelRecord | None = None) -> Run:
    """Read a model or the folder of a training, finished or not, with the log beside it.

    **Arguments:**

    - `path`: `model.safetensors` or `model.run`.
    - `record`: the content of the model, if it was read already.

    **Raises:** `FileError` for anything else, and for a damaged file.
    """
    path = Path(path)
    if record is None and (path.is_dir() or path.name == STATE_FILE):
        folder = path if path.is_dir() else path.parent
        if not (folder / STATE_FILE).exists():
            raise wrong_file(path, "a model or the folder of a training")
        return _unfinished(folder)
    if record is None and file_kind(path).name not in ("model", "safetensors", "damaged"):
        raise wrong_file(path, "a model or the folder of a training")
    return _finished(path, read_model(path) if record is None else record)


def _unfinished(folder: Path) -> Run:
    file = folder / STATE_FILE
    content = read_file(file, kind="arrays")
    header = content.header
    if header.get("purpose") != STATE_PURPOSE:
        raise FileError(f"{file}: is not the state of a training", hint="Remove it.")
    asked = expect(header, "settings", dict, where=file)
    progress = expect(header, "progress", dict, where=file)
    spec = expect(asked, "model", dict, where=file, default={})
    step = expect(progress, "step", int, where=file, least=0)
    best = expect(progress, "best_step", int, where=file, default=-1)
    names, who = _beside(folder)
    facts = {
        "fields": asked.get("fields"),
        "boundaries": asked.get("boundaries"),
        "spacing": asked.get("spacing"),
        "time_step": asked.get("time_step"),
        "digest": asked.get("data_digest"),
    }
    boundaries = asked.get("boundaries")
    running = who is not None and who.running
    return Run(
        folder,
        "running" if running else "finished" if _is_done(names.output, step) else "interrupted",
        D=len(boundaries) if isinstance(boundaries, list) else None,
        parameters=sum(a.size for name, a in content.arrays.items() if name.startswith("state.model")),
        network=_network(spec),
        data=_part(asked, _OF_DATA) | facts,
        settings=LEFT_OUT | {n: v for n, v in asked.items() if n not in (*_OF_DATA, *_OF_STATE, *_RESULTS)},
        history=("train" if "source" not in asked else "tune",),
        step=step,
        steps=_whole(asked.get("steps")),
        best_step=best if best >= 0 else None,
        validation=_number(progress.get("best_loss")) if best >= 0 else None,
        claimant=who,
        log=names.log if names.log.is_file() else None,
    )


def _is_done(model: Path, step: int) -> bool:
    """Whether the model beside a state comes from the same training, which has then finished."""
    for path in (model, model.with_name(f"{model.name}{MODEL_ENDING}")):
        if not path.is_file():
            continue
        try:
            header, _ = read_header(path, "model")
        except FileError:
            continue
        done = header.get("provenance")
        last = done[-1] if isinstance(done, list) and done else None
        if isinstance(last, dict) and last.get("steps_done") == step:
            return True
    return False


def run_of(record: ModelRecord, path: str | os.PathLike[str] = "model") -> Run:
    """Describe the training of a model from its record, without looking at files.

    **Arguments:**

    - `record`: the content of the model.
    - `path`: the path to put into the description.
    """
    contract = record.contract
    trainings = [step for step in record.provenance if step.get("step") in _TRAININGS]
    last: Mapping[str, Any] = trainings[-1] if trainings else {}
    own = bool(record.provenance) and record.provenance[-1] is last  # not of the model before a conversion
    train = contract.parts.get("train")
    error = last.get("one_step_error")
    facts = {
        "fields": [each.kind for each in contract.fields] or None,
        "boundaries": [axis.boundary for axis in contract.axes],
        "spacing": contract.spacing,
        "time_step": contract.time_step,
        "digest": None if train is None else train.digest,
    }
    return Run(
        Path(path),
        "model",
        D=record.D,
        parameters=record.parameters,
        network=_network(record.spec),
        data=_part(last, _OF_DATA) | facts,
        settings={n: v for n, v in last.items() if n not in (*_OF_DATA, *_RESULTS)},
        history=tuple(_in_words(step) for step in record.provenance),
        step=_whole(last.get("steps_done")),
        steps=_whole(last.get("steps")),
        best_step=_whole(last.get("best_step")) if own else None,
        validation=_number(last.get("best_loss")) if own else None,
        error={n: v for n, v in error.items() if _number(v) is not None}
        if own and isinstance(error, Mapping)
        else None,
        certificate=_verdict(record),
    )


def _finished(path: Path, record: ModelRecord) -> Run:
    """Describe a model and what lies beside it."""
    run = run_of(record, path)
    names, who = _beside(path)
    trained = any(step.get("step") in _TRAININGS for step in record.provenance)
    log = names.log if trained and names.log.is_file() else None
    validation = run.validation
    if validation is None and run.best_step is not None and log is not None:
        validation = _logged(read_log(log), run.step, run.best_step)
    return replace(
        run,
        state="running" if who is not None and who.running else "model",
        validation=validation,
        claimant=who,
        log=log,
        last=names.last if trained and names.last.is_file() else None,
    )


def _beside(path: Path) -> tuple[RunNames, Claimant | None]:
    names = run_names(path)
    return names, claimant(names.stem)


def _network(spec: Mapping[str, Any]) -> dict[str, Any]:
    options = spec.get("options")
    fields = {name: spec.get(name) for name in ("architecture", "inputs", "outputs")}
    return fields | (dict(options) if isinstance(options, Mapping) else {})


def _part(step: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: step[name] for name in names if name in step}


def _logged(rows: list[dict[str, Any]], done: int | None, best: int) -> float | None:
    """The validation loss in a log, if the log belongs to this training."""
    if not rows or max(row["step"] for row in rows) != done:
        return None
    found: list[Row] = [row for row in rows if row["step"] == best and row.get("validation") is not None]
    return _number(found[-1]["validation"]) if found else None


def _in_words(step: Mapping[str, Any]) -> str:
    name = str(step.get("step", "?"))
    return f"convert {step.get('from_dim')}D -> {step.get('to_dim')}D" if name == "convert" else name


def _verdict(record: ModelRecord) -> str | None:
    found = record.certificate
    if found is None:
        return None
    word = "stale" if record.certificate_is_stale else "exact" if found.exact else "not exact"
    return f"{word}, {found.from_dim}D -> {found.to_dim}D"


def _whole(value: object) -> int | None:
    return value if type(value) is int else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
