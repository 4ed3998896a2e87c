"""Why a path cannot be compatible, in words."""

from ._system import FilterPair, Residual

EXACT_ENOUGH = 1e-9


def explain(pair: FilterPair | None, remainder: Residual) -> str:
    """One sentence on what stands between a path and exactness; empty when nothing does."""
    if pair is None or remainder.total <= EXACT_ENOUGH:
        return ""
    if pair.p == 1:
        return (
            "odd path (a field and a pseudo-field): reflecting an added axis forces its old components to zero, "
            "so no compatible weights exist; 'volume' and 'none' carry it over without that promise"
        )
    if pair.input_dilation > 1:
        return (
            "transposed convolution: no weights give every output phase of the added axes its share; "
            "nearest-neighbour up-sampling followed by an odd-sided convolution is exact"
        )
    if remainder.old <= EXACT_ENOUGH:
        return (
            "output of order 2 or more: its old components are exact, the new diagonal ones cannot all vanish "
            "(delta_ij has an entry on every added axis)"
        )
    return "the filters of this bank cannot reproduce the old ones in the new dimension; use a larger support"
