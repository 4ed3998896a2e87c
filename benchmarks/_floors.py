"""The least time a convolution can take on a machine: what it must move and what it must multiply."""

from typing import Any

from _cases import Case

# x and the output's cotangent are read forwards and backwards, y and the gradient of x written: x, y; x, g, dx.
FIELDS_MOVED = 5
FLOAT = 4


def convolution_floor(case: Case, filters: dict[str, int], limits: dict[str, float]) -> dict[str, float]:
    """Bounds on forward and backward pass of a convolution with a few fixed filters.

    `moving` reads and writes every field once (fields beyond the caches); `mixing` is the matrix product of weights
    and filtered fields, on the side with fewer components, once forwards and twice backwards. They may overlap, so
    the floor is the larger one.

    **Arguments:**

    - `filters`: number of filters by tensor order.
    - `limits`: `bandwidth` in bytes a second and `product` in floating-point operations a second.

    **Returns:** `moving`, `mixing` and `floor` in seconds.
    """
    moving = FIELDS_MOVED * FLOAT * case.pixels * case.plain_channels / limits["bandwidth"]
    products = sum(
        filters[str(a + b)] * case.channels**2 * case.D ** min(a, b) for a in case.orders for b in case.orders
    )
    mixing = 3 * 2 * case.pixels * products / limits["product"]
    return {"moving": moving, "mixing": mixing, "floor": max(moving, mixing)}


def floor_of(row: dict[str, Any], limits: dict[str, float]) -> dict[str, float] | None:
    """The floor of a row of results, if it is a convolution that was run."""
    filters = row["lanes"].get("ours", {}).get("filters")
    return None if filters is None else convolution_floor(Case.from_json(row["case"]), filters, limits)
