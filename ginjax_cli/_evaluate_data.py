"""The held-out trajectories that `ginjax evaluate` rolls a model out on, and what its baseline is trained on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._data_options import open_from_options
from ._output import Output
from ._train_data import Cut, cut_data, open_training_data, simulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ginjax.checkpoint import ModelRecord
    from ginjax.data import Normalisation, Source
    from ginjax.ml import Forecaster, WindowTask

DEFAULT_STEPS = 16
DEFAULT_TRAJECTORIES = 16


@dataclass(frozen=True)
class HeldOut:
    """Trajectories to evaluate on.

    - `source`, `trajectories`: the data, and which of them.
    - `name`: what to call them.
    - `note`: what the user should know about the choice, or None.
    """

    source: "Source"
    trajectories: "Sequence[int]"
    name: str
    note: str | None = None


def simulated(
    out: Output,
    forecaster: "Forecaster",
    record: "ModelRecord",
    pde: str | None,
    *,
    size: int | None,
    count: int | None,
    steps: int | None,
    seed: int,
) -> HeldOut:
    """Simulations that no training with the same seed has seen."""
    from ginjax.data import PDES, MemorySource
    from ginjax.data import simulate as described
    from ginjax.errors import ArgumentError
    from ginjax.ml import HELD_OUT_OFFSET, make_task

    trained_on = ((record.data or {}).get("origin") or {}).get("equation")
    pde = trained_on if pde is None else pde
    if pde is None or pde not in PDES:
        raise ArgumentError(
            "data to evaluate on",
            got="none, and a model that was not trained on simulations",
            expected="--data PATH or --pde NAME",
        )
    past = forecaster.frames.past_steps
    count, frames = count or DEFAULT_TRAJECTORIES, past - 1 + (steps or DEFAULT_STEPS)
    # What does not fit is answered before anything is simulated.
    forecaster.check(
        described(pde, record.D, trajectories=count, steps=frames, side=size, seed=seed), past + 1
    )
    with out.progress(count, f"simulating {pde} in {record.D}D") as progress:
        task = make_task(
            pde,
            record.D,
            trajectories=count,
            frames=frames,
            side=size,
            seed=seed + HELD_OUT_OFFSET,
            normalisation=forecaster.normalisation,
            progress=lambda done, total: progress.update(done),
        )
    return HeldOut(MemorySource.of(task.trajectories), range(count), f"{pde} in {record.D}D")


def from_files(
    record: "ModelRecord", path: Path, *, split: str | None, count: int | None, **options: Any
) -> HeldOut:
    """The part asked for; by default the test part, of the files or of the training, or else everything."""
    from ginjax.data import data_splits, split_trajectories
    from ginjax.errors import ArgumentError

    parts = data_splits(path)
    name = f"{path.name}, {record.D}D"
    if parts:
        part = split or "test"
        if part not in parts:
            raise ArgumentError("--split", got=part, expected="one of " + ", ".join(parts))
        source = open_from_options(path, split=part, **options)
        return HeldOut(source, range(source.trajectories)[:count], f"{name}, part '{part}'")
    source = open_from_options(path, **options)
    trained = [step for step in record.provenance if step.get("data") == path.name]
    if split is None and not trained:
        note = "the data have no parts: make sure that the model was trained on others"
        return HeldOut(source, range(source.trajectories)[:count], name, note)
    part = split or "test"
    last = trained[-1] if trained else {}
    seed, valid, test = int(last.get("seed", 0)), float(last.get("valid", 0.1)), float(last.get("test", 0.1))
    chosen = split_trajectories(source.trajectories, valid=valid, test=test, seed=seed)[part]
    note = f"part '{part}' as 'ginjax train --data' makes it: --valid {valid} --test {test} --seed {seed}"
    return HeldOut(source, [int(each) for each in chosen[:count]], f"{name}, part '{part}'", note)


def training_task(
    out: Output,
    record: "ModelRecord",
    settings: "Mapping[str, Any]",
    normalisation: "Normalisation",
    path: Path | None,
    **options: Any,
) -> "WindowTask":
    """What the newest training of a model had: simulated again, or read from the data."""
    from ginjax.errors import ArgumentError

    data = record.data or {}
    cut = Cut(
        past_steps=int(data.get("past_steps", 1)),
        unroll=int(settings.get("unroll", 1)),
        residual=bool(data.get("residual", False)),
        valid=float(settings.get("valid", 0.1)),
        test=float(settings.get("test", 0.1)),
        validate=False,
        seed=int(settings.get("seed", 0)),
    )
    if "equation" in settings:
        return simulate(
            out,
            str(settings["equation"]),
            record.D,
            size=int(settings["size"]),
            trajectories=int(settings["trajectories"]),
            frames=int(settings["frames"]),
            cut=cut,
            normalisation=normalisation,
        )
    if path is None:
        raise ArgumentError(
            "--from-scratch", got=f"a model trained on {settings.get('data')}", expected="--data with it"
        )
    parts = open_training_data(
        path,
        field=options["field"],
        parity=options["parity"],
        periodic=options["periodic"],
        cut=cut,
    )
    return cut_data(out, parts, cut, normalisation)
