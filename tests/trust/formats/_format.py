"""What a format is, and the judges that several of them share."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from trust.mutators import RAW, Mutator

Judge = Callable[[Path, Any, Any], bool]
"""`(file, what the sound file gave, what this one gave) -> whether that is right`"""


@dataclass(frozen=True)
class Format:
    """A format under test.

    **Arguments:**

    - `name`: in the table.
    - `make`: writes a sound file at a path.
    - `read`: reads one by the library.
    - `judge`: whether what was read is right.
    - `raw`: damages that are blind to the format.
    - `aware`: those that know it, and whether these are noticed by a checksum; they write the file anew.
    - `command`: the command that shows such a file, with `{}` in place of it.
    """

    name: str
    make: Callable[[Path], object]
    read: Callable[[Path], Any]
    judge: Judge
    raw: tuple[Mutator, ...] = RAW
    aware: tuple[Callable[[Path, np.random.Generator], None], ...] = ()
    judge_aware: Judge | None = None
    command: tuple[str, ...] = ()

    def damage(self, path: Path, rng: np.random.Generator) -> tuple[str, Judge]:
        """Damage a sound file, or one file of a folder; the name of the way, and who judges."""
        if self.aware and rng.integers(2):
            way = self.aware[int(rng.integers(len(self.aware)))]
            way(path, rng)
            return way.__name__, self.judge_aware or self.judge
        way = self.raw[int(rng.integers(len(self.raw)))]
        if path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.is_file() and each.stat().st_size)
            path = files[int(rng.integers(len(files)))]
        path.write_bytes(way(path.read_bytes(), rng))
        return way.__name__, self.judge


FORMATS: dict[str, Format] = {}


def a_format(
    name: str, read: Callable[[Path], Any], judge: Judge, **more: Any
) -> Callable[[Callable[[Path], object]], Callable[[Path], object]]:
    """Register a format by the function that writes a sound file of it; arguments as of `Format`."""

    def register(make: Callable[[Path], object]) -> Callable[[Path], object]:
        FORMATS[name] = Format(name, make, read, judge, **more)
        return make

    return register


def same(path: Path, sound: Any, found: Any) -> bool:
    """A checksum notices whatever is not as it was."""
    if isinstance(sound, np.ndarray):
        return (
            isinstance(found, np.ndarray)
            and sound.dtype == found.dtype
            and np.array_equal(sound, found, True)
        )
    if isinstance(sound, dict):
        return sound.keys() == found.keys() and all(same(path, sound[name], found[name]) for name in sound)
    if isinstance(sound, float) and isinstance(found, float):
        return sound == found or (math.isnan(sound) and math.isnan(found))
    return bool(sound == found)


def values_that_stand_there(everything: Callable[[Path], list[np.ndarray]]) -> Judge:
    """Every value that was handed out is one of the file, as another library reads it, in single precision."""

    def judge(path: Path, sound: Any, found: Any) -> bool:
        with np.errstate(all="ignore"):
            there = [np.ravel(each).astype(np.float32) for each in everything(path)]
            stored = np.unique(np.concatenate([*there, np.float32([0, np.nan])]))
            return all(bool(np.isin(np.float32(a), stored).all() | _nan(a, stored)) for a in found.values())

    return judge


def _nan(array: np.ndarray, stored: np.ndarray) -> bool:
    """As `isin`, to which no NaN is like another."""
    rest = array[~np.isnan(array)]
    return bool(np.isin(np.float32(rest), stored).all())
