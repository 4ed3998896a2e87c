"""Losses, metrics, physical quantities and spectra: how far a prediction is from the truth."""

from ginjax.ml.score._loss_registry import DEFAULT_LOSS as DEFAULT_LOSS
from ginjax.ml.score._loss_registry import LOSSES as LOSSES
from ginjax.ml.score._loss_registry import Loss as Loss
from ginjax.ml.score._loss_registry import register_loss as register_loss
from ginjax.ml.score._losses import Reduce as Reduce
from ginjax.ml.score._losses import l2_per_pixel_rel_error as l2_per_pixel_rel_error
from ginjax.ml.score._losses import l2_rel_error as l2_rel_error
from ginjax.ml.score._losses import normalized_smse_loss as normalized_smse_loss
from ginjax.ml.score._losses import nrmse_loss as nrmse_loss
from ginjax.ml.score._losses import nrmse_per_pixel_loss as nrmse_per_pixel_loss
from ginjax.ml.score._losses import smse_loss as smse_loss
from ginjax.ml.score._losses import timestep_smse_loss as timestep_smse_loss
from ginjax.ml.score._metrics import METRICS as METRICS
from ginjax.ml.score._metrics import Deviations as Deviations
from ginjax.ml.score._metrics import Metric as Metric
from ginjax.ml.score._metrics import deviations as deviations
from ginjax.ml.score._metrics import metric_label as metric_label
from ginjax.ml.score._metrics import register_metric as register_metric
from ginjax.ml.score._nrmse_sums import NrmseSums as NrmseSums
from ginjax.ml.score._quantities import QUANTITY_LABELS as QUANTITY_LABELS
from ginjax.ml.score._quantities import quantities as quantities
from ginjax.ml.score._spectrum import energy_spectrum as energy_spectrum
