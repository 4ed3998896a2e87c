"""Notes on how data were read, printed before they are used, in the words of 'ginjax data inspect'."""

from typing import TYPE_CHECKING

from ._output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ginjax.checkpoint import DataContract
    from ginjax.data import Source


def say_how_read(out: Output, source: "Source", model: "DataContract") -> None:
    """Say how data were read, what was assumed, and what cannot be compared with the contract of a model.

    **Arguments:**

    - `source`: the data. For pairs and arrays in memory nothing is said.
    - `model`: the contract of the model.
    """
    if source.layout in ("pairs", "memory"):
        return
    say_notes(out, (*source.in_words, *source.notes), model, source.contract)


def say_notes(out: Output, said: "Sequence[str]", model: "DataContract", data: "DataContract") -> None:
    """Say how data were read, and what cannot be compared with the contract of a model."""
    from ginjax.checkpoint import unchecked

    for each in said:
        out.note(each)
    aspects = unchecked(model, data)
    if aspects:
        out.note(f"not checked, because the data or the model do not say: {', '.join(aspects)}")
