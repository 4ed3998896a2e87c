"""Checkpoints of a training: its state in a file, written completely or not at all, from which it resumes exactly."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np

from ginjax.checkpoint import ModelRecord, expect, read_file, read_header, write_file
from ginjax.errors import FileError
from ginjax.ml.training._array_file import array_leaves, matched
from ginjax.ml.training._dispatch import TrainState
from ginjax.ml.training._going_on import (
    CHANGEABLE,
    as_json,
    changes_between,
    check_reach,
    difference_from_model,
    earlier_identities,
    first_difference,
)
from ginjax.ml.training._progress import Progress
from ginjax.runs import STATE_FILE, STATE_PURPOSE

_ANEW = "Begin anew (`force=True`)."
_MAY_CHANGE = "length, learning rate, how often it is looked at, `accumulate`, `remat`"
_MOST = 2**53
_LATER: Mapping[str, object] = {"lowest_loss": None, "looks": 0}
"""Values of the progress that states of earlier versions lack; `Progress` derives them from the others."""

_TEMPORARY = re.compile(r"\.ginjax-[0-9a-f-]+\.tmp")


class RunFile:
    """A folder beside the output that holds the state of a training until it is finished.

    It is a folder, so that remains of a killed write are removed with it.

    **Arguments:**

    - `folder`: the folder; the first `save` makes it.
    - `settings`: what the training is asked to do, as JSON values. A state can only be used with the same settings, or with
      settings that differ in what may be changed, see `CHANGEABLE`.

    Attribute `changes`: changes of these settings since the training began, the oldest first; known after a state was loaded.
    """

    def __init__(self, folder: Path, settings: Mapping[str, object]):
        self.folder = folder
        self.settings = as_json(settings)
        self.changes: tuple[dict[str, object], ...] = ()

    @property
    def path(self) -> Path:
        """The file of the state."""
        return self.folder / STATE_FILE

    def exists(self) -> bool:
        """Whether there is a state to resume from."""
        return self.path.exists()

    @property
    def size(self) -> int:
        """Bytes of the file; 0 without one."""
        return self.path.stat().st_size if self.exists() else 0

    def save(self, state: TrainState, progress: Progress) -> None:
        """Write the state, replacing an older one.

        **Raises:** `FileError` if it cannot be written; the older state is then kept.
        """
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.folder}: cannot be made: {error.strerror or error}") from error
        arrays = {f"state{path}": np.asarray(leaf) for path, leaf in array_leaves(state)}
        arrays |= {f"best{path}": np.asarray(leaf) for path, leaf in array_leaves(progress.best_model)}
        numbers = {
            name: _as_json(getattr(progress, name))
            for name in (field.name for field in dataclasses.fields(Progress))
            if name != "best_model"
        }
        header = {
            "kind": "arrays",
            "purpose": STATE_PURPOSE,
            "settings": self.settings,
            "changes": list(self.changes),
            "progress": numbers,
            "has_best": progress.best_model is not None,
        }
        write_file(self.path, arrays, header, force=True)

    def load(self, like: TrainState) -> tuple[TrainState, Progress]:
        """Read the state.

        **Arguments:**

        - `like`: a state of the same structure, from `initial_state`.

        **Raises:** `FileError` if the state is damaged, or belongs to a training with other settings; `ArgumentError` for a
        changed setting that contradicts the progress of the training.
        """
        try:
            content = read_file(self.path, kind="arrays")
        except FileError as error:
            # The state of a run cannot be fetched again.
            raise FileError(error.subject, got=error.got, expected=error.expected, hint=_ANEW) from error
        self._check_kind(content.header)
        stored, before = self._known(content.header)
        parts = {
            part: {name[len(part) :]: a for name, a in content.arrays.items() if name.startswith(part)}
            for part in ("state", "best")
        }
        state = matched(like, parts["state"], os.fspath(self.path))
        progress = self._progress(expect(content.header, "progress", dict, where=self.path), stored)
        if expect(content.header, "has_best", bool, where=self.path) != (progress.best_step >= 0):
            raise FileError(
                f"{self.path}: field 'best_step'",
                got=progress.best_step,
                expected="the step of the best model, -1 without one",
                hint=_ANEW,
            )
        if progress.best_step >= 0:
            best = matched(like.model, parts["best"], os.fspath(self.path))
            progress.best_model = jax.tree.map(
                lambda leaf: np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf, best
            )
        changes = changes_between(stored, self.settings)
        check_reach(changes, self.settings, progress)
        self.changes = (*before, {"after": progress.step, **changes}) if changes else before
        return state, progress

    def belongs(self, record: ModelRecord) -> bool:
        """Whether the training of this state made a model earlier, so that a later one may replace it.

        **Raises:** `FileError` if the state is damaged.
        """
        if not self.exists():
            return False
        header, _ = read_header(self.path, "arrays")
        self._check_kind(header)
        stages = earlier_identities(*self._known(header))
        return any(difference_from_model(record, stage) is None for stage in stages)

    def remove(self) -> None:
        """Remove the state, and the folder unless there is something else in it."""
        with contextlib.suppress(OSError):
            for file in self.folder.iterdir():
                if file == self.path or _TEMPORARY.fullmatch(file.name):
                    file.unlink()
            self.folder.rmdir()

    def _progress(self, numbers: Mapping[str, object], stored: Mapping[str, object]) -> Progress:
        """Read the progress, and check the type and range of every number."""
        where, numbers = self.path, {**_LATER, **numbers}
        steps = stored.get("steps")
        step = expect(numbers, "step", int, where=where, least=0, most=steps if type(steps) is int else _MOST)
        beginning = Progress()
        losses = {
            name: getattr(beginning, name)
            if name in numbers and numbers[name] is None
            else expect(numbers, name, float, where=where)
            for name in ("first_loss", "last_loss", "best_loss", "lowest_loss")
        }
        return Progress(
            step=step,
            seconds=expect(numbers, "seconds", float, where=where, least=0),
            best_step=expect(numbers, "best_step", int, where=where, least=-1, most=step),
            misses=expect(numbers, "misses", int, where=where, least=0, most=step),
            looks=expect(numbers, "looks", int, where=where, least=0, most=step),
            **losses,
        )

    def _check_kind(self, header: Mapping[str, object]) -> None:
        if header.get("purpose") != STATE_PURPOSE:
            raise FileError(f"{self.path}: is not the state of a training", hint="Remove it.")
        if "checksum" not in header:
            raise FileError(
                f"{self.path}: has no checksum: an earlier version of ginjax wrote it",
                hint=f"{_ANEW} Or go on with that version.",
            )

    def _known(self, header: Mapping[str, object]) -> tuple[dict[str, object], tuple[dict[str, object], ...]]:
        """Return settings and changes of the state, if the settings differ from those here only in what may be changed."""
        stored = expect(header, "settings", dict, where=self.path)
        changes = expect(header, "changes", list, where=self.path, default=[])
        if not all(isinstance(change, dict) for change in changes):
            raise FileError(f"{self.path}: field 'changes'", got=changes, expected="objects", hint=_ANEW)
        found = first_difference(stored, self.settings, without=tuple(CHANGEABLE))
        if found is not None:
            name, old, new = found
            raise FileError(
                f"{self.path}: {name}",
                got=new,
                expected=f"{old}, as in the training of this state",
                hint=f"Go on with the same, or begin anew (`force=True`). What may be changed: {_MAY_CHANGE}.",
            )
        return stored, tuple(changes)


def _as_json(value: object) -> object:
    """Replace numbers that JSON cannot hold by None: they are those at the beginning of a training."""
    return None if isinstance(value, float) and not np.isfinite(value) else value
