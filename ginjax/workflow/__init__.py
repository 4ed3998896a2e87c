"""What `import ginjax` offers: train a model on data, convert it to a higher dimension and evaluate it, in a few calls."""

from ginjax.workflow._data import Data as Data
from ginjax.workflow._evaluation import MODEL as MODEL
from ginjax.workflow._evaluation import Evaluation as Evaluation
from ginjax.workflow._evaluation import evaluation_files as evaluation_files
from ginjax.workflow._interrupted import TrainingInterrupted as TrainingInterrupted
from ginjax.workflow._model import Model as Model
from ginjax.workflow._seeds import SeedStudy as SeedStudy
from ginjax.workflow._seeds import train_seeds as train_seeds
from ginjax.workflow._train import load as load
from ginjax.workflow._train import train as train
from ginjax.workflow._training import Training as Training
