"""Estimate what a training will take: memory, seconds per step, time to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ginjax._text import in_bytes, in_time
from ginjax.ml.training._devices import Placement
from ginjax.ml.training._progress import Progress, Report
from ginjax.ml.training._settings import TrainSettings
from ginjax.ml.training._step_memory import StepMemory
from ginjax.ml.training._step_rate import StepRate

LEAST_REPORTS, LEAST_SECONDS = 2, 1.0
"""The least dispatches and seconds over which the time of a step is measured; the first dispatch is a single step."""

LONG_SECONDS = 10.0
"""A first dispatch that takes so many seconds is enough by itself."""


@dataclass(frozen=True)
class TrainingEstimate:
    """The resources that a training takes, measured at its beginning.

    **Arguments:**

    - `parameters`: number of parameters of the network.
    - `samples`: number of samples to train on.
    - `settings`: resolved settings of the training.
    - `memory`: memory of a step on each device.
    - `placement`: the devices.
    - `compile_seconds`: seconds of the compilation.
    - `step_seconds`: seconds per step; None if no step was measured.
    - `measured`: number of steps over which this was measured.
    - `done`, `spent`: for a resumed training, steps done before and seconds spent on them.
    """

    parameters: int
    samples: int
    settings: TrainSettings
    memory: StepMemory
    placement: Placement
    compile_seconds: float
    step_seconds: float | None
    measured: int
    done: int = 0
    spent: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds for the remaining steps, without validation; None if not known."""
        steps = self.settings.steps
        if steps is None or self.step_seconds is None:
            return None
        return max(0, steps - self.done) * self.step_seconds

    @property
    def steps_in_budget(self) -> int | None:
        """Approximate number of steps before the time is over; None without a time limit."""
        seconds = self.settings.seconds
        if seconds is None or not self.step_seconds:
            return None
        left = max(0.0, seconds - self.spent - self.compile_seconds)
        return self.done + int(left / self.step_seconds)

    @property
    def warning(self) -> str | None:
        """A warning if the time will end the training before its learning rate has fallen; None otherwise."""
        within, steps = self.steps_in_budget, self.settings.steps
        if within is None or steps is None or within >= steps:
            return None
        return f"the time is enough for about {within} of {steps} steps: the learning rate will not have fallen to its end"

    def rows(self) -> dict[str, object]:
        """Names and values for display."""
        settings, shares, kind = self.settings, self.placement.shares, self.placement.kind
        batch = settings.batch_size or 1
        divided = f", divided among {shares} {kind}s" if shares > 1 else ""
        rows: dict[str, object] = {
            "parameters": self.parameters,
            "samples": f"{self.samples}, {batch} in a step{divided}",
        }
        if settings.steps is not None:
            epochs = settings.steps * batch / max(self.samples, 1)
            rows["steps"] = f"{settings.steps} ({epochs:.3g} epochs)"
        if settings.seconds is not None:
            rows["time budget"] = in_time(settings.seconds)
        rows["memory of a step"] = _memory_in_words(self.memory, f" on each {kind}" if shares > 1 else "")
        rows["compiling took"] = in_time(self.compile_seconds)
        if self.step_seconds is not None:
            seconds = f"{self.step_seconds:.2g}" if self.step_seconds < 99.5 else f"{self.step_seconds:.0f}"
            rows["seconds a step"] = f"{seconds} (measured on {self.measured})"
        if self.seconds_left is not None:
            rows["time to the end"] = f"about {in_time(self.seconds_left)}, without validation"
        if self.steps_in_budget is not None:
            rows["steps in the budget"] = f"about {self.steps_in_budget}"
        return rows

    def to_json(self) -> dict[str, Any]:
        """The numbers as JSON values."""
        memory = self.memory
        return {
            "parameters": self.parameters,
            "samples": self.samples,
            "batch_size": self.settings.batch_size,
            "steps": self.settings.steps,
            "devices": self.placement.shares,
            "memory_bytes": memory.total,
            "working_bytes": memory.working,
            "state_bytes": memory.state,
            "sample_bytes": memory.samples,
            "free_bytes": memory.free,
            "compile_seconds": self.compile_seconds,
            "seconds_per_step": self.step_seconds,
            "measured_steps": self.measured,
            "seconds_left": self.seconds_left,
            "steps_in_budget": self.steps_in_budget,
        }


def time_left(report: Report, settings: TrainSettings) -> dict[str, float]:
    """For a training that only the time ends: its elapsed `share` and the seconds `left`; otherwise nothing.

    **Arguments:**

    - `report`: the newest report.
    - `settings`: resolved settings of the training.
    """
    if settings.steps is not None or settings.seconds is None:
        return {}
    share = min(1.0, report.seconds / settings.seconds)
    return {"share": share, "left": max(0.0, settings.seconds - report.seconds)}


def _memory_in_words(memory: StepMemory, where: str) -> str:
    held = f"{in_bytes(memory.state)} of parameters and optimiser, {in_bytes(memory.samples)} of samples"
    if memory.working is None or memory.total is None:
        return f"{held}{where}; what activations take is not known"
    free = "" if memory.free is None else f"; {in_bytes(memory.free)} are free"
    return f"{in_bytes(memory.total)}{where} ({in_bytes(memory.working)} of activations and gradients, {held}){free}"


@dataclass
class Measuring:
    """A collector of the first reports of a training, which makes an estimate from them.

    **Arguments:**

    - `parameters`, `samples`, `settings`, `placement`: as in `TrainingEstimate`.
    """

    parameters: int
    samples: int
    settings: TrainSettings
    placement: Placement = field(default_factory=Placement)
    _progress: Progress = field(default_factory=Progress)
    _memory: StepMemory = field(default_factory=lambda: StepMemory(0, 0, None))
    _compile_seconds: float = 0.0
    _rate: StepRate = field(default_factory=StepRate)
    _reports: int = 0
    _last: Report | None = None

    def begin(self, progress: Progress) -> None:
        """Record the progress that the training had before."""
        self._progress = Progress(progress.step, progress.seconds)

    def compiled(self, memory: StepMemory, seconds: float) -> None:
        """Record memory and time of the compiled step."""
        self._memory, self._compile_seconds = memory, seconds

    def note(self, report: Report) -> None:
        """Record a report of the training."""
        if not report.losses.size:
            return
        self._rate.note(report.step, report.seconds if report.step_seconds is None else report.step_seconds)
        self._reports, self._last = self._reports + 1, report

    def is_enough(self) -> bool:
        """Whether there are `LEAST_REPORTS` dispatches in at least `LEAST_SECONDS`, or `LONG_SECONDS` have passed."""
        spent = 0.0 if self._last is None or self._last.step_seconds is None else self._last.step_seconds
        return spent >= LONG_SECONDS or (self._reports >= LEAST_REPORTS and spent >= LEAST_SECONDS)

    def estimate(self) -> TrainingEstimate:
        """Estimate what the training takes, as far as it is known by now."""
        rate, last, before = self._rate.value, self._last, self._progress
        measured, step_seconds = self._rate.steps, None if rate is None else 1 / rate
        if rate is None and last is not None and last.step_seconds is not None:
            # There was only one dispatch; its time does not include compilation.
            measured = last.step - before.step
            step_seconds = last.step_seconds / max(measured, 1)
        return TrainingEstimate(
            self.parameters,
            self.samples,
            self.settings,
            self._memory,
            self.placement,
            self._compile_seconds,
            step_seconds,
            measured,
            before.step,
            before.seconds,
        )
