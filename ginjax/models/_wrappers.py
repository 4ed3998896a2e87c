"""Models made of other models."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from ..errors import ArgumentError
from ..geometric import GroupElement, MultiImage, Signature, SignatureLike
from ._module import MultiImageModule


class ModelWrapper(MultiImageModule):
    """A wrapper that applies a plain network on arrays `(channels, *spatial)` to a `MultiImage`.

    The components of the input become channels (`MultiImage.to_scalar_multi_image`). The output channels of the network
    become the components of `output_keys`.
    """

    model: Any
    output_keys: Signature = eqx.field(static=True)
    output_is_torus: bool | tuple[bool, ...] = eqx.field(static=True)
    D: int = eqx.field(static=True)
    pass_aux_data: bool = eqx.field(static=True)

    def __init__(
        self,
        D: int,
        model: Any,
        output_keys: SignatureLike,
        output_is_torus: bool | Sequence[bool],
        pass_aux_data: bool = False,
    ):
        """**Arguments:**

        - `D`: the dimension of the output.
        - `model`: a function of one array. With `pass_aux_data` it takes `(array, aux_data)` and returns both.
        - `output_keys`, `output_is_torus`: signature and periodicity of the output.
        - `pass_aux_data`: whether the model takes and returns auxiliary data.
        """
        self.D, self.model, self.output_keys = D, model, Signature(output_keys)
        self.output_is_torus = (
            output_is_torus if isinstance(output_is_torus, bool) else tuple(output_is_torus)
        )
        self.pass_aux_data = pass_aux_data

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        channels = x.to_scalar_multi_image()[((), 0)]
        if self.pass_aux_data:
            y, aux_data = self.model(channels, aux_data)
        else:
            y = self.model(channels)
        scalars = MultiImage({((), 0): y}, self.D, self.output_is_torus)
        return scalars.from_scalar_multi_image(self.output_keys), aux_data


class GroupAverage(MultiImageModule):
    r"""Make a model equivariant by averaging: `mean_g g^{-1} f(g x)`.

    The average is taken if `always_average` or `inference` is True; `eqx.nn.inference_mode` sets the latter. Otherwise the
    model is called as it is.
    """

    model: MultiImageModule
    operators: tuple[tuple[tuple[int, ...], ...], ...] = eqx.field(static=True)
    always_average: bool = eqx.field(static=True)
    inference: bool

    def __init__(
        self,
        model: MultiImageModule,
        operators: Iterable[GroupElement],
        always_average: bool = False,
        inference: bool = False,
    ):
        """**Arguments:**

        - `model`: the model, `x, aux_data -> y, aux_data`.
        - `operators`: the matrices of the group, such as `make_all_operators(D)`.
        - `always_average`: whether to average in training too.
        - `inference`: whether to average now.
        """
        matrices = [np.asarray(g) for g in operators]
        if not matrices:
            raise ArgumentError("operators", got="none", expected="at least the identity")
        self.operators = tuple(tuple(tuple(int(v) for v in row) for row in g) for g in matrices)
        self.model, self.always_average, self.inference = model, always_average, inference

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        if not (self.always_average or self.inference):
            return self.model(x, aux_data)
        total = None
        for rows in self.operators:
            g = np.array(rows)
            y, aux_data = self.model(x.times_group_element(g), aux_data)
            y = y.times_group_element(g.T)
            total = y if total is None else total + y
        if total is None:
            raise ArgumentError("operators", got="none", expected="at least the identity")
        return total / len(self.operators), aux_data


class LastStepIdentity(MultiImageModule):
    """The persistence baseline: it predicts the last channel of each block or, with `residual`, zero change."""

    residual: bool = eqx.field(static=True, default=False)

    def convertD(self, conv_filters: Any = None, rescale: Any = None, key: Any = None, **others: Any) -> Self:
        """Return the model itself, which has no weights and works in every dimension; the arguments are ignored."""
        return self

    def __call__(self, x: MultiImage, batch_stats: Any = None) -> tuple[MultiImage, Any]:
        blocks = {
            key: jnp.zeros_like(block[-1:]) if self.residual else block[-1:] for key, block in x.items()
        }
        return MultiImage(blocks, x.D, x.is_torus), batch_stats
