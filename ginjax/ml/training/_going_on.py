"""Which settings may change when a training is resumed, and whether a training has already made a model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from ginjax._text import storable
from ginjax.checkpoint import DataContract, ModelRecord
from ginjax.data import constants_digest
from ginjax.errors import ArgumentError
from ginjax.ml.score import DEFAULT_LOSS
from ginjax.ml.task import TaskSettings, WindowTask
from ginjax.ml.training._progress import Progress
from ginjax.ml.training._settings import TrainSettings
from ginjax.models import ARCHITECTURES

CHANGEABLE: Mapping[str, str] = {
    "steps": "how long it goes on",
    "seconds": "how long it goes on",
    "learning_rate": "the size of the steps to come",
    "schedule": "the size of the steps to come",
    "warmup": "the size of the steps to come",
    "validate_every": "how often it is looked at",
    "patience": "how often it is looked at",
    "accumulate": "how a step is computed, not what it is",
    "remat": "how a step is computed, not what it is",
}
"""Settings that may be changed when a training is resumed, and what each of them is about.

All other values determine what the saved state means: data, network and loss on which its moments were gathered; optimiser,
clipping and weight decay that its moments belong to; seed and batch size, which determine the samples of each step.
"""

_ABOUT_THE_FILE = (
    "step", "version", "steps_done", "best_step", "best_loss", "one_step_error", "trained_before", "adapted", "changes",
)  # fmt: skip
"""Entries of a step of provenance that were not asked for."""

_UNKNOWN_TO_DATA = ("spacing", "time_step")
"""Entries that a model may know although the data of its tuning do not state them."""

_NEWER = ("conditions", "constants_digest")
"""Entries that identities of earlier versions lack; the fields show whether a network has conditions."""

_OPTIONS = "model.options."

_WORDS: Mapping[str, str] = {
    "data_digest": "digest of the data",
    "validation_digest": "digest of the validation data",
    "constants_digest": "digest of the constants and conditions",
    "model.architecture": "architecture of the network",
    "model.options.mid_keys": "`channels`",
    "seconds": "`seconds`",
    "equation": "`pde`",
}
"""Names in messages for values of an identity that are not called by their own names."""

_SETTINGS = frozenset(
    each.name for settings in (TrainSettings, TaskSettings) for each in fields(settings)
) | {"frames", "trajectories", "cover", "planes"}
"""Values of an identity that are named like an argument: of a training, its samples or its simulations."""


def as_json(identity: Mapping[str, object]) -> dict[str, object]:
    """Convert the identity of a training to the form in which it is read from a file: lists instead of tuples."""
    return json.loads(json.dumps(storable(identity)))


def first_difference(
    known: Mapping[str, object], asked: Mapping[str, object], *, without: Sequence[str] = ()
) -> tuple[str, object, object] | None:
    """Find the first value in which two identities of a training differ, however deeply it is nested.

    **Arguments:**

    - `known`, `asked`: from `run_identity`, as JSON values.
    - `without`: names that are not compared.

    **Returns:** the name of the value for messages, the known value and the value asked for; None if there is no difference.
    """

    # A digest only says that data differ, a setting says how; so digests come later. The batch may depend on the data.
    def follows(name: str) -> tuple[bool, bool, str]:
        return name == "batch_size", name.endswith("_digest"), name

    for name in sorted(known.keys() | asked.keys(), key=follows):
        if name in without or (name in _NEWER and name not in known):
            continue
        for path, old, new in _differences(name, known.get(name), asked.get(name)):
            return _called(path, known.get("model")), _said(name, old), _said(name, new)
    return None


def _differences(path: str, old: object, new: object) -> Iterator[tuple[str, object, object]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _differences(f"{path}.{name}", old.get(name), new.get(name))
    elif old != new:
        yield path, old, new


def _called(path: str, model: object) -> str:
    """The name of a value in messages; an option of a network has the name of its argument."""
    if path in _WORDS:
        return _WORDS[path]
    if path.startswith(_OPTIONS) and isinstance(model, dict) and model.get("architecture") in ARCHITECTURES:
        words = ARCHITECTURES[model["architecture"]].words
        for word, option in words.items():
            if option == path.removeprefix(_OPTIONS):
                return f"`{word}`"
    return f"`{path}`" if path in _SETTINGS else path.removeprefix(_OPTIONS).replace("_", " ")


def _said(name: str, value: object) -> object:
    """The value of a setting in messages, if it is not recorded."""
    if value is None:
        return {"loss": DEFAULT_LOSS, "accumulate": 1, "remat": False}.get(name, "none")
    return value


def changes_between(known: Mapping[str, object], asked: Mapping[str, object]) -> dict[str, list[object]]:
    """Find the changeable settings in which two identities differ: by name the old value and the new one."""
    return {
        name: [known.get(name), asked.get(name)]
        for name in CHANGEABLE
        if _said(name, known.get(name)) != _said(name, asked.get(name))
    }


def check_reach(changes: Mapping[str, object], settings: Mapping[str, object], progress: Progress) -> None:
    """Refuse changed settings with which the training would have ended already.

    **Arguments:**

    - `changes`: from `changes_between`.
    - `settings`: settings of the training as asked for.
    - `progress`: progress of the training.

    **Raises:** `ArgumentError` that names the setting.
    """
    if not changes:
        return
    steps, seconds, patience = (settings.get(name) for name in ("steps", "seconds", "patience"))
    if isinstance(steps, int) and steps <= progress.step:
        raise ArgumentError("`steps`", got=steps, expected=f"more than {progress.step}, which are done")
    if isinstance(seconds, int | float) and seconds <= progress.seconds:
        raise ArgumentError(
            "`seconds`",
            got=f"{seconds:g} s in all",
            expected=f"more than the {progress.seconds:.0f} s that the training has taken",
        )
    if isinstance(patience, int) and patience < progress.misses:
        raise ArgumentError(
            "`patience`",
            got=patience,
            expected=f"{progress.misses} or more: so many validations in a row were no better",
        )


def earlier_identities(
    identity: Mapping[str, object], changes: Sequence[Mapping[str, object]]
) -> list[dict[str, object]]:
    """List the identities that a training had before each of its changes, the newest first, after the present one.

    **Arguments:**

    - `identity`: the present identity from `run_identity`, as JSON values.
    - `changes`: changes of the training, the oldest first.
    """
    found = [dict(identity)]
    for change in reversed(changes):
        before = dict(found[-1])
        for name, values in change.items():
            if name in CHANGEABLE and isinstance(values, list) and len(values) == 2:
                before.pop(name, None)
                if values[0] is not None:
                    before[name] = values[0]
        found.append(before)
    return found


def constant_identity(task: WindowTask) -> dict[str, object]:
    """The part of a training's identity about data that do not vary in time; empty if there are none.

    The digest of the data does not cover conditions, constants, and which trajectory has which.

    **Arguments:**

    - `task`: the samples.
    """
    train = task.train
    found: dict[str, object] = {}
    if task.conditions:
        found["conditions"] = [[each.name, each.low, each.high] for each in task.conditions]
    if train.source.constants:
        found["constants_digest"] = constants_digest(train.source, train.trajectories)
    return found


def contract_identity(contract: DataContract, spec: object) -> dict[str, object]:
    """The part of a training's identity about its network and the data that vary in time.

    **Arguments:**

    - `contract`: contract of the data, with a part `train`.
    - `spec`: specification of the network, as JSON.
    """
    return {
        "model": spec,
        "data_digest": contract.parts["train"].digest,
        "validation_digest": contract.parts["valid"].digest if "valid" in contract.parts else None,
        "boundaries": [axis.boundary for axis in contract.axes],
        "spacing": contract.spacing,
        "time_step": contract.time_step,
        "fields": [each.kind for each in contract.everything],
    }


def identities_of(record: ModelRecord) -> list[dict[str, object]]:
    """List the identity of the training that made a model, and its identities before each of its changes.

    **Arguments:**

    - `record`: the model.

    **Returns:** identities as from `run_identity`, the newest first; empty if the model's newest step is not a training.
    """
    step = dict(record.provenance[-1]) if record.provenance else {}
    contract = record.contract
    if step.get("step") not in ("train", "tune") or "train" not in contract.parts:
        return []
    found = {name: value for name, value in step.items() if name not in _ABOUT_THE_FILE}
    if found.get("loss") == DEFAULT_LOSS:
        del found["loss"]  # as settings leave it out
    found |= contract_identity(contract, record.spec)
    changes = step.get("changes")
    return earlier_identities(as_json(found), changes if isinstance(changes, list) else [])


def difference_from_model(
    record: ModelRecord, asked: Mapping[str, object], *, without: Sequence[str] = ()
) -> tuple[str, object, object] | None:
    """Find a difference between the training that made a model and one that is asked for; None if they are the same.

    A training that was extended also counts as the same as before.

    **Arguments:**

    - `record`: the model.
    - `asked`: from `run_identity`, as JSON values.
    - `without`: names that are not compared.
    """
    unknown = (*without, *(name for name in _UNKNOWN_TO_DATA if asked.get(name) is None))
    known = identities_of(record)
    if not known:
        return "newest step of the model", "no training", "a training"
    found = [first_difference(each, asked, without=unknown) for each in known]
    return None if None in found else found[0]
