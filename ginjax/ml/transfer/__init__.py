"""Measure and improve conversions: calibration, zero-shot errors, transfer curves."""

from ginjax.ml.transfer._calibrate import EVALUATIONS as EVALUATIONS
from ginjax.ml.transfer._calibrate import Calibration as Calibration
from ginjax.ml.transfer._calibrate import calibrate as calibrate
from ginjax.ml.transfer._curve_cells import FAR_RATES as FAR_RATES
from ginjax.ml.transfer._curve_cells import FOLDS as FOLDS
from ginjax.ml.transfer._curve_cells import METHODS as METHODS
from ginjax.ml.transfer._curve_cells import QUICK as QUICK
from ginjax.ml.transfer._curve_cells import RATES as RATES
from ginjax.ml.transfer._curve_cells import Cell as Cell
from ginjax.ml.transfer._curve_cells import CurveSettings as CurveSettings
from ginjax.ml.transfer._curve_cells import Method as Method
from ginjax.ml.transfer._curve_cells import Point as Point
from ginjax.ml.transfer._curve_cells import read_cells as read_cells
from ginjax.ml.transfer._curve_cells import summarise as summarise
from ginjax.ml.transfer._curve_cells import write_cells as write_cells
from ginjax.ml.transfer._curve_measurement import CurveRequest as CurveRequest
from ginjax.ml.transfer._curve_measurement import equal_steps as equal_steps
from ginjax.ml.transfer._curve_measurement import measure_curve as measure_curve
from ginjax.ml.transfer._rule_comparison import RuleComparison as RuleComparison
from ginjax.ml.transfer._rule_comparison import RuleRow as RuleRow
from ginjax.ml.transfer._rule_comparison import compare_rules as compare_rules
from ginjax.ml.transfer._zero_shot import Study as Study
from ginjax.ml.transfer._zero_shot import ZeroShot as ZeroShot
from ginjax.ml.transfer._zero_shot import zero_shot_prediction as zero_shot_prediction
from ginjax.ml.transfer._zero_shot import zero_shot_study as zero_shot_study
