"""The parts of a header that say what a model is and what it works on, checked as far as this floor uses them."""

from collections.abc import Mapping
from typing import Any

from ginjax.errors import ArgumentError
from ginjax.transfer import signature_rows

from ._expect import expect

_FIELD = {"name": str, "order": int, "parity": int}
_SCALE = {"name": str, "k": int, "p": int}


def read_spec(header: Mapping[str, Any], where: object) -> dict[str, Any]:
    """The spec of a model.

    **Raises:** `FileError` or `ArgumentError` with the part that is wrong.
    """
    expect(header, "spec.architecture", str, where=where)
    options = expect(header, "spec.options", dict, where=where)
    for which in ("inputs", "outputs"):
        signature_rows(expect(header, f"spec.{which}", list, where=where, least=1), f"field 'spec.{which}'")
    if options.get("mid_keys") is not None:
        rows = expect(header, "spec.options.mid_keys", list, where=where)
        signature_rows(rows, "field 'spec.options.mid_keys'")
    return header["spec"]


def read_data(header: Mapping[str, Any], where: object) -> dict[str, Any] | None:
    """What the model was trained on, or None.

    **Raises:** `FileError` or `ArgumentError` with the part that is wrong.
    """
    if header.get("data") is None:
        return None
    data = expect(header, "data", dict, where=where)
    for which, kinds in (("inputs", _FIELD), ("outputs", _FIELD), ("normalisation", _SCALE)):
        for entry in expect(header, f"data.{which}", list, where=where, default=[]):
            if not isinstance(entry, dict) or any(
                type(entry.get(n)) is not kind for n, kind in kinds.items()
            ):
                raise ArgumentError(
                    f"field 'data.{which}'", got=repr(entry)[:40], expected=f"objects with {', '.join(kinds)}"
                )
    return data
