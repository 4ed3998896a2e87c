"""The equations that can be requested by name: one line each, and those that a user adds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ginjax._registry import Registry, named
from ginjax.data.equations._acoustics import ACOUSTICS
from ginjax.data.equations._allen_cahn import ALLEN_CAHN
from ginjax.data.equations._burgers import BURGERS
from ginjax.data.equations._diffusion import DIFFUSION
from ginjax.data.equations._fisher_kpp import FISHER_KPP
from ginjax.data.equations._gray_scott import GRAY_SCOTT
from ginjax.data.equations._isothermal import ISOTHERMAL
from ginjax.data.equations._kuramoto_sivashinsky import KURAMOTO_SIVASHINSKY
from ginjax.data.equations._navier_stokes import FORCED_NAVIER_STOKES, NAVIER_STOKES
from ginjax.data.equations._pde import PDE
from ginjax.data.equations._swift_hohenberg import SWIFT_HOHENBERG
from ginjax.data.equations._wave import WAVE

OWN: tuple[PDE, ...] = (
    DIFFUSION,
    FISHER_KPP,
    ALLEN_CAHN,
    BURGERS,
    GRAY_SCOTT,
    KURAMOTO_SIVASHINSKY,
    SWIFT_HOHENBERG,
    WAVE,
    ACOUSTICS,
    ISOTHERMAL,
    NAVIER_STOKES,
    FORCED_NAVIER_STOKES,
)
"""The equations that come with the library, in the order of the list."""

DEFAULT_SIDES: Mapping[int, int] = MappingProxyType({1: 64, 2: 32, 3: 16})
"""Default number of grid points along each axis, by dimension."""


PDES = Registry(
    "equation",
    {pde.name: pde for pde in OWN},
    home="ginjax.data.equations._registry:PDES",
    group="ginjax.equations",
    check=named("equation", PDE, "ginjax.data.PDE"),
)
"""Every equation by name: the library's own, then those of `register_pde` and of installed packages."""


def find_pde(name: str) -> PDE:
    """Look an equation up by name.

    **Arguments:**

    - `name`: one of the names in `PDES`.

    **Returns:** its description.

    **Raises:** `ArgumentError` for an unknown name.
    """
    return PDES.find(name)


def register_pde(pde: PDE) -> PDE:
    """Register an equation under its name, until the program ends.

    **Arguments:**

    - `pde`: its description; see any file of this folder for an example.

    **Returns:** `pde`.

    **Raises:** `ArgumentError` for a name that is taken. To simulate an equation it need not be registered: pass the `PDE`
    itself.
    """
    return PDES.add(pde.name, pde)
