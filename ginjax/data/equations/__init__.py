"""Equations that data can be simulated for, and their random initial fields."""

from ginjax.data.equations._cover import Coverage as Coverage
from ginjax.data.equations._cover import covering_factors as covering_factors
from ginjax.data.equations._cover import measure_coverage as measure_coverage
from ginjax.data.equations._cover import with_length as with_length
from ginjax.data.equations._initial import Draw as Draw
from ginjax.data.equations._initial import scalar_noise as scalar_noise
from ginjax.data.equations._initial import solenoidal_noise as solenoidal_noise
from ginjax.data.equations._initial import vector_noise as vector_noise
from ginjax.data.equations._pde import PDE as PDE
from ginjax.data.equations._planes import PLANES as PLANES
from ginjax.data.equations._planes import PLANES_NAMES as PLANES_NAMES
from ginjax.data.equations._planes import Planes as Planes
from ginjax.data.equations._planes import grid_of as grid_of
from ginjax.data.equations._planes import planes_named as planes_named
from ginjax.data.equations._random_fields import gaussian_field as gaussian_field
from ginjax.data.equations._registry import DEFAULT_SIDES as DEFAULT_SIDES
from ginjax.data.equations._registry import PDES as PDES
from ginjax.data.equations._registry import find_pde as find_pde
from ginjax.data.equations._registry import register_pde as register_pde
from ginjax.data.equations._solver import Solver as Solver
