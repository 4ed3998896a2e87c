"""Equations that data can be simulated for, and their random initial fields."""

from ginjax.data.equations._initial import Draw as Draw
from ginjax.data.equations._initial import scalar_noise as scalar_noise
from ginjax.data.equations._initial import solenoidal_noise as solenoidal_noise
from ginjax.data.equations._initial import vector_noise as vector_noise
from ginjax.data.equations._pde import PDE as PDE
from ginjax.data.equations._random_fields import gaussian_field as gaussian_field
from ginjax.data.equations._registry import DEFAULT_SIDES as DEFAULT_SIDES
from ginjax.data.equations._registry import PDES as PDES
from ginjax.data.equations._registry import find_pde as find_pde
from ginjax.data.equations._registry import register_pde as register_pde
from ginjax.data.equations._solver import Solver as Solver
