"""The errors ginjax raises on purpose.

Each carries values: what was looked at, what was found, what was expected, and what to do about it. The
sentence is put together in one place (`GinjaxError.__str__`), so every surface can show the parts as it likes.
Anything that is not a `GinjaxError` is a defect of the program and keeps its traceback.
"""

from ginjax._text import LONGEST_PART, clean, shell_word


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


class OutputNameError(ArgumentError):
    """A file is to be written under a name that says that it is of another kind.

    **Arguments:**

    - `argument`: what the output is called.
    - `kind`: what is to be written, see `ginjax.checkpoint.OutputKind`.
    - `path`: the name.
    - `belongs`: what a file of such a name is, in words.
    - `expected`: what names the file may have.
    - `better`: one that fits.
    - `why`: what there is to know besides, if anything.
    """

    def __init__(
        self,
        argument: str,
        *,
        kind: str,
        path: str,
        belongs: str,
        expected: str,
        better: str,
        why: str | None = None,
    ):
        hint = f"Name it {shell_word(better)}{'' if why is None else f': {why}'}."
        super().__init__(argument, got=f"{path}, a name of {belongs}", expected=expected, hint=hint)
        self.kind = kind
        self.path = path
        self.belongs = belongs
        self.better = better


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
