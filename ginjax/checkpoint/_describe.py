"""The part of a header that describes the model, checked as far as this package uses it."""

from collections.abc import Mapping

from ginjax.transfer import signature_rows

from ._expect import expect


def read_spec(header: Mapping[str, object], where: object) -> dict[str, object]:
    """Read the spec of a model.

    **Raises:** `FileError` or `ArgumentError` with the part that is wrong.
    """
    expect(header, "spec.architecture", str, where=where)
    options = expect(header, "spec.options", dict, where=where)
    for which in ("inputs", "outputs"):
        signature_rows(expect(header, f"spec.{which}", list, where=where, least=1), f"field 'spec.{which}'")
    if options.get("mid_keys") is not None:
        rows = expect(header, "spec.options.mid_keys", list, where=where)
        signature_rows(rows, "field 'spec.options.mid_keys'")
    return expect(header, "spec", dict, where=where)
