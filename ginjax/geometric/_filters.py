"""Invariant filters as fields, taken from the bases of `ginjax.filters`."""

import enum
import math
from collections.abc import Iterable, Sequence

import jax
import numpy as np
from jax import Array
from jaxtyping import Float

from ginjax.filters import BankRecipe, basis_for_operators, limit_support, make_block, scale_filters

from ..errors import ArgumentError, UnsupportedError
from ._group import GroupElement
from ._image import GeometricFilter
from ._multi_image import MultiImage


class FilterScaling(enum.Enum):
    """How filters are scaled; only `ONE`, `NORMALIZE` and `GAUSSIAN` are supported."""

    ONE = "one"
    NORMALIZE = "normalize"
    GAUSSIAN = "gaussian"
    ZERO_SUM = "zero-sum"
    ZERO_SUM_L2_DIST = "zero-sum-l2-dist"
    ZERO_SUM_GAUSSIAN_DIST = "zero-sum-gaussian-dist"
    OONA_PURI_SCALED = "oona-puri-scaled"
    STENCIL = "stencil"
    INVERSE_COUNT = "inverse-count"


def _scaling_name(scale: FilterScaling):
    if scale is FilterScaling.ONE:
        return "one"
    if scale is FilterScaling.NORMALIZE:
        return "normalize"
    if scale is FilterScaling.GAUSSIAN:
        return "gaussian"
    raise UnsupportedError(
        "filter scaling is not supported",
        got=scale,
        expected="FilterScaling.ONE, NORMALIZE or GAUSSIAN",
        hint="Scale the filters yourself: divide the blocks of the MultiImage.",
    )


def _is_whole_group(operators: Sequence[np.ndarray], D: int) -> bool:
    """Whether the matrices are all of `B_D`, judged by the number of different signed permutations."""
    matrices = {np.rint(g).astype(int).tobytes() for g in operators}
    signed = all(g.shape == (D, D) and np.array_equal(g @ g.T, np.eye(D)) for g in operators)
    return signed and len(matrices) == 2**D * math.factorial(D)


def _filter_block(
    side: int,
    k: int,
    parity: int,
    D: int,
    operators: Sequence[np.ndarray],
    scale: FilterScaling,
    max_pixel_l1: int | None,
    split_k2: bool,
    combine: bool,
) -> Float[Array, "filters *field"]:
    """Return the filters of one side, order and parity, `(n, *(M,)*D, *(D,)*k)`."""
    scaling = _scaling_name(scale)
    if _is_whole_group(operators, D):
        radius = D * (side - 1) / 2 if max_pixel_l1 is None else max_pixel_l1
        limited = combine or max_pixel_l1 is not None
        recipe = BankRecipe(
            side=side,
            scaling=scaling,
            support="summed" if combine else "cut" if limited else "full",
            max_pixel_l1=radius if limited else None,
            split_k2=split_k2,
        )
        filters = make_block(D, recipe, k, parity).filters
    else:
        filters = basis_for_operators(D, side, k, parity, operators, split_k2)
        filters = limit_support(scale_filters(filters, D, scaling), D, max_pixel_l1, combine)
    # NumPy rounds, and device_put only copies: jnp.asarray would compile a program for every shape.
    return jax.device_put(filters.astype(np.float32))


def get_invariant_filters(
    Ms: Sequence[int],
    ks: Iterable[int],
    parities: Iterable[int],
    D: int,
    operators: Iterable[GroupElement],
    scale: FilterScaling = FilterScaling.NORMALIZE,
    max_pixel_l1: int | None = None,
    k2_irreps_basis: bool = True,
    combine_equal_l1: bool = False,
) -> MultiImage:
    r"""Compute a basis of the filters that are invariant under a group of grid symmetries, for each order and parity.

    $$g \cdot C_l = C_l \quad \text{for every operator } g$$

    **Arguments:**

    - `Ms`: the side of the filters in pixels, as a sequence with one entry.
    - `ks`: the tensor orders.
    - `parities`: the parities, 0 or 1.
    - `D`: the dimension.
    - `operators`: the group as `D x D` signed permutation matrices, such as `make_all_operators(D)`.
    - `scale`: `ONE` (largest absolute entry 1), `NORMALIZE` (tensor norm 1 at every pixel of the support) or `GAUSSIAN`
        (as `NORMALIZE`, times `exp(-distance from the centre)`).
    - `max_pixel_l1`: keep only filters whose support lies within this L1 distance, in pixels, of the centre.
    - `k2_irreps_basis`: split order 2 into trace, antisymmetric, off-diagonal symmetric and traceless diagonal parts.
    - `combine_equal_l1`: sum the filters of equal L1 radius.

    **Returns:** one block `(n_filters, *(M,)*D, D, ..., D)` of float32 per `(k, p)`; keys without filters are absent.

    **Raises:** `ArgumentError` for several sides, or for operators that do not form a group of grid symmetries;
    `UnsupportedError` for another scaling.
    """
    Ms = tuple(Ms)
    if len(Ms) != 1:
        raise ArgumentError(
            "one MultiImage holds filters of one side",
            got=f"Ms={list(Ms)}",
            expected="a single side, such as Ms=[3]",
            hint="get_invariant_filters_dict takes several sides.",
        )
    operators = [np.asarray(g) for g in operators]
    result = MultiImage({}, D)
    for k in ks:
        for parity in parities:
            block = _filter_block(
                Ms[0], k, parity, D, operators, scale, max_pixel_l1, k2_irreps_basis, combine_equal_l1
            )
            if len(block):
                result[(k, parity)] = block
    return result


def get_invariant_filters_dict(
    Ms: Iterable[int],
    ks: Iterable[int],
    parities: Iterable[int],
    D: int,
    operators: Iterable[GroupElement],
    scale: FilterScaling = FilterScaling.NORMALIZE,
    max_pixel_l1: int | None = None,
    k2_irreps_basis: bool = True,
    combine_equal_l1: bool = False,
) -> tuple[dict[tuple[int, int, int, int], list[GeometricFilter]], dict[tuple[int, int], int]]:
    """Compute the filters of `get_invariant_filters` for several sides.

    **Returns:** two dictionaries. The first has a list of filters for each `(D, M, k, p)`; a list may be empty. The second has
    the length of the longest list for each `(D, M)`.
    """
    operators = [np.asarray(g) for g in operators]
    ks, parities = tuple(ks), tuple(parities)
    filters = {
        (D, M, k, parity): [
            GeometricFilter(data, parity, D)
            for data in _filter_block(
                M, k, parity, D, operators, scale, max_pixel_l1, k2_irreps_basis, combine_equal_l1
            )
        ]
        for M in Ms
        for k in ks
        for parity in parities
    }
    longest: dict[tuple[int, int], int] = {}
    for (_, M, _, _), found in filters.items():
        longest[D, M] = max(longest.get((D, M), 0), len(found))
    return filters, longest


def get_invariant_filters_list(
    Ms: Iterable[int],
    ks: Iterable[int],
    parities: Iterable[int],
    D: int,
    operators: Iterable[GroupElement],
    scale: FilterScaling = FilterScaling.NORMALIZE,
    max_pixel_l1: int | None = None,
    k2_irreps_basis: bool = True,
    combine_equal_l1: bool = False,
) -> list[GeometricFilter]:
    """Return the filters of `get_invariant_filters_dict` in one list, ordered by side, then order, then parity."""
    by_key, _ = get_invariant_filters_dict(
        Ms, ks, parities, D, operators, scale, max_pixel_l1, k2_irreps_basis, combine_equal_l1
    )
    return [one for filters in by_key.values() for one in filters]
