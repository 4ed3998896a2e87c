"""The refusal of a name that is not among those there are, with the one that was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ginjax.errors import ArgumentError

_LEAST_ALIKE = 0.6
"""How alike two names are, from 0 to 1, of which one may be a misspelling of the other."""


def nearest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The names that one may be a misspelling of, the likeliest first; capital letters do not matter.

    **Arguments:**

    - `name`: what was given.
    - `known`: the names there are.
    - `most`: how many to return at most.
    """
    from difflib import get_close_matches  # costs milliseconds, which only a message has to pay

    by_letters: dict[str, str] = {}
    for each in known:
        by_letters.setdefault(each.lower(), each)
    found = get_close_matches(name.lower(), by_letters, n=most, cutoff=_LEAST_ALIKE)
    return [by_letters[each] for each in found]


def did_you_mean(
    name: str, known: Iterable[str], *, written: Callable[[str], str] = repr, hint: str | None = None
) -> str | None:
    """`Did you mean 'burgers'?`, and what else is to be said; None if there is neither.

    **Arguments:**

    - `name`, `known`: as in `nearest`.
    - `written`: how a name is written in the question.
    - `hint`: what follows the question, or stands alone where no name is near.
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
    """The error for a name that is not among those there are.

    **Arguments:**

    - `subject`: what the name is of, as the message calls it.
    - `name`: what was given.
    - `known`: the names there are.
    - `got`: what the message says was given; the name in quotes if None.
    - `expected`: what the message says of the known names; `a or b` if None.
    - `hint`: what else to say, behind the name that was probably meant.
    """
    names = [str(each) for each in known]
    return ArgumentError(
        subject,
        got=repr(name)[:60] if got is None else got,
        expected=" or ".join(names) if expected is None else expected,
        hint=did_you_mean(str(name), names, hint=hint),
    )
