"""One case and one seed: data and trained networks, made when they are first needed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import PyTree

import ginjax
from ginjax.checkpoint import Conversion, convert_record
from ginjax.data import MemorySource
from ginjax.errors import GinjaxWarning
from ginjax.ml import calibrate
from ginjax.models import from_record, to_record
from transferbench._cells import Case
from transferbench._clock import after_compiling, timed
from transferbench._data import CaseData, Pairs
from transferbench._families import FAMILIES, Family
from transferbench._results import Seconds
from transferbench._rollouts import rollout_errors
from transferbench._settings import Settings
from transferbench._training import Fitted, Trainer, fit_steps, score

CALIBRATED_FROM = "isotropic"
"""The rule that calibrating starts from, whatever else is converted by."""


@dataclass(frozen=True)
class Options:
    """How our networks are converted, and what they and their rivals are trained on.

    **Arguments:**

    - `rule`: a name in `ginjax.transfer.RULES`.
    - `cover`: see `CaseData`.
    """

    rule: str = "compatibility"
    cover: bool = False


@dataclass
class Stage:
    """Everything of one case and one seed.

    **Arguments:**

    - `first_seed`: see `CaseData`.
    - `most`: trajectories that are trained on at most in the high dimension.
    - `tuned_on_planes`: our converted network after training on planes, kept once it is made.
    """

    case: Case
    settings: Settings
    options: Options
    first_seed: int
    most: int
    low_networks: dict[tuple[str, float], tuple[PyTree, float]] = field(default_factory=dict, repr=False)
    converted_networks: dict[str, tuple[PyTree, Seconds]] = field(default_factory=dict, repr=False)
    tuned_on_planes: Fitted | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.data = CaseData(self.case, self.settings, self.first_seed, self.most, self.options.cover)

    def untrained(self, family: str, D: int) -> PyTree:
        return FAMILIES[family].build(self.case, self.data.signature, D, self.first_seed)

    def low_network(self, family: str, rate: float) -> tuple[PyTree, float]:
        """A network trained in the low dimension, and the seconds of its steps."""
        own, settings, low = FAMILIES[family], self.settings, self.case.low
        if (own.low, rate) not in self.low_networks:
            pairs, batch = self._low_pairs(own)
            trainer = Trainer(pairs, pairs.X.get_L(), batch, settings.look, self.first_seed)
            steps = settings.low_steps[str(low)]
            fitted = fit_steps(self.untrained(family, low), trainer, steps, rate)
            self.low_networks[own.low, rate] = fitted.model, fitted.seconds
        return self.low_networks[own.low, rate]

    def _low_pairs(self, family: Family) -> tuple[Pairs, int]:
        """What it is trained on, and a batch of as many values whatever the length of the domain."""
        pairs, batch = self.data.low(family.small)[0], self.settings.low_batch[str(self.case.low)]
        whole = self.settings.low_sides[str(self.case.low)]
        return pairs, round(batch * (whole / pairs.X.get_spatial_dims()[0]) ** self.case.low)

    def low_score(self, family: str, rate: float) -> float:
        """The one-step error in the low dimension on fields of the validation fold."""
        held_out = self.data.low_validation(FAMILIES[family].small)
        model, _ = self.low_network(family, rate)
        return float(np.mean(rollout_errors(model, held_out.rollouts(0, 1))))

    def converted(self, family: str, rate: float) -> tuple[PyTree, Seconds]:
        """The network in the high dimension, and the seconds that all of it took."""
        if family not in self.converted_networks:
            own = FAMILIES[family]
            low, training = self.low_network(family, rate)
            model, conversion = after_compiling(
                lambda: own.convert(low, self.case, self.data.signature, self.options.rule)
            )
            before = Seconds(self.data.low(own.small)[1], training, conversion)
            self.converted_networks[family] = model, before
        return self.converted_networks[family]

    def look(self, model: PyTree) -> tuple[float, float]:
        """The errors on the validation fold after one step and after several."""
        return _look(model, self.data.validation)

    def look_at_planes(self, model: PyTree) -> tuple[float, float]:
        """The same on fields that vary in a plane only."""
        return _look(model, self.data.planes_validation)

    def score(self, model: PyTree) -> float:
        return score(self.look(model))

    def trainer(self, samples: int, noise: float = 0.0) -> Trainer:
        """For training in the high dimension, with noise on the inputs."""
        pairs, settings = self.data.pool, self.settings
        count = samples * pairs.frames
        return Trainer(pairs, count, settings.batch, settings.look, self.first_seed, noise)

    def trainer_on_planes(self) -> Trainer:
        """For training on fields that vary in a plane only."""
        pairs = self.data.planes[0]
        return Trainer(pairs, pairs.X.get_L(), self.settings.batch, self.settings.look, self.first_seed)

    def tuned(self, rate: float, samples: int) -> tuple[PyTree, int, float]:
        """Our converted network after `ginjax train --init` at its defaults, the steps, and pairs in each."""
        low, _ = self.low_network("ours", rate)
        record = to_record(low, contract=self.data.contract)
        conversion = convert_record(record, self.case.high, self.options.rule)
        source = MemorySource.of(self.data.samples(samples))
        start = ginjax.Model(from_record(conversion.after), conversion.after)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GinjaxWarning)
            # All trajectories are for training and its validation: other ones measure.
            model = start.tune(source, ginjax.TrainSettings(seed=self.first_seed), test=0.0, progress=False)
        done = model.history[-1]
        return model.network, int(done["steps_done"]), int(done["batch_size"])

    def calibrated(self, rate: float, samples: int) -> tuple[PyTree, float]:
        """Our network converted with what fits the samples best, and the seconds of finding it.

        **Arguments:**

        - `samples`: trajectories of the high dimension; 0 for the data of the low one.
        """
        low, _ = self.low_network("ours", rate)
        pairs, most = self.data.pool if samples else self.data.low(False)[0], self.settings.calibration_pairs
        count = samples * pairs.frames or pairs.X.get_L()
        chosen = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()
        X, Y = pairs.X.get_subset(chosen), pairs.Y.get_subset(chosen)
        record = to_record(low, contract=self.data.contract)

        def work() -> Conversion:
            return calibrate(record, self.case.high, X, Y, CALIBRATED_FROM, seed=self.first_seed)[0]

        conversion, seconds = timed(work)
        return from_record(conversion.after), seconds

    def pace(self, samples: int) -> float:
        """Seconds of a step in the high dimension."""
        trainer, model = self.trainer(samples), self.untrained("ours", self.case.high)
        fitted: Fitted = fit_steps(model, trainer, min(20, self.settings.look), 0.0)
        return fitted.seconds / fitted.steps


def _look(model: PyTree, rollouts: tuple[PyTree, PyTree]) -> tuple[float, float]:
    errors = rollout_errors(model, rollouts).mean(axis=1)
    return float(errors[0]), float(errors[-1])
