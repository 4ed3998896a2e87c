"""The option `padding_mode` of networks: how their convolutions go on beyond the ends of axes."""

from collections.abc import Sequence

from ...errors import ArgumentError
from ...geometric import PADDING_MODES

PLAIN_MODES = ("ZEROS", "REFLECT", "REPLICATE", "CIRCULAR")
"""What Equinox calls the paddings of its convolutions; they look at no field, and wrap all axes or none."""

_WORDS = tuple(mode.upper() for mode in PADDING_MODES)

WRAPS = "circular"
"""Of a plain network, an axis that is continued periodically even where the field is not periodic."""


def padding_option(value: object, *, equivariant: bool) -> object:
    """The option in the one form in which a specification holds it: in capitals, one word where one says it all.

    Equinox's words stay as they are.

    **Raises:** `ArgumentError` for anything but words that are known.
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
    """The option as `ConvContract` takes it: Equinox's own words leave an equivariant convolution at zeros."""
    value = padding_option(value, equivariant=True)  # type: ignore[assignment]
    return "zeros" if isinstance(value, str) and value.upper() in PLAIN_MODES else value


def modes_by_field(value: str | Sequence[str], D: int) -> tuple[str, ...] | None:
    """For each axis, how a plain convolution goes on where the field is not periodic; None for one of Equinox's words.

    **Raises:** `ArgumentError` for words that are unknown or not one for each axis.
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
