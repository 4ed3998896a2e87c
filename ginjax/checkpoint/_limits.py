"""Limits on the size of filters and kernels, checked before a file causes anything large to be built."""

import math
from collections.abc import Iterable, Sequence

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe, FilterKey, character_count

MAX_DIMENSION = 8
MAX_COMPONENTS = 1024
MAX_FILTER_ENTRIES = 2**20
MAX_BANK_ENTRIES = 2**25
"""Bounds on the dimension, on `D^k`, on `M^D D^k`, and on the last one times the number of filters in a bank.

A few bytes of header can request a bank of any size. With these bounds, reading a file takes about a second and a gigabyte
at most.
"""

MAX_WEIGHTS = 2**30
"""Bound on the number of weights of a plain model after a conversion."""


def check_bank_size(D: int, side: int, keys: Sequence[FilterKey], recipe: BankRecipe | None) -> None:
    """Refuse a bank that would take long or much memory to build, by counting alone.

    Filters that are stored as arrays and match no recipe are not built, so the size of the file bounds their number.

    **Raises:** `ArgumentError` with the requested size and the largest possible one.
    """
    total = 0
    for k, p in keys:
        if D**k > MAX_COMPONENTS or side**D * D**k > MAX_FILTER_ENTRIES:
            raise ArgumentError(
                "filter bank",
                got=f"dimension {D}, side {side}, order {k}",
                expected=f"at most {MAX_COMPONENTS} components and {MAX_FILTER_ENTRIES} entries a filter",
            )
        if recipe is not None:
            filters = character_count(D, side, k, p, group=recipe.group)
            if recipe.support == "orthoplex" and k <= 2 and p == 0:
                filters = min(filters, D * side + 1)  # one or two on each of D (side - 1) / 2 + 1 shells
            total += filters * side**D * D**k
    if total > MAX_BANK_ENTRIES:
        raise ArgumentError(
            "filter bank",
            got=f"{total} entries in dimension {D} with side {side}",
            expected=f"at most {MAX_BANK_ENTRIES}",
            hint='Use a smaller side or order, or `support="orthoplex"`.',
        )


def check_kernel_size(kernels: Iterable[tuple[int, ...]], added: int) -> None:
    """Refuse to inflate kernels of these shapes `(out, in, *(M,)*D)` by `added` axes if the result would not fit into memory.

    **Raises:** `ArgumentError` with the number of weights.
    """
    weights = sum(math.prod(shape) * shape[-1] ** added for shape in kernels)
    if weights > MAX_WEIGHTS:
        raise ArgumentError(
            "size of the model",
            got=f"{weights} weights",
            expected=f"at most {MAX_WEIGHTS}",
            hint="Kernels grow with every axis; choose a lower dimension.",
        )
