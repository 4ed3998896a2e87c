"""One layer under two names: two arrays with the same numbers."""

from collections.abc import Mapping, Sequence

import numpy as np

from ginjax.errors import ArgumentError

from ._tensor_plan import TensorPlan


def refuse_torn_aliases(rows: Sequence[TensorPlan], arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse to treat kernels with equal numbers differently: if they are one layer, a loader writes both, and the last one wins.

    A kernel whose entries are all equal is not taken as a sign of this.

    **Raises:** `ArgumentError` that names both.
    """
    seen: dict[tuple[object, ...], list[tuple[TensorPlan, str]]] = {}
    for row in rows:
        if row.action != "kernel" or row.source is None:
            continue
        array = arrays[row.source]
        flat = array.reshape(-1)
        if not array.size or not (flat != flat[0]).any():
            continue
        alike = seen.setdefault((array.shape, array.dtype, flat[:8].tobytes()), [])
        for other, source in alike:
            if other.axes != row.axes and array.tobytes() == arrays[source].tobytes():
                raise ArgumentError(
                    f"kernels {other.name!r} and {row.name!r}, which hold the same numbers",
                    got=f"'{_words(other)}' and '{_words(row)}'",
                    expected="the same for both: they are one layer under two names",
                )
        alike.append((row, row.source))


def _words(row: TensorPlan) -> str:
    return " / ".join(axis.words() or "stride 1" for axis in row.axes)
