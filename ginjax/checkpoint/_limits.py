"""How large a filter bank a file may ask to be built."""

from collections.abc import Sequence

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe, FilterKey, character_count

MAX_DIMENSION = 8
MAX_COMPONENTS = 1024
MAX_FILTER_ENTRIES = 2**20
MAX_BANK_ENTRIES = 2**25
"""Bounds on the dimension, on `D^k`, on `M^D D^k`, and on the last times all filters of a bank.

A few bytes of header can name a bank of any size; these keep reading a file to about a second and a gigabyte.
"""


def check_bank_size(D: int, side: int, keys: Sequence[FilterKey], recipe: BankRecipe | None) -> None:
    """Refuse, by counting alone, a bank that would take long or much memory to build.

    Filters that came as arrays and match no recipe are not built, so the size of the file bounds their number.

    **Raises:** `ArgumentError` with what is asked for and what is possible.
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
            hint="Use a smaller side or order, or --support orthoplex.",
        )
