"""Dimension transfer of models in memory, through the same functions as files."""

from collections.abc import Mapping
from typing import Any

from ..checkpoint import weights_digest
from ..filters import FilterBank, banks_from_arrays
from ..geometric import MultiImage, Rescaling
from ..layers import as_bank
from ..transfer import Certificate, bank_chain, convert_weights, make_rule
from ._build import outline
from ._module import AnyDimensionalModel, require_equivariant
from ._named_arrays import layer_table, model_banks, named_arrays, with_arrays
from ._rules import rule_name


def convert_certified(
    model: AnyDimensionalModel,
    banks: Mapping[str, MultiImage | FilterBank],
    rescale: Rescaling | str,
    flex: float | None = None,
) -> tuple[AnyDimensionalModel, Certificate]:
    """The model in another dimension, and the algebraic certificate of the conversion.

    **Arguments:**

    - `banks`: filters in the new dimension by role, `"conv"` and where needed `"upsample"`.
    - `rescale`: the rule, by enum member or command-line name.
    - `flex`: for `compat-flex`.
    """
    require_equivariant(model.spec)
    new_banks = {role: as_bank(filters) for role, filters in banks.items()}
    new = outline(model.spec, new_banks["conv"].D, new_banks)
    return transfer_certified(model, new, rescale, flex)


def to_dimension(
    model: AnyDimensionalModel, D: int, rescale: Rescaling | str, flex: float | None = None
) -> tuple[AnyDimensionalModel, Certificate]:
    """As `convert_certified`, with the filters of the model's own recipes in dimension `D`.

    **Raises:** `ArgumentError` if the model's filters match no recipe.
    """
    banks = {role: bank.in_dimension(D) for role, bank in model_banks(model).items()}
    return convert_certified(model, banks, rescale, flex)


def transfer_certified(
    model: AnyDimensionalModel,
    new_model: AnyDimensionalModel,
    rescale: Rescaling | str,
    flex: float | None = None,
) -> tuple[AnyDimensionalModel, Certificate]:
    """As `transfer_weights`, with the algebraic certificate."""
    require_equivariant(model.spec)
    old_banks, new_banks = model_banks(model), model_banks(new_model)
    chains = {}
    for role, bank in old_banks.items():
        old, new = common_banks(bank, new_banks[role])
        chains[role] = bank_chain(old, new.D, new)
    arrays, certificate = convert_weights(
        named_arrays(model),
        layer_table(model),
        chains,
        make_rule(rule_name(rescale), flex),
        weights_digest,
    )
    return with_arrays(new_model, arrays), certificate


def common_banks(old: MultiImage | FilterBank, new: MultiImage | FilterBank) -> tuple[FilterBank, FilterBank]:
    """Two banks under one recipe wherever one fits both: in low dimensions several recipes coincide."""
    old, new = as_bank(old), as_bank(new)
    if old.recipe == new.recipe:
        return old, new
    a, b = banks_from_arrays([(bank.D, _arrays(bank)) for bank in (old, new)])
    return a, b


def _arrays(bank: FilterBank) -> Mapping[tuple[int, int], Any]:
    return {key: block.filters for key, block in bank.blocks.items()}
