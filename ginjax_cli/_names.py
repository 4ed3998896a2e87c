"""What to call files in tables and pictures."""

from collections.abc import Sequence
from pathlib import Path

from ginjax._text import shell_word


def names_of(files: Sequence[Path]) -> list[str]:
    """Their names without folders, where these tell them apart, as a shell takes them."""
    short = [file.name for file in files]
    return [shell_word(each) for each in (short if len(set(short)) == len(short) else map(str, files))]
