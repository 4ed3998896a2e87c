"""The samples that `ginjax train` works on: simulated, or from files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._data_options import open_from_options
from ._output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ginjax.data import Field, Normalisation, Source
    from ginjax.ml import WindowTask


@dataclass(frozen=True)
class Cut:
    """How data are cut into samples.

    - `past_steps`, `unroll`, `residual`: as in `ginjax.ml.make_window_task`.
    - `valid`, `test`: fractions of the trajectories of a file.
    - `validate`: whether validation samples are wanted of simulated data.
    - `seed`: of simulations, and of the parting.
    """

    past_steps: int
    unroll: int
    residual: bool
    valid: float
    test: float
    validate: bool
    seed: int

    @property
    def frames(self) -> int:
        """Frames of a sample."""
        return self.past_steps + self.unroll


def simulate(
    out: Output,
    pde: str,
    dim: int,
    *,
    size: int,
    trajectories: int,
    frames: int,
    cut: Cut,
    normalisation: "Normalisation | None",
) -> "WindowTask":
    """Simulated trajectories: some to train on, others for the error in the end, and some to validate on if wanted."""
    from ginjax.data import MemorySource, measure_normalisation
    from ginjax.errors import ArgumentError
    from ginjax.ml import HELD_OUT_OFFSET, make_task, make_window_task

    if frames + 1 < cut.frames:
        raise ArgumentError(
            "--frames", got=frames, expected=f"at least {cut.frames - 1} for --past-steps and --unroll"
        )
    with out.progress(trajectories, f"simulating {pde} in {dim}D") as progress:
        task = make_task(
            pde,
            dim,
            trajectories=trajectories,
            frames=frames,
            side=size,
            seed=cut.seed,
            normalisation=normalisation,
            progress=lambda done, total: progress.update(done),
        )
    source = MemorySource.of(task.trajectories)
    scales = task.normalisation
    if cut.residual and normalisation is None:
        scales = measure_normalisation(source)

    def held_out(offset: int) -> "MemorySource":
        again = make_task(
            pde, dim, trajectories=8, frames=frames, side=size, seed=cut.seed + offset, normalisation=scales
        )
        return MemorySource.of(again.trajectories)

    return make_window_task(
        (source, None),
        (held_out(2 * HELD_OUT_OFFSET), None) if cut.validate else None,
        (held_out(HELD_OUT_OFFSET), None),
        scales,
        past_steps=cut.past_steps,
        unroll=cut.unroll,
        residual=cut.residual,
    )


def open_training_data(
    path: Path,
    *,
    field: "Sequence[str] | None",
    parity: "Sequence[str] | None",
    periodic: str | None,
    cut: Cut,
) -> "dict[str, tuple[Source, Any]]":
    """Sources and trajectories by part: the parts that the data have, else a random parting of the trajectories."""
    from ginjax.data import data_splits, split_trajectories
    from ginjax.errors import ArgumentError

    options: dict[str, Any] = {"field": field, "parity": parity, "periodic": periodic}
    parts = data_splits(path)
    if parts:
        if "train" not in parts:
            raise ArgumentError(
                "--data", got=f"{path}, which has {', '.join(parts)}", expected="a part 'train'"
            )
        return {part: (open_from_options(path, split=part, **options), None) for part in parts}
    source = open_from_options(path, **options)
    chosen = split_trajectories(source.trajectories, valid=cut.valid, test=cut.test, seed=cut.seed)
    return {part: (source, indices) for part, indices in chosen.items() if len(indices)}


def cut_data(
    out: Output, parts: "dict[str, tuple[Source, Any]]", cut: Cut, normalisation: "Normalisation | None"
) -> "WindowTask":
    """Samples of the parts of some data, under the scales of a model or of the training part."""
    from ginjax.data import measure_normalisation
    from ginjax.ml import make_window_task

    source, chosen = parts["train"]
    if normalisation is None:
        with out.progress(4096, "measuring the fields") as progress:

            def tell(done: int, total: int) -> None:
                progress.total = total
                progress.update(done)

            normalisation = measure_normalisation(source, trajectories=chosen, progress=tell)
    return make_window_task(
        parts["train"],
        parts.get("valid"),
        parts.get("test"),
        normalisation,
        past_steps=cut.past_steps,
        unroll=cut.unroll,
        residual=cut.residual,
    )


def input_fields(schema: "Sequence[Field]", constants: "Sequence[Field]", past_steps: int) -> "list[Field]":
    """One field for each channel of the inputs, for a network to be designed."""
    return [each for each in schema for _ in range(past_steps)] + list(constants)
