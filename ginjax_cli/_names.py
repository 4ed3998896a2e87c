"""Names of files in tables and pictures."""

from collections.abc import Sequence
from pathlib import Path

from ginjax._text import shell_word


def names_of(files: Sequence[Path]) -> list[str]:
    """The names of files as a shell takes them, without folders if they are still different."""
    short = [file.name for file in files]
    return [shell_word(each) for each in (short if len(set(short)) == len(short) else map(str, files))]
