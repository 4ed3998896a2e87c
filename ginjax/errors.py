"""The errors ginjax raises on purpose.

Each carries values: what was looked at, what was found, what was expected, and what to do about it. The
sentence is put together in one place (`GinjaxError.__str__`), so every surface can show the parts as it likes.
Anything that is not a `GinjaxError` is a defect of the program and keeps its traceback.
"""

from ginjax._text import LONGEST_PART, clean


class GinjaxError(Exception):
    """Base of all deliberate errors.

    **Arguments:**

    - `subject`: what is wrong, by name (an argument, a file, a layer).
    - `got`: what was found.
    - `expected`: what would have been accepted.
    - `hint`: what the reader can do next.
    """

    def __init__(
        self,
        subject: str,
        *,
        got: object | None = None,
        expected: object | None = None,
        hint: str | None = None,
    ):
        super().__init__(subject)
        self.subject = subject
        self.got = got
        self.expected = expected
        self.hint = hint

    @property
    def problem(self) -> str:
        """The problem on one line, without the hint.

        Names may come from files: what is too long is shortened, and nothing in it can steer a terminal.
        """
        text = _on_one_line(self.subject)
        if self.got is not None:
            text += f": got {_on_one_line(self.got)}"
        if self.expected is not None:
            text += f"{',' if self.got is not None else ':'} expected {_on_one_line(self.expected)}"
        return text

    def __str__(self) -> str:
        return self.problem if self.hint is None else f"{self.problem}. {clean(self.hint)}"


def _on_one_line(part: object) -> str:
    return clean(" ".join(str(part).split()), LONGEST_PART)


class ArgumentError(GinjaxError, ValueError):
    """A value handed in by the caller does not fit (wrong shape, range, name or combination)."""


class UnsupportedError(GinjaxError, NotImplementedError):
    """A request that makes sense but that this version does not carry out."""


class FileError(GinjaxError):
    """A file cannot be read or written: missing, corrupt, hostile, of another version, disk full."""


class NumericsError(GinjaxError):
    """A computation produced NaN or infinity."""


class MemoryLimitError(GinjaxError, MemoryError):
    """Work that needs more memory than there is, refused before it begins."""


class VerificationError(GinjaxError):
    """A property that was promised does not hold to its tolerance."""


class GinjaxWarning(UserWarning):
    """Something that went through but that its user must hear about."""
