"""Arrays that are made on demand, so that a converted network is never in memory as a whole."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ginjax.checkpoint import ArraySpec


class MadeArrays(Mapping[str, np.ndarray]):
    """Arrays by name, each made anew on every access.

    **Arguments:**

    - `specs`: dtype and shape of each array.
    - `make`: function that makes the array of a name.
    """

    def __init__(self, specs: Mapping[str, ArraySpec], make: Callable[[str], np.ndarray]):
        self.specs = dict(specs)
        self._make = make

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.specs:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.specs)

    def __len__(self) -> int:
        return len(self.specs)


def specs_of(arrays: Mapping[str, np.ndarray]) -> Mapping[str, ArraySpec]:
    """Dtype and shape of each array, without making any."""
    if isinstance(arrays, MadeArrays):
        return arrays.specs
    return {name: ArraySpec(array.dtype.name, array.shape) for name, array in arrays.items()}
