"""Rollouts of a trained network, and their errors step by step."""

from ginjax.ml.forecast._evaluation import NO_CHANGE as NO_CHANGE
from ginjax.ml.forecast._evaluation import PERSISTENCE as PERSISTENCE
from ginjax.ml.forecast._evaluation import most_past as most_past
from ginjax.ml.forecast._evaluation import study_rollouts as study_rollouts
from ginjax.ml.forecast._forecaster import Fields as Fields
from ginjax.ml.forecast._forecaster import Forecaster as Forecaster
from ginjax.ml.forecast._known_contract import known_contract as known_contract
from ginjax.ml.forecast._predicted_source import predicted as predicted
from ginjax.ml.forecast._rollout_study import RolloutStudy as RolloutStudy
from ginjax.ml.forecast._rollout_study import Spectra as Spectra
from ginjax.ml.forecast._rollout_study import SpectraByTrajectory as SpectraByTrajectory
from ginjax.ml.forecast._shortest_waves import ShortestWaves as ShortestWaves
from ginjax.ml.forecast._shortest_waves import constant_states as constant_states
from ginjax.ml.forecast._shortest_waves import growth_of_shortest as growth_of_shortest
from ginjax.ml.forecast._shortest_waves import short_waves as short_waves
from ginjax.ml.forecast._shortest_waves import shortest_waves as shortest_waves
