"""Settings as text of one line."""

from collections.abc import Mapping


def in_words(value: object) -> str:
    """A value as text for people: short numbers, lists and objects on one line, and only the beginning of a digest."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return " ".join(in_words(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {in_words(item)}" for name, item in value.items())
    text = str(value)
    return text[:12] if len(text) == 64 and set(text) <= set("0123456789abcdef") else text
