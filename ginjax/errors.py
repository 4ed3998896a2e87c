"""The errors that ginjax raises on purpose.

Each error carries values: what was examined, what was found, what was expected, and what to do about it. The
sentence is composed in one place (`GinjaxError.__str__`), so every interface can show the parts in its own way.
Any other exception is a defect of the program and keeps its traceback.
"""

from ginjax._text import LONGEST_PART, clean, shell_word


class GinjaxError(Exception):
    """Base class of all deliberate errors.

    **Arguments:**

    - `subject`: the name of what is wrong (an argument, a file, a layer).
    - `got`: what was found.
    - `expected`: what would have been accepted.
    - `hint`: what the user can do next.
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

        Names may come from files. Therefore long parts are shortened, and control characters are written as escapes.
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
    """A value passed by the caller is not accepted: wrong shape, range, name or combination, or one that does not go with the
    model, the data or the equation. Another value would do, or none.
    """


class OutputNameError(ArgumentError):
    """The name of an output file belongs to another kind of file.

    **Arguments:**

    - `argument`: name of the output in messages.
    - `kind`: the kind of the output, see `ginjax.checkpoint.OutputKind`.
    - `path`: the given name.
    - `belongs`: the kind of file that such a name belongs to, in words.
    - `expected`: the names that are allowed.
    - `better`: a name that fits.
    - `why`: a further explanation, or None.
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
    """A request that makes sense, but that this version or this installation does not support, whatever the other values are."""


class FileError(GinjaxError):
    """A file cannot be read or written: missing, damaged, malicious, of another version, disk full."""


class NumericsError(GinjaxError):
    """A computation produced NaN or infinity."""


class MemoryLimitError(GinjaxError, MemoryError):
    """Work that needs more memory than is available, refused before it begins."""


class VerificationError(GinjaxError):
    """A promised property does not hold to its tolerance."""


class GinjaxWarning(UserWarning):
    """Something worked, but the user has to know about it."""
