"""The one place that prints.

Data go to standard output. Everything else (notes, warnings, progress, errors) goes to standard error. On a
terminal tables are drawn by Rich; in a pipe they are aligned text with one row per line. With `--json` standard output
is one object, and standard error is empty or one object. With `-q` standard output is the path. If a stream was closed
or its reader went away, its text is dropped and the work continues.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, TextIO

from ginjax._streams import Dropping, is_terminal, lead_nowhere, put
from ginjax._text import (
    LONGEST_CELL,
    cell,
    clean,
    field_lines,
    json_line,
    right_aligned,
    shell_word,
    table_lines,
)

from ._as_options import as_options

if TYPE_CHECKING:
    from rich.console import Console

    from ginjax._progress import ProgressBar

_STYLES = {"error": "bold red", "warning": "yellow", "hint": "cyan", "next": "green", "go on with": "green"}


_STEPS_ARE_PART: ContextVar[bool] = ContextVar("part of a longer command", default=False)


@contextlib.contextmanager
def as_part() -> Iterator[None]:
    """While it is active, commands are parts of a longer command, which itself names the next command."""
    token = _STEPS_ARE_PART.set(True)
    try:
        yield
    finally:
        _STEPS_ARE_PART.reset(token)


class Output:
    """The output of a command, in the form that the user chose.

    A command builds a payload and tables from the result of one library call. It shows the tables, passes the
    payload to `result`, and ends with `next_step`.

    **Arguments:**

    - `json`: print one JSON object; takes precedence over `quiet`.
    - `quiet`: print only the path of the written file.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False):
        self._form: Literal["human", "quiet", "json"] = "json" if json else "quiet" if quiet else "human"
        self._warnings: list[str] = []

    @property
    def is_drawn(self) -> bool:
        """Whether other libraries may draw progress bars: only on a terminal, in output for people."""
        return self._form == "human" and is_terminal(sys.stderr)

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, names: int = 0
    ) -> None:
        """Show rows under named columns. Numbers are aligned on the right.

        **Arguments:**

        - `names`: how many of the first columns hold names. A narrow terminal does not cut them, so that users can
          copy them.
        """
        if self._form != "human":
            return
        if not is_terminal(sys.stdout):
            _write(
                sys.stdout,
                f"{clean(title, LONGEST_CELL)}\n",
                *(line + "\n" for line in table_lines(columns, rows)),
                "\n",
            )
            return
        from rich.table import Table
        from rich.text import Text

        drawn = Table(title=Text(clean(title, LONGEST_CELL)), title_justify="left")
        for i, name in enumerate(columns):
            numbers = right_aligned(rows, i)
            drawn.add_column(
                Text(clean(name, LONGEST_CELL)),
                justify="right" if numbers else "left",
                no_wrap=i < names,
                # A number with digits cut off would be another number.
                min_width=max(len(cell(row[i])) for row in rows) if numbers else None,
            )
        for row in rows:
            drawn.add_row(*(Text(cell(value)) for value in row))
        _console(sys.stdout).print(drawn, crop=False)

    def fields(self, title: str, fields: Mapping[str, object]) -> None:
        """Show names and values, one per line."""
        if self._form != "human":
            return
        if not is_terminal(sys.stdout):
            _write(
                sys.stdout,
                f"{clean(title, LONGEST_CELL)}\n",
                *(line + "\n" for line in field_lines(fields)),
                "\n",
            )
            return
        from rich.panel import Panel
        from rich.text import Text

        lines = "\n".join(field_lines(fields))
        _console(sys.stdout).print(
            Panel(Text(lines), title=Text(clean(title, LONGEST_CELL)), title_align="left", expand=False)
        )

    def line(self, text: str) -> None:
        """Show one line of data, such as a verdict."""
        if self._form == "human":
            _write(sys.stdout, clean(as_options(text)) + "\n")

    def text(self, text: str) -> None:
        """Print several lines for another program, unchanged."""
        if self._form != "json":
            _write(sys.stdout, text)

    def note(self, text: str) -> None:
        """Print a note on standard error."""
        if self._form == "human":
            _write(sys.stderr, clean(as_options(text)) + "\n")

    def notes(self, fields: Mapping[str, object]) -> None:
        """Print names and values on standard error, one per line."""
        for line in field_lines(fields):
            self.note(line)

    def warn(self, text: str) -> None:
        """Print a warning. JSON contains it under `warnings`."""
        text = as_options(text)
        self._warnings.append(clean(text))
        if self._form != "json":
            _labelled("warning", text)

    def next_step(self, command: str) -> None:
        """Name the command that usually comes next. This is the last output of a command."""
        if self._form == "human" and not _STEPS_ARE_PART.get():
            _labelled("next", command)

    def interrupted(self, text: str, command: str, payload: Mapping[str, Any]) -> None:
        """Say that a command ended because it was asked to, and name the command that continues its work."""
        self.note(text)
        if self._form == "human" and not _STEPS_ARE_PART.get():
            _labelled("go on with", command)
        self.result(None, {"interrupted": True, "go_on_with": command, **payload})

    def progress(self, total: int, description: str, unit: str = "") -> "ProgressBar":
        """A context manager that counts steps and shows rate and time left; see `ginjax._progress.ProgressBar`."""
        from ginjax._progress import Bar, Lines, ProgressBar

        if self._form != "human":
            return ProgressBar(total, description, unit)
        if is_terminal(sys.stderr):
            return Bar(total, description, _console(sys.stderr), unit)
        return Lines(total, description, lambda text: _write(sys.stderr, clean(text) + "\n"), unit=unit)

    def result(
        self, path: str | os.PathLike[str] | None, payload: Mapping[str, Any], *, written: bool = True
    ) -> None:
        """End a command: report the file that it wrote, if any, and its result as plain values.

        **Arguments:**

        - `path`: the written file, or None.
        - `payload`: what `--json` prints, together with `path` and `warnings`.
        - `written`: false for a file that existed already.
        """
        name = None if path is None else os.fspath(path)
        if self._form == "json":
            _write(sys.stdout, json_line({**payload, "path": name, "warnings": self._warnings}) + "\n")
        elif name is not None and self._form == "quiet":
            _write_name(name)
        elif name is not None and written:
            self.note(f"wrote {shell_word(name)}")


def show_error(
    problem: str, hint: str | None, *, exit_code: int, json: bool, trace: str | None = None
) -> None:
    """Report a failure on standard error. `trace` is a traceback, if the user asked for it."""
    problem, hint = as_options(problem), None if hint is None else as_options(hint)
    if json:
        payload: dict[str, Any] = {
            "error": clean(problem),
            "hint": None if hint is None else clean(hint),
            "exit_code": exit_code,
        }
        _write(sys.stderr, json_line(payload if trace is None else {**payload, "traceback": trace}) + "\n")
        return
    if trace is not None:
        _write(sys.stderr, trace)
    _labelled("error", problem)
    if hint is not None:
        _labelled("hint", hint)


def show_interruption() -> None:
    """Say that the user ended a command that keeps nothing. This is not an error."""
    _write(sys.stderr, "interrupted\n")


def show_line(text: str) -> None:
    """Print one line outside of any command, such as the version."""
    _write(sys.stdout, text + "\n")


def show_lines(text: str) -> None:
    """Print lines outside of any command, unchanged, such as a program to run elsewhere."""
    _write(sys.stdout, text)


def _labelled(label: str, text: str) -> None:
    if not is_terminal(sys.stderr):
        _write(sys.stderr, f"{label}: {clean(text)}\n")
        return
    from rich.text import Text

    line = Text.assemble((f"{label}: ", _STYLES[label]), clean(text))
    _console(sys.stderr).print(line, soft_wrap=True)


def open_streams() -> None:
    """Open closed standard streams on nothing, so that no file can take the number of one and receive its text."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (open until the program ends)


def end_streams() -> None:
    """Write what is still buffered.

    **Raises:** `OSError` if standard output does not accept it.
    """
    put(sys.stderr, "")
    _write(sys.stdout, "")


def _console(stream: TextIO | None) -> "Console":
    from rich.console import Console

    into: Any = Dropping(stream)
    return Console(file=into, highlight=False, markup=False, emoji=False)


def _write_name(name: str) -> None:
    """Write the name of a file with the bytes that the system uses, for a reader at the end of a pipe."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is not None and not is_terminal(sys.stdout):
            sys.stdout.flush()
            with contextlib.suppress(BrokenPipeError):
                buffer.write(os.fsencode(name) + b"\n")
                buffer.flush()
            return
        name = shell_word(name)
    _write(sys.stdout, name + "\n")


def _write(stream: TextIO | None, *texts: str) -> None:
    """Write text. A failure on standard output is an error, unless nobody reads it any more."""
    try:
        put(stream, "".join(texts), needed=stream is sys.stdout)
    except OSError as error:
        lead_nowhere(stream)
        raise OSError(error.errno, error.strerror, "standard output") from error
