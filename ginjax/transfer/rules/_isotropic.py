"""`isotropic`: the exact solution of condition (C) that treats all directions alike, as far as the old filter determines how."""

import functools
from dataclasses import dataclass

import numpy as np

from ginjax.transfer._cube import cube_matrix, obstacle
from ginjax.transfer._product_form import product_form
from ginjax.transfer._system import FilterPair, solutions

from ._compatibility import transfer_matrix
from ._named_rule import NamedRule


@dataclass(frozen=True)
class Isotropic:
    """Solves (C) exactly; where (C) leaves freedom, filters respond as equally as possible to waves of every direction.

    Filters from scalars to scalars are carried in product form, `F'(k) = G(c_1 c_2 ... c_D)` with `c_i = cos(k_i/2)`. From 1D,
    all of them have this form, and their responses stay within the range of the old filter. The remaining parts, and filters of
    vectors and tensors, come as close as their bank allows to the old filter turned into every direction (the cube rule). They
    are pulled towards its responses and may leave their range. If neither applies, the spin solution is used, as in the rule
    `compatibility`.
    """

    name = "isotropic"
    promises_compatibility = True

    def __call__(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray:
        return weights @ isotropic_matrix(pair).T

    def remark(self, pair: FilterPair) -> str:
        """A remark if (C) leaves a choice and the spin solution makes it."""
        if not solutions(pair).null.shape[1] or not (why := obstacle(pair)):
            return ""
        if product_form(pair) is None:
            return f"'isotropic' is 'compatibility' here: {why}"
        return "" if pair.D_old == 1 else f"'isotropic' is 'compatibility' outside of the product form: {why}"


ISOTROPIC = NamedRule(
    Isotropic(),
    "reproduces the network exactly too, and makes filters answer waves of every direction alike as far as they can: "
    "scalars from 1D within the range of the old filters, other paths are only pulled that way",
)


@functools.lru_cache(maxsize=1024)
def isotropic_matrix(pair: FilterPair) -> np.ndarray:
    """The matrix `T` `(n_new, n_old)` of `a' = T a`, float64."""
    form = product_form(pair)
    if form is None:
        return _without_form(pair)
    carried, part = form
    # From 1D every filter has product form, and nothing is left for another rule.
    return carried if pair.D_old == 1 else carried + _without_form(pair) @ (np.eye(len(part)) - part)


def _without_form(pair: FilterPair) -> np.ndarray:
    spin = transfer_matrix(pair)
    return cube_matrix(pair, spin) if solutions(pair).null.shape[1] and not obstacle(pair) else spin
