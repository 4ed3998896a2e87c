r"""Scalar filters in product form: their symbol depends on `cos(k_1/2) cos(k_2/2) ... cos(k_D/2)` alone.

With `c = cos(k/2)`, the symbol of a symmetric 1D filter of side `M` is a polynomial `G(c)` of degree `M - 1`, even for odd
sides and odd for even ones. `c^j` is the symbol of the binomial filter `binom(j, .) / 2^j`. The **product rule**

    F'(k) = G(c_1 c_2 ... c_D)

gives the old filter on the axes, where all other `c` are 1, so it solves condition (C). The product stays in [-1, 1], so `F'`
only has values that `G` has on [-1, 1]. Therefore a converted filter amplifies no wave by more than the largest
amplification of the old filter. The terms of the product rule are outer products of binomial filters. The rule composes: a
conversion from 1D to 2D and then to 3D is the one from 1D to 3D. For side 3 from 1D to 2D it is the transformation of
J. H. McClellan, "The design of two-dimensional digital filters
by transformations", Proc. 7th Annual Princeton Conf. on Information Sciences and Systems (1973).
"""

import numpy as np

from ginjax.filters import FilterBlock, pixel_coordinates, pixel_unit

from ._system import FilterPair

IN_THE_BANK = 1e-9
"""Largest distance, relative to the largest entry, at which a filter counts as one that a bank can represent."""


def product_form(pair: FilterPair) -> tuple[np.ndarray, np.ndarray] | None:
    """Carry the part of old scalar filters that has product form to the new dimension.

    To get that part of a filter, the filter is summed over all axes but one, averaged over the choice of the remaining axis, and
    the product rule is applied to the result. In 1D that part is the filter itself.

    **Arguments:**

    - `pair`: the bases of a path from scalars to scalars.

    **Returns:** `(carried, part)`. `carried` are the weights of the new filters `(n_new, n_old)`, a solution of (C) for the
    part of each old filter that has product form. `part` are the weights of that part `(n_old, n_old)`. None if one of the two
    banks cannot represent such filters. None, too, if they do not solve (C), which is the case for a transposed convolution
    unless it doubles the grid with filters of an even side.
    """
    shares = _shares(pair)
    if any((*pair.orders_new, pair.p)) or shares is None or not len(pair.old):
        return None
    lines = _lines(pair.old)
    part = _weights_of(_product_images(lines, pair.D_old), pair.old)
    carried = _weights_of(shares * _product_images(lines, pair.D_new), pair.new)
    return None if part is None or carried is None else (carried, part)


def _shares(pair: FilterPair) -> float | None:
    """The multiple of the old filter to which the taps of the added axes must sum over all phases; None if impossible."""
    if pair.input_dilation == 1:
        return 1.0
    if pair.input_dilation == 2 and pair.filter_dilation % 2 and pair.side % 2 == 0:
        # A wave of period two along an added axis has c = 0, where an odd polynomial vanishes: both phases are alike.
        return 2.0 ** (pair.D_new - pair.D_old)
    return None


def _lines(block: FilterBlock) -> np.ndarray:
    """Filters `(n, *(M,)*D)` summed over all axes but one, `(n, M)`, averaged over the choice of that axis."""
    D = block.filters.ndim - 1
    axes = range(1, D + 1)
    return np.mean([block.filters.sum(axis=tuple(a for a in axes if a != left)) for left in axes], axis=0)


def _product_images(lines: np.ndarray, D: int) -> np.ndarray:
    """The product rule in pixels: from symmetric 1D filters `(n, M)` to `(n, M^D)`.

    A filter of side `M` is determined by its symbol at `M` equidistant waves per axis. For even sides the symbol changes its sign
    after a period, as the waves do between half-pixels.
    """
    n, side = lines.shape
    x = pixel_coordinates(1, side)[:, 0] * pixel_unit(side)
    waves = 2 * np.pi * np.arange(side) / side
    product = np.ones(())
    for _ in range(D):
        product = np.multiply.outer(product, np.cos(waves / 2))
    symbol = lines @ np.cos(x[:, None] * 2 * np.arccos(product.reshape(-1)))
    images = symbol.reshape(n, *(side,) * D)
    for _ in range(D):
        images = np.moveaxis(images, 1, -1) @ (np.cos(np.outer(waves, x)) / side)
    return images.reshape(n, -1)


def _weights_of(images: np.ndarray, block: FilterBlock) -> np.ndarray | None:
    """The weights `(len(block), n)` that give filters `(n, pixels)`; None if the bank cannot represent them."""
    if not len(block):
        return None
    synthesis = _synthesis(block)
    weights = np.linalg.lstsq(synthesis, images.T, rcond=None)[0]
    gap = np.abs(synthesis @ weights - images.T).max()
    return weights if gap <= IN_THE_BANK * np.abs(images).max(initial=0.0) else None


def _synthesis(block: FilterBlock) -> np.ndarray:
    """The matrix `(pixels, n)` from weights to the filter in pixels."""
    return block.filters.reshape(len(block), -1).T
