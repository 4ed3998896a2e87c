"""Checked access to the fields of a header that comes from an unknown file."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar, overload

from ginjax.errors import FileError

_T = TypeVar("_T", str, int, float, bool, list, dict)
_D = TypeVar("_D")
_MISSING: Any = object()
_NAMES = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false", list: "a list",
    dict: "an object",
}  # fmt: skip


@overload
def expect(
    header: Mapping[str, object],
    field: str,
    kind: type[_T],
    *,
    where: object = ...,
    least: float | None = ...,
    most: float | None = ...,
    choices: Collection[str] | None = ...,
) -> _T: ...
@overload
def expect(
    header: Mapping[str, object],
    field: str,
    kind: type[_T],
    *,
    where: object = ...,
    default: _D,
    least: float | None = ...,
    most: float | None = ...,
    choices: Collection[str] | None = ...,
) -> _T | _D: ...
def expect(
    header: Mapping[str, object],
    field: str,
    kind: type,
    *,
    where: object = "header",
    default: Any = _MISSING,
    least: float | None = None,
    most: float | None = None,
    choices: Collection[str] | None = None,
) -> Any:
    """Get a field of a header, with checks.

    **Arguments:**

    - `header`: a JSON object.
    - `field`: a dotted path of names, such as `"spec.depth"`; names that contain dots cannot be reached.
    - `kind`: `str`, `int`, `float`, `bool`, `list` or `dict`. A whole number is accepted as a `float`; true and
      false are not numbers.
    - `where`: the file, for messages.
    - `default`: returned if the field, or an object on the way to it, is missing.
    - `least`, `most`: bounds of a number, or of the length of a string, list or object.
    - `choices`: the allowed strings.

    **Raises:** `FileError` that names the field, its value and the expected value.
    """
    value: Any = header
    for name in field.split("."):
        if not isinstance(value, Mapping):
            raise _wrong(where, field, value, "an object on the way to it")
        if name not in value:
            if default is _MISSING:
                raise FileError(
                    f"{where}: field {field!r} is missing", hint="The file is incomplete or corrupt."
                )
            return default
        value = value[name]
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 2**53 else value
    if type(value) is not kind:
        raise _wrong(where, field, value, _NAMES[kind])
    if choices is not None and value not in choices:
        raise _wrong(where, field, value, " or ".join(choices))
    measured = value if kind in (int, float) else len(value) if kind in (str, list, dict) else 0
    unit = "" if kind in (int, float) else " in length"
    if least is not None and measured < least:
        raise _wrong(where, field, value, f"{least} or more{unit}")
    if most is not None and measured > most:
        raise _wrong(where, field, value, f"{most} or less{unit}")
    return value


def _wrong(where: object, field: str, value: object, expected: str) -> FileError:
    try:
        got = repr(value)
    except ValueError:  # an integer too long to print
        got = "a number of absurd size"
    return FileError(
        f"{where}: field {field!r}",
        got=got if len(got) <= 60 else got[:57] + "...",
        expected=expected,
        hint="The file is corrupt or was not written by this version of ginjax.",
    )
