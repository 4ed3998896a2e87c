"""The message for a training that is to be resumed but has left nothing: most likely its name is misspelt."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from ginjax._unknown_name import nearest
from ginjax.checkpoint import LOG_ENDING

from ._names import FOLDER_ENDING, MODEL_ENDING, STATE_FILE, RunNames
from ._seeds import SeedFiles

_MOST_ENTRIES = 10_000
"""The most names in a folder that are looked at."""

_SHOWN = 3
_OF_A_SEED = re.compile(r"\.seed[0-9]+$")


def nothing_to_go_on_with(output: Path, seeds: Iterable[int] = ()) -> str | None:
    """Say that a training which is to be resumed has neither a model nor a saved state.

    Such a training begins at its first step, because a job that is queued again and again uses the same command each time. The
    message helps a user who misspelt the name: it lists runs with similar names, or else runs in the same folder.

    **Arguments:**

    - `output`: the model of the run.
    - `seeds`: all seeds of a training with several seeds, see `SeedFiles`.

    **Returns:** the message; None if there is something to resume from.
    """
    several = tuple(seeds)
    own = [RunNames(SeedFiles(output).model(seed)) for seed in several] or [RunNames(output)]
    if any(os.path.lexists(each.output) or each.state_file.exists() for each in own):
        return None
    name = repr(os.fspath(output))
    if any(each.log.exists() for each in own):
        return f"the run of {name} had saved no state to go on with: it begins again at step 0"
    said = f"no run of {name} was found to go on with: a new one begins at step 0"
    return f"{said}{_others(RunNames(output), _stems(output.parent, of_seeds=bool(several)))}"


def _stems(folder: Path, *, of_seeds: bool) -> list[str]:
    """The stems of the runs in a folder; for trainings with several seeds without the seed."""
    found: dict[str, None] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in islice(entries, _MOST_ENTRIES):
            ending = next((each for each in (LOG_ENDING, FOLDER_ENDING) if entry.name.endswith(each)), None)
            if ending is None or (
                ending == FOLDER_ENDING and not (folder / entry.name / STATE_FILE).exists()
            ):
                continue
            stem = entry.name.removesuffix(ending)
            if not of_seeds:
                found[stem] = None
            elif _OF_A_SEED.search(stem):
                found[_OF_A_SEED.sub("", stem)] = None
    return sorted(found)


def _others(asked: RunNames, stems: Sequence[str]) -> str:
    """Name the runs with a similar name, or else some of those in the folder."""
    ending = MODEL_ENDING if asked.output.name.endswith(MODEL_ENDING) else ""
    near = nearest(asked.stem.name, stems, _SHOWN)
    if near:
        paths = (os.fspath(asked.output.with_name(stem + ending)) for stem in near)
        return f". Did you mean {' or '.join(f'`output={path!r}`' for path in paths)}?"
    if not stems:
        return ""
    more = f" and {len(stems) - _SHOWN} more" if len(stems) > _SHOWN else ""
    return (
        f". In its folder are the runs of {', '.join(repr(stem + ending) for stem in stems[:_SHOWN])}{more}"
    )
