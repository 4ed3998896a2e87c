"""The filters of the convolutions from the 2-tensors of products to scalars and vectors."""

from typing import Literal, get_args

from ..._unknown_name import unknown_name
from ...errors import ArgumentError
from ...filters import BankRecipe, FilterBank, make_bank
from ...geometric import Key
from ...transfer import FieldKey

Nonlinearity = Literal["vector-neuron", "product"]
"""The nonlinearity of fields other than even scalars: along a learned direction, or by products."""

REACHED: tuple[Key, ...] = (((), 0), ((False,), 0))
"""The fields to which 2-tensors are convolved; from 2-tensors to these fields every conversion is exact."""

PRODUCT_KEYS: tuple[FieldKey, ...] = ((2, 0), (3, 0))
"""The orders and parities of the filters from 2-tensors to scalars and to vectors."""


def product_recipe(recipe: BankRecipe) -> BankRecipe:
    """Return the recipe of the filters for products, given that of the ordinary filters.

    Filters of an odd side are limited to the neighbourhood in which derivatives are formed. In 3D they are a quarter as many
    as all filters of that side. The accuracy was nearly the same in a prototype on the Burgers equation in 2D, with one seed:
    the one-step error was 0.0116 with them, 0.0107 with all filters, and 0.061 without 2-tensors.
    """
    return BankRecipe(recipe.side, support="cut" if recipe.side % 2 else "full")


def product_bank(bank: FilterBank) -> FilterBank:
    """Make the filters for products, given the bank of the ordinary filters."""
    return make_bank(bank.D, product_recipe(BankRecipe(bank.side)), PRODUCT_KEYS)


def check_nonlinearity(name: str, equivariant: bool, has_activation: bool = True) -> None:
    """Refuse an unknown name, and products in a plain network or without an activation.

    **Raises:** `ArgumentError`.
    """
    if name == "product" and not (equivariant and has_activation):
        raise ArgumentError(
            "nonlinearity",
            got="'product' " + ("without an activation" if equivariant else "in a plain network"),
            expected="an equivariant network with an activation of its scalars",
        )
    if name not in get_args(Nonlinearity):
        raise unknown_name("nonlinearity", name, get_args(Nonlinearity))
