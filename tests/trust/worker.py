"""Reads damaged files one after the other in a warm process; what becomes of each is one line of JSON on standard output.

    python -m trust.worker SEED FOLDER

Cases come on standard input, a list of JSON of format and number a line. The same format, seed and number are the same file
anywhere.
"""

import json
import os
import resource
import shutil
import sys
import traceback
import warnings
import zlib
from pathlib import Path
from typing import Any
from unittest.mock import patch

MEMORY = 2 * 2**30
"""Bytes of address space that reading may take beyond what the process has."""

RESIDENT = 384 * 2**20
"""Bytes in use beyond what a sound file of the format takes."""

COMMAND_EVERY = 8
"""Each so many cases the command that shows such a file is run as well."""


def outcome(name: str, seed: int, number: int, folder: Path, sound: Any = None) -> dict[str, Any]:
    """Damage a file, read it, and say what became of it."""
    import numpy as np
    from trust.formats import FORMATS

    from ginjax._text import LONGEST_PART
    from ginjax.errors import GinjaxError

    kind = FORMATS[name]
    path = folder / "damaged"
    _copy(folder / "sound", path)
    rng = np.random.default_rng([seed, zlib.crc32(name.encode()), number])
    way, judge = kind.damage(path, rng)
    made = {"way": way, "number": number}
    try:
        found = kind.read(path)
    except GinjaxError as error:
        if len(str(error)) > 4 * LONGEST_PART or not str(error).isprintable():
            return made | {"what": "crashed", "why": f"a message of {len(str(error))} letters"}
        made |= {"what": "refused", "why": error.problem[:200]}
    except MemoryError:
        return made | {"what": "over memory", "why": traceback.format_exc(limit=-2)[-300:]}
    except BaseException as error:
        return made | {
            "what": "crashed",
            "why": f"{type(error).__name__}: {traceback.format_exc(limit=-2)[-300:]}",
        }
    else:
        right = judge(path, sound, found)
        made |= {"what": "accepted right" if right else "accepted wrong", "why": ""}
    if kind.command and number % COMMAND_EVERY == 0:
        problem = shown(kind.command, path)
        if problem:
            return made | {"what": "crashed", "why": f"{kind.command}: {problem}"}
    return made


def _copy(sound: Path, path: Path) -> None:
    """A file, or a folder in place of the last one."""
    if sound.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(sound, path)
    else:
        path.unlink(missing_ok=True)  # a library may have kept the last one open
        path.write_bytes(sound.read_bytes())


def shown(command: tuple[str, ...], path: Path) -> str | None:
    """What is wrong with how a command shows a file; None if it shows it, or says in a line why not."""
    from command_line import app, program
    from typer.testing import CliRunner

    with patch("typer.testing._get_command", lambda _: program()):
        result = CliRunner().invoke(app, [word.format(path) for word in command], prog_name="ginjax")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return "".join(traceback.format_exception(result.exception))[-300:]
    if result.exit_code not in (0, 1, 2):
        return f"exit code {result.exit_code}"
    if "\x1b" in result.output or max(map(_letters, result.stderr.splitlines()), default=0) > 3000:
        return "steers the terminal, or is long"
    return None


def _letters(line: str) -> int:
    """How many letters a line is; one of JSON without its escapes."""
    return len(json.loads(line)["error"]) if line.startswith('{"error"') else len(line)


def sound_file(name: str, folder: Path) -> Any:
    """Write a sound file of a format; what is read of it."""
    from trust.formats import FORMATS

    kind = FORMATS[name]
    kind.make(folder / "sound")
    sound = kind.read(folder / "sound")
    assert kind.judge(folder / "sound", sound, sound), "the sound file is not right"
    if kind.command:
        assert shown(kind.command, folder / "sound") is None
    return sound


def main() -> None:
    """Answer until nothing is asked any more."""
    seed, folder, sound = int(sys.argv[1]), Path(sys.argv[2]), {}
    warnings.simplefilter("ignore")
    import trust.formats

    from ginjax.data.readers import _first_look

    assert trust.formats
    _first_look.PATIENCE = 5.0
    limit_memory()
    print("ready", flush=True)
    for line in sys.stdin:
        name, number = json.loads(line)
        place = folder / f"{zlib.crc32(name.encode()):08x}"
        if name not in sound:
            place.mkdir(parents=True, exist_ok=True)
            sound[name] = sound_file(name, place)
            begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        made = outcome(name, seed, number, place, sound[name])
        taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun) * 1024
        if taken > RESIDENT:
            made |= {"what": "over memory", "why": f"{taken >> 20} MiB"}
        print(json.dumps(made), flush=True)
        if taken > RESIDENT // 2:
            return  # the largest so far is all that the system tells: another process goes on


def limit_memory() -> None:
    """Let the system refuse more memory than reading a small file can need."""
    with open("/proc/self/statm") as statm:
        now = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**28, 2**28))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    main()
