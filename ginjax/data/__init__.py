"""Data as fields: simulation of equations, training pairs, normalisation."""

from ginjax.data._fields import Field as Field
from ginjax.data._fields import fields_by_key as fields_by_key
from ginjax.data._generate import generate as generate
from ginjax.data._normalise import FieldScale as FieldScale
from ginjax.data._normalise import Normalisation as Normalisation
from ginjax.data._normalise import measure_normalisation as measure_normalisation
from ginjax.data._pairs import read_pairs as read_pairs
from ginjax.data._pairs import write_pairs as write_pairs
from ginjax.data._pde import DEFAULT_SIDES as DEFAULT_SIDES
from ginjax.data._pde import PDE as PDE
from ginjax.data._pde import PDES as PDES
from ginjax.data._pde import find_pde as find_pde
from ginjax.data._random_fields import gaussian_field as gaussian_field
from ginjax.data._samples import frame_image as frame_image
from ginjax.data._samples import one_step_pairs as one_step_pairs
from ginjax.data._samples import persistence as persistence
from ginjax.data._trajectories import Trajectories as Trajectories
