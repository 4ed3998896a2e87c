"""A table of what a network costs before and after a conversion."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ginjax.checkpoint import ModelRecord

    from ._output import Output

DEFAULT_SIZE = 32
"""Grid points along each axis, unless the user chooses another number."""


def show_cost(out: "Output", records: "Sequence[ModelRecord]", size: int) -> dict[str, Any]:
    """Show one row for each record, for a grid of `size` points along each axis, and return the same as plain values."""
    from ginjax.transfer import cost, plain_cost

    payload = {}
    for record in records:
        item = max(array.dtype.itemsize for array in record.arrays.values())
        if record.layers:
            found = cost(record.layers, record.banks, size, item)
        else:
            found = plain_cost(record.plain_layers, record.arrays, record.D, size, item)
        payload[f"{record.D}d"] = {
            "size": size,
            "parameters": record.parameters,
            "weight_bytes": sum(array.nbytes for array in record.arrays.values()),
            "field_bytes": found.field_bytes,
            "flops": found.flops,
        }
    out.table(
        f"One forward pass on one sample, {size} grid points along each axis",
        ("dim", "parameters", "weights", "largest fields", "FLOPs (dense)"),
        [
            (
                name,
                row["parameters"],
                f"{row['weight_bytes'] / 2**20:.3g} MiB",
                f"{row['field_bytes'] / 2**20:.3g} MiB",
                f"{row['flops']:.3g}",
            )
            for name, row in payload.items()
        ],
    )
    return payload
