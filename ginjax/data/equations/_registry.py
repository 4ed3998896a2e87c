"""The equations that can be asked for by name: one line each, and what a user adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ginjax.data.equations._allen_cahn import ALLEN_CAHN
from ginjax.data.equations._burgers import BURGERS
from ginjax.data.equations._diffusion import DIFFUSION
from ginjax.data.equations._fisher_kpp import FISHER_KPP
from ginjax.data.equations._gray_scott import GRAY_SCOTT
from ginjax.data.equations._kuramoto_sivashinsky import KURAMOTO_SIVASHINSKY
from ginjax.data.equations._pde import PDE
from ginjax.data.equations._swift_hohenberg import SWIFT_HOHENBERG
from ginjax.data.equations._wave import WAVE
from ginjax.errors import ArgumentError

OWN: tuple[PDE, ...] = (
    DIFFUSION,
    FISHER_KPP,
    ALLEN_CAHN,
    BURGERS,
    GRAY_SCOTT,
    KURAMOTO_SIVASHINSKY,
    SWIFT_HOHENBERG,
    WAVE,
)
"""The equations that come with the library, in the order in which they are listed."""

DEFAULT_SIDES: Mapping[int, int] = MappingProxyType({1: 64, 2: 32, 3: 16})
"""Grid points along each axis by dimension, unless told otherwise."""

_by_name = {pde.name: pde for pde in OWN}


class _Registered(Mapping[str, PDE]):
    """A view of every equation by name. Its copies and pickles are the view itself."""

    def __getitem__(self, name: str) -> PDE:
        return _by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_by_name)

    def __len__(self) -> int:
        return len(_by_name)

    def __repr__(self) -> str:
        return f"PDES({', '.join(self)})"

    def __reduce__(self) -> str:
        return "PDES"


PDES: Mapping[str, PDE] = _Registered()
"""Every equation by name, those of `register_pde` behind the library's own."""


def find_pde(name: str) -> PDE:
    """Look an equation up by name.

    **Arguments:**

    - `name`: one of the names in `PDES`.

    **Returns:** its description.

    **Raises:** `ArgumentError` for an unknown name.
    """
    try:
        return PDES[name]
    except KeyError:
        raise ArgumentError("equation", got=repr(name), expected="one of " + ", ".join(PDES)) from None


def register_pde(pde: PDE) -> PDE:
    """Let an equation be asked for by name, until the program ends.

    **Arguments:**

    - `pde`: its description; see any file of this folder for an example.

    **Returns:** `pde`.

    **Raises:** `ArgumentError` for a name that is taken.
    """
    if pde.name in _by_name:
        raise ArgumentError(
            "name of the equation",
            got=f"{pde.name!r}, which is taken",
            expected="a name of its own",
            hint="An equation need not be registered to be simulated: hand the PDE itself over.",
        )
    _by_name[pde.name] = pde
    return pde
