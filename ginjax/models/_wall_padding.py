"""The choice of padding beyond the ends of axes that are not periodic."""

from collections.abc import Mapping, Sequence

from .._unknown_name import unknown_name
from ..checkpoint import Axis
from ..errors import ArgumentError
from ..geometric import PADDING_MODES

DEFAULT_PADDING = "mirror"
"""The default padding along an axis that is not periodic; `docs/guides/walls.md` has the measurements."""

Asked = tuple[tuple[str, str], ...]
"""Pairs of the name of an axis and a padding mode."""


def asked_padding(value: object) -> str | Asked | None:
    """Check a requested padding, and return None, one word, or pairs of an axis and a word.

    **Raises:** `ArgumentError` for an unknown word.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _word(value)
    pairs = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(pairs, Sequence) or not all(isinstance(p, Sequence) and len(p) == 2 for p in pairs):
        raise ArgumentError(
            "`padding`", got=repr(value)[:60], expected="a word, or words by the name of the axis"
        )
    return tuple(sorted((str(axis), _word(word)) for axis, word in pairs)) or None


def padding_along(axes: Sequence[Axis], asked: object, default: str | Sequence[str]) -> tuple[str, ...]:
    """Return one padding mode for each axis; the mode of a periodic axis has no effect.

    **Arguments:**

    - `axes`: the axes of the data.
    - `asked`: the requested padding, as in `asked_padding`.
    - `default`: the padding of axes without a request: one word, or one word for each axis.

    **Raises:** `ArgumentError` for a requested axis that is unknown or periodic, and for any request if all axes are periodic.
    """
    walled = [axis.name for axis in axes if not axis.is_torus]
    wanted = asked_padding(asked)
    by_name = dict(wanted) if isinstance(wanted, tuple) else {}
    unknown = sorted(by_name.keys() - {axis.name for axis in axes})
    if unknown:
        raise ArgumentError(
            f"`padding` of axis {unknown[0]!r}",
            got="no such axis",
            expected=" or ".join(walled or [axis.name for axis in axes]),
        )
    if wanted is not None and not walled:
        raise ArgumentError(
            "`padding`",
            got=repr(wanted if isinstance(wanted, str) else dict(wanted)),
            expected="data with an axis that is not periodic",
            hint="If the data are wrong about their boundaries, say which axes are periodic: `is_torus`.",
        )
    for name in by_name:
        if name not in walled:
            raise ArgumentError(
                f"`padding` of axis {name!r}", got="a periodic axis", expected=" or ".join(walled)
            )
    given = (default,) * len(axes) if isinstance(default, str) else tuple(default)
    given = (wanted,) * len(axes) if isinstance(wanted, str) else given
    named = tuple(by_name.get(axis.name, word) for axis, word in zip(axes, given, strict=True))
    # The word of a periodic axis has no effect. With the word of the others the network is the same in every dimension.
    words = {word for axis, word in zip(axes, named, strict=True) if not axis.is_torus}
    return named if len(words) > 1 else tuple(words) * len(axes)


def padding_option_along(
    axes: Sequence[Axis], asked: object, default: str | Sequence[str], *, plain: bool = False
) -> str | tuple[str, ...]:
    """Return the option `padding_mode` for data with these axes; arguments and errors as in `padding_along`.

    **Arguments:**

    - `plain`: whether the network is plain. Then a single word for zeros would pad periodic axes by zeros too.
    """
    words = padding_along(axes, asked, default)
    whole = not plain and len(set(words)) == 1
    if all(axis.is_torus for axis in axes) or (whole and words[0] == "zeros"):
        return "ZEROS"
    return words[0].upper() if whole else tuple(word.upper() for word in words)


def _word(value: object) -> str:
    word = value.lower() if isinstance(value, str) else value
    if word not in PADDING_MODES:
        raise unknown_name("`padding`", value, PADDING_MODES)
    return str(word)
