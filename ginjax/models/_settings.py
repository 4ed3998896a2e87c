"""The settings of a network, from which an architecture makes its options."""

from dataclasses import dataclass

from ..filters import BankRecipe
from ..geometric import Signature, signature_union

FULL_SIDE_3 = BankRecipe(3)
"""Every invariant filter of side 3."""


@dataclass(frozen=True)
class NetworkSettings:
    """The settings of a network, from which an architecture makes its options; `ModelDesign` explains each of them."""

    architecture: str
    inputs: Signature
    outputs: Signature
    channels: int = 16
    blocks: int = 2
    levels: int = 2
    recipe: BankRecipe = FULL_SIDE_3
    activation: str | None = "tanh"
    norm: bool = False
    bias: str | bool = "auto"
    upsample: str = "repeat"
    plain: bool = False
    nonlinearity: str = "vector-neuron"
    padding: str | tuple[str, ...] = "ZEROS"

    @property
    def middle(self) -> Signature:
        """Every key of input and output, and even scalars, each with `channels` channels."""
        return signature_union(signature_union(self.inputs, self.outputs, 1), [((0, 0), 1)], self.channels)
