"""Dimension transfer of models in memory, by the same functions as for files."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

import equinox as eqx
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..filters import FilterBank, banks_from_arrays
from ..geometric import MultiImage, Rescaling
from ..layers import as_bank
from ..transfer import Certificate, bank_chain, convert_weights, make_rule
from ._named_arrays import layer_table, model_banks, named_arrays, with_arrays
from ._spec import ModelSpec, require_equivariant


class Convertible(Protocol):
    """The interface that the conversion needs of a model; every `AnyDimensionalModel` has it."""

    @property
    def spec(self) -> ModelSpec:
        """The specification that the model was built from."""
        ...

    @property
    def D(self) -> int:
        """The dimension."""
        ...

    @classmethod
    def from_spec(
        cls, spec: ModelSpec, D: int, banks: Mapping[str, FilterBank], key: PRNGKeyArray | None = None
    ) -> "Convertible":
        """Build a model of this specification in dimension `D`."""
        ...


_Model = TypeVar("_Model", bound=Convertible)


def rule_name(rescale: Rescaling | str) -> str:
    """Return the command-line name of a rule, given as an enum member or as that name."""
    return str(rescale.value) if isinstance(rescale, Rescaling) else str(rescale)


def convert_certified(
    model: _Model,
    banks: Mapping[str, MultiImage | FilterBank],
    rescale: Rescaling | str,
    flex: float | None = None,
) -> tuple[_Model, Certificate]:
    """Convert a model to another dimension, and return it with the algebraic certificate of the conversion.

    **Arguments:**

    - `model`: the model; it must be equivariant.
    - `banks`: filters in the new dimension by role: `"conv"`, and `"upsample"` and `"product"` if the model has them.
    - `rescale`: the rule, as an enum member or by its command-line name.
    - `flex`: the parameter of the rule `compat-flex`.
    """
    require_equivariant(model.spec)
    new_banks = {role: as_bank(filters) for role, filters in banks.items()}
    D = new_banks["conv"].D
    new = eqx.filter_eval_shape(type(model).from_spec, model.spec.in_dimension(model.D, D), D, new_banks)
    return transfer_certified(model, new, rescale, flex)


def to_dimension(
    model: _Model, D: int, rescale: Rescaling | str, flex: float | None = None
) -> tuple[_Model, Certificate]:
    """Convert a model as `convert_certified` does, with filters of the model's own recipes in dimension `D`.

    **Raises:** `ArgumentError` if the model's filters match no recipe.
    """
    banks = {role: bank.in_dimension(D) for role, bank in model_banks(model).items()}
    return convert_certified(model, banks, rescale, flex)


def transfer_certified(
    model: _Model,
    new_model: _Model,
    rescale: Rescaling | str,
    flex: float | None = None,
) -> tuple[_Model, Certificate]:
    """Return `new_model` with the weights of `model`, transferred by a rule, and the algebraic certificate."""
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
    )
    return with_arrays(new_model, arrays), certificate


def common_banks(old: MultiImage | FilterBank, new: MultiImage | FilterBank) -> tuple[FilterBank, FilterBank]:
    """Return two banks with one recipe if one fits both; in low dimensions several recipes give the same filters."""
    old, new = as_bank(old), as_bank(new)
    if old.recipe == new.recipe:
        return old, new
    a, b = banks_from_arrays([(bank.D, _arrays(bank)) for bank in (old, new)])
    return a, b


def _arrays(bank: FilterBank) -> Mapping[tuple[int, int], Float[np.ndarray, "_filters *_filter_field"]]:
    return {key: block.filters for key, block in bank.blocks.items()}
