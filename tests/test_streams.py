"""What has nowhere to go is dropped, and nothing else is."""

import errno
import io
import os
import subprocess
import sys

import pytest

from ginjax._progress import show_progress
from ginjax._streams import Dropping, is_terminal, put


class Refusing(io.StringIO):
    """A stream whose writes the system refuses."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def isatty(self):
        return True

    def write(self, text):
        raise OSError(self.number, os.strerror(self.number))


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


NOBODY = {"none": None, "closed": closed(), "pipe": Refusing(errno.EPIPE), "terminal": Refusing(errno.EIO)}


@pytest.mark.parametrize("which", NOBODY)
def test_nobody_there(which):
    put(NOBODY[which], "text", needed=True)
    assert Dropping(NOBODY[which]).write("text") == 4


def test_a_full_disk_is_heard_of_where_it_matters():
    put(Refusing(errno.ENOSPC), "text")
    with pytest.raises(OSError, match="No space left"):
        put(Refusing(errno.ENOSPC), "text", needed=True)


def test_what_can_be_written_is(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    put(stream, "größe")
    Dropping(stream).write(" ü")
    assert stream.buffer.getvalue() == b"gr\\xf6\\xdfe \\xfc"
    assert not is_terminal(None) and not is_terminal(closed()) and is_terminal(Refusing(0))


@pytest.mark.parametrize("which", NOBODY)
def test_progress_goes_on(monkeypatch, which):
    """Bars of terminals too, which Rich draws from a thread of its own."""
    monkeypatch.setattr(sys, "stderr", NOBODY[which])
    monkeypatch.setattr("ginjax._progress._QUIET_SECONDS", -1.0)
    with show_progress(3, "working") as progress:
        for _ in range(3):
            progress.advance()
    assert progress.done == 3


SCRIPT = """
import sys
from ginjax._progress import _write_line
_write_line("first")
sys.stdin.read()
_write_line("second")
open("done", "w").close()
"""


def test_a_reader_that_went_away(tmp_path):
    """Nor does Python complain, or fail, when it ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, text=True
    )
    assert process.stderr.readline() == "first\n"
    process.stderr.close()
    process.communicate("")
    assert process.returncode == 0 and (tmp_path / "done").exists()
