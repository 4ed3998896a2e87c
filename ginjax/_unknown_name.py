"""The error for an unknown name, with the name that was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ginjax.errors import ArgumentError

_LEAST_ALIKE = 0.6
"""Least similarity, from 0 to 1, at which one name may be a misspelling of another."""


def nearest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The known names that a name may be a misspelling of, the likeliest first; capital letters do not matter.

    **Arguments:**

    - `name`: the given name.
    - `known`: the known names.
    - `most`: most names to return.
    """
    from difflib import get_close_matches  # costs milliseconds, only needed for a message

    by_letters: dict[str, str] = {}
    for each in known:
        by_letters.setdefault(each.lower(), each)
    found = get_close_matches(name.lower(), by_letters, n=most, cutoff=_LEAST_ALIKE)
    return [by_letters[each] for each in found]


def did_you_mean(
    name: str, known: Iterable[str], *, written: Callable[[str], str] = repr, hint: str | None = None
) -> str | None:
    """`Did you mean 'burgers'?` and a further hint; None if there is neither.

    **Arguments:**

    - `name`, `known`: as in `nearest`.
    - `written`: writes a name for the question.
    - `hint`: a text that follows the question, or is returned alone if no known name is near.
    """
    near = nearest(name, known)
    parts = [f"Did you mean {written(near[0])}?"] if near else []
    return " ".join([*parts, *([hint] if hint else [])]) or None


def unknown_name(
    subject: str,
    name: object,
    known: Iterable[object],
    *,
    got: str | None = None,
    expected: str | None = None,
    hint: str | None = None,
) -> ArgumentError:
    """The error for an unknown name.

    **Arguments:**

    - `subject`: what has this name, in the words of the message.
    - `name`: the given name.
    - `known`: the known names.
    - `got`: the text of the message for the given name; the name in quotes if None.
    - `expected`: the text of the message for the known names; `a or b` if None.
    - `hint`: a further hint, after the name that was probably meant.
    """
    names = [str(each) for each in known]
    return ArgumentError(
        subject,
        got=repr(name)[:60] if got is None else got,
        expected=" or ".join(names) if expected is None else expected,
        hint=did_you_mean(str(name), names, hint=hint),
    )
