"""What is said where a training is to be gone on with of which nothing is there: most likely its name is misspelt."""

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
"""Names in a folder that are looked at."""

_SHOWN = 3
_OF_A_SEED = re.compile(r"\.seed[0-9]+$")


def nothing_to_go_on_with(output: Path, seeds: Iterable[int] = ()) -> str | None:
    """What to say of a training that is to be gone on with, and of which there is neither a model nor a saved state.

    Such a training begins at its first step: a job that is queued again and again is given the same command each time. Whoever
    misspelt the name hears of the runs whose names are like it, or of those that lie in the folder.

    **Arguments:**

    - `output`: the model of the run.
    - `seeds`: of a training with several seeds all of them, see `SeedFiles`.

    **Returns:** None if there is something to go on with.
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
    """What the runs in a folder are called, without endings; of trainings with several seeds also without the seed."""
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
    """The runs that may have been meant, or those that there are."""
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
