"""The option `padding_mode` of networks: how fields continue beyond the ends of axes in convolutions."""

from collections.abc import Sequence

from ...errors import ArgumentError
from ...geometric import PADDING_MODES

PLAIN_MODES = ("ZEROS", "REFLECT", "REPLICATE", "CIRCULAR")
"""Equinox's words for the padding of a convolution. They ignore the periodicity of fields and hold for all axes."""

_WORDS = tuple(mode.upper() for mode in PADDING_MODES)

WRAPS = "circular"
"""In a plain network, the word for an axis that is continued periodically even if the field is not periodic."""


def padding_option(value: object, *, equivariant: bool) -> object:
    """Return the option in the form of a specification: in capitals, as one word if possible.

    Equinox's words stay as they are.

    **Raises:** `ArgumentError` for an unknown word or another kind of value.
    """
    if isinstance(value, str):
        word = value.upper()
        if word not in (*PLAIN_MODES, *_WORDS):
            raise _unknown(value)
        return value if word in PLAIN_MODES else word
    if not isinstance(value, Sequence) or not value:
        raise _unknown(value)
    words = tuple(word.upper() if isinstance(word, str) else "" for word in value)
    known = _WORDS if equivariant else (*_WORDS, WRAPS.upper())
    if any(word not in known for word in words):
        raise _unknown(value)
    return words[0] if equivariant and len(set(words)) == 1 else words


def modes_of_filters(value: str | Sequence[str]) -> str | Sequence[str]:
    """Return the option in the form of `ConvContract`; Equinox's words all mean zeros there."""
    value = padding_option(value, equivariant=True)  # type: ignore[assignment]
    return "zeros" if isinstance(value, str) and value.upper() in PLAIN_MODES else value


def modes_by_field(value: str | Sequence[str], D: int) -> tuple[str, ...] | None:
    """Return the padding mode of a plain convolution for each axis that is not periodic; None for a word of Equinox.

    **Raises:** `ArgumentError` for unknown words, or if there is not one word for each axis.
    """
    value = padding_option(value, equivariant=False)  # type: ignore[assignment]
    if isinstance(value, str):
        return None if value.upper() in PLAIN_MODES else (value.lower(),) * D
    if len(value) != D:
        raise _unknown(value, f"{D} words, one for each axis")
    return tuple(word.lower() for word in value)


def _unknown(value: object, expected: str | None = None) -> ArgumentError:
    return ArgumentError(
        "padding_mode",
        got=repr(value)[:60],
        expected=expected
        or f"{', '.join(dict.fromkeys((*_WORDS, *PLAIN_MODES)))}, or one of the first for each axis",
    )
