"""Find ways to compute a training step in less memory; each is compiled before it is suggested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ginjax._text import in_bytes
from ginjax.ml.training._settings import TrainSettings
from ginjax.ml.training._step_memory import StepMemory

SMALLER = "Take a smaller `batch_size`, a smaller network or a coarser grid."


def ways_that_fit(
    measure: Callable[[TrainSettings], StepMemory],
    settings: TrainSettings,
    memory: StepMemory,
    *,
    shares: int = 1,
    crops: Sequence[int] = (),
) -> str:
    """Find settings under which a step that needs too much memory fits.

    **Arguments:**

    - `measure`: measures the memory of a step under other settings, see `measure_step`.
    - `settings`: resolved settings under which the step does not fit.
    - `memory`: memory of the step under these settings.
    - `shares`: number of devices over which a batch is divided.
    - `crops`: sides of crops of the grid that might fit, the largest first.

    **Returns:** a hint that names settings under which the step fits, with the memory that it needs, or other remedies.
    """
    found: list[tuple[str, StepMemory]] = []
    if not settings.remat:
        found.append(("`remat=True`", measure(replace(settings, remat=True))))
    parts = _divisions(settings, memory, shares)
    for count in parts:
        found.append((f"`accumulate={count}`", measure(replace(settings, accumulate=count))))
        if found[-1][1].fits:
            break
    else:
        if parts and not settings.remat:
            both = replace(settings, accumulate=parts[-1], remat=True)
            found.append((f"`accumulate={parts[-1]}` and `remat=True`", measure(both)))
    for side in crops:
        found.append((f"`crop={side}`", measure(replace(settings, crop=side))))
        if found[-1][1].fits:
            break
    fitting = [
        f"{way} ({in_bytes(tried.working)})"
        for way, tried in found
        if tried.fits and tried.working is not None
    ]
    if not fitting:
        return f"Nothing that was tried fits. {SMALLER}"
    return f"It fits with {' or with '.join(fitting)}; a smaller `batch_size` takes less too."


def _divisions(settings: TrainSettings, memory: StepMemory, shares: int) -> list[int]:
    """Numbers of parts of the batch to try: the first that should fit if memory is inversely proportional, and the largest."""
    batch = (settings.batch_size or 1) // shares
    counts = [n for n in range(settings.accumulate + 1, batch + 1) if batch % n == 0]
    wanted = settings.accumulate * (memory.working or 0) / max(memory.free or 0, 1)
    return sorted({next((n for n in counts if n >= wanted), counts[-1]), counts[-1]}) if counts else []
