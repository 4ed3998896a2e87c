"""Scaling and support of invariant filters, as pure functions of arrays `(n, *(M,)*D, *(D,)*k)`."""

from typing import Literal

import numpy as np

from ginjax._unknown_name import unknown_name

from ._orbits import pixel_coordinates, pixel_unit

Scaling = Literal["one", "normalize", "gaussian"]
SCALINGS: tuple[Scaling, ...] = ("one", "normalize", "gaussian")


def scale_filters(filters: np.ndarray, D: int, scaling: Scaling) -> np.ndarray:
    r"""Scale filters that each live on one orbit of pixels.

    - `"one"`: the largest absolute entry is 1.
    - `"normalize"`: the tensor norm is 1 at every non-empty pixel.
    - `"gaussian"`: as `"normalize"`, times `exp(-|x|_2)` with `x` in pixels from the centre.
    """
    if scaling not in SCALINGS:
        raise unknown_name("scaling", scaling, SCALINGS)
    flat = _flat(filters, D)
    if scaling == "one":
        size = np.abs(flat).max(axis=(1, 2), initial=0.0, keepdims=True)
    else:
        size = np.sqrt((flat**2).sum(axis=2)).max(axis=1, initial=0.0)[:, None, None]
    scaled = flat / np.where(size == 0, 1.0, size)
    if scaling == "gaussian":
        side = filters.shape[1]
        radius = np.sqrt((pixel_coordinates(D, side) ** 2).sum(axis=1)) * pixel_unit(side)
        scaled = scaled * np.exp(-radius)[:, None]
    return scaled.reshape(filters.shape)


def l1_radii(filters: np.ndarray, D: int) -> np.ndarray:
    """Return the L1 radius of the support of each filter in pixels, `(n,)`."""
    side = filters.shape[1]
    occupied = np.any(_flat(filters, D) != 0, axis=2)
    radius = np.abs(pixel_coordinates(D, side)).sum(axis=1) * pixel_unit(side)
    return np.where(occupied, radius, 0.0).max(axis=1, initial=0.0)


def limit_support(
    filters: np.ndarray, D: int, max_pixel_l1: float | None, combine: bool = False
) -> np.ndarray:
    """Keep the filters with support in an L1 ball; with `combine`, sum the filters of equal L1 radius."""
    radii = l1_radii(filters, D)
    if max_pixel_l1 is not None:
        kept = radii <= max_pixel_l1 + 1e-9
        filters, radii = filters[kept], radii[kept]
    if not combine or len(filters) == 0:
        return filters
    return np.stack([filters[radii == r].sum(axis=0) for r in np.unique(radii)])


def _flat(filters: np.ndarray, D: int) -> np.ndarray:
    """`(n, pixels, components)`."""
    pixels = int(np.prod(filters.shape[1 : D + 1]))
    components = int(np.prod(filters.shape[D + 1 :]))
    return filters.reshape(len(filters), pixels, components)
