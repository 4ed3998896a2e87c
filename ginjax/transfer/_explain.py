"""Reasons why a path cannot be compatible, in words."""

from ._system import FilterPair, Residual

EXACT_ENOUGH = 1e-9
"""Residual of float64 weights that counts as exact."""


def explain(pair: FilterPair, remainder: Residual, tolerance: float = EXACT_ENOUGH) -> str:
    """Explain in one sentence why a path is not exact; empty if it is.

    **Arguments:**

    - `pair`, `remainder`: the path, and its residual.
    - `tolerance`: residual that counts as exact; weights stored with fewer digits need a larger one.
    """
    if remainder.total <= tolerance:
        return ""
    if pair.p == 1 and not (pair.lift_in or pair.lift_out):
        return (
            "odd path (a field and a pseudo-field): reflecting an added axis forces its old components to zero, "
            "so no compatible weights exist; `lift_parity=True` converts odd scalars exactly, 'volume' and 'none' carry "
            "the path over without a promise"
        )
    if pair.input_dilation > 1:
        return (
            "transposed convolution: no weights give every output phase of the added axes its share; "
            "nearest-neighbour up-sampling followed by an odd-sided convolution is exact"
        )
    if remainder.old <= tolerance:
        return (
            "output of order 2 or more: its old components are exact, the new diagonal ones cannot all vanish "
            "(delta_ij has an entry on every added axis)"
        )
    return "the filters of this bank cannot reproduce the old ones in the new dimension; use a larger support"
