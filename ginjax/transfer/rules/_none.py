"""`none`: old weights stay with their filters, new filters start from a mean."""

from dataclasses import dataclass

import numpy as np

from ginjax.filters import FilterIdentity
from ginjax.transfer._system import FilterPair

from ._named_rule import NamedRule
from ._rule import by_name


@dataclass(frozen=True)
class Extend:
    """Each weight goes to the filter with the same identity; a weight without a counterpart is dropped.

    A filter that exists only in the higher dimension starts with a mean of old weights. For order 0 and for the trace part of
    order 2, it is the mean of the off-centre weights; otherwise it is the mean of all weights outside the trace part. An empty
    mean is 0.
    """

    name = "none"
    promises_compatibility = False

    def __call__(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray:
        return by_name(weights, pair, lambda a, unflipped: a @ extension_matrix(unflipped).T)


NONE = NamedRule(Extend(), "only extends")


def extension_matrix(pair: FilterPair) -> np.ndarray:
    """The extension as a matrix `(n_new, n_old)`."""
    k = pair.k_in + pair.k_out
    position = {identity: i for i, identity in enumerate(pair.old.identities)}

    def belongs(new: FilterIdentity, old: FilterIdentity) -> bool:
        if k == 0 or new.part == "trace":
            return new.part == old.part and not (old.is_centre and pair.side % 2)
        return old.part != "trace"

    matrix = np.zeros((len(pair.new), len(pair.old)))
    for row, identity in enumerate(pair.new.identities):
        if identity in position:
            matrix[row, position[identity]] = 1.0
            continue
        sources = [i for i, old in enumerate(pair.old.identities) if belongs(identity, old)]
        if sources:
            matrix[row, sources] = 1.0 / len(sources)
    return matrix


def dropped_filters(pair: FilterPair) -> list[str]:
    """Names of the old filters that have no counterpart in the new dimension."""
    kept = set(pair.new.identities)
    return [identity.name for identity in pair.old.identities if identity not in kept]
