"""Options that take one word for all axes, or one word for each axis."""

from collections.abc import Sequence


def by_axis(option: str, texts: Sequence[str] | None) -> str | dict[str, str] | None:
    """Turn `WORD`, or any number of `AXIS=WORD`, into the value that the library takes.

    **Raises:** `ArgumentError` for both forms at once, or for an axis named twice.
    """
    from ginjax.errors import ArgumentError

    if not texts:
        return None
    if len(texts) == 1 and "=" not in texts[0]:
        return texts[0]
    found: dict[str, str] = {}
    for text in texts:
        name, separator, word = text.partition("=")
        if not separator or not name or name in found:
            raise ArgumentError(
                option, got=" ".join(map(repr, texts))[:60], expected="one word, or AXIS=WORD, each axis once"
            )
        found[name] = word
    return found
