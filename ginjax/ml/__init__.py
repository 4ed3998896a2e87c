"""Training: losses, roll-outs, stop conditions, loops, saved weights."""

from ginjax.ml._autoregressive import autoregressive_map as autoregressive_map
from ginjax.ml._autoregressive import autoregressive_step as autoregressive_step
from ginjax.ml._evaluate import evaluate as evaluate
from ginjax.ml._fit import History as History
from ginjax.ml._fit import batched as batched
from ginjax.ml._fit import fit as fit
from ginjax.ml._io import load as load
from ginjax.ml._io import save as save
from ginjax.ml._losses import l2_per_pixel_rel_error as l2_per_pixel_rel_error
from ginjax.ml._losses import l2_rel_error as l2_rel_error
from ginjax.ml._losses import normalized_smse_loss as normalized_smse_loss
from ginjax.ml._losses import nrmse_loss as nrmse_loss
from ginjax.ml._losses import nrmse_per_pixel_loss as nrmse_per_pixel_loss
from ginjax.ml._losses import smse_loss as smse_loss
from ginjax.ml._optimiser import adamw_cosine as adamw_cosine
from ginjax.ml._step import make_eval_step as make_eval_step
from ginjax.ml._step import make_step as make_step
from ginjax.ml._step import owned_copy as owned_copy
from ginjax.ml._step import trainable as trainable
from ginjax.ml._stopping import AnyStop as AnyStop
from ginjax.ml._stopping import EpochStop as EpochStop
from ginjax.ml._stopping import StopCondition as StopCondition
from ginjax.ml._stopping import TrainLoss as TrainLoss
from ginjax.ml._stopping import ValLoss as ValLoss
from ginjax.ml._train import train as train
