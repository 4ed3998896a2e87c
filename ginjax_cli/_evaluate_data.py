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
    from ginjax.data import Field, Normalisation, Source
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
    """Simulations that no training with the same seed has seen, in the dimension of the forecaster."""
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
    _check_equation(forecaster, pde)
    D, past = forecaster.D, forecaster.frames.past_steps
    count, frames = count or DEFAULT_TRAJECTORIES, past - 1 + (steps or DEFAULT_STEPS)
    # What does not fit is answered before anything is simulated.
    forecaster.check(described(pde, D, trajectories=count, steps=frames, side=size, seed=seed), past + 1)
    with out.progress(count, f"simulating {pde} in {D}D") as progress:
        task = make_task(
            pde,
            D,
            trajectories=count,
            frames=frames,
            side=size,
            seed=seed + HELD_OUT_OFFSET,
            normalisation=forecaster.normalisation,
            progress=lambda done, total: progress.update(done),
        )
    return HeldOut(MemorySource.of(task.trajectories), range(count), f"{pde} in {D}D")


def _check_equation(forecaster: "Forecaster", pde: str) -> None:
    """Whether an equation has the fields of a model."""
    from ginjax.data import find_pde
    from ginjax.errors import ArgumentError

    def named(fields: "Sequence[Field]") -> str:
        return ", ".join(f"{each.name}:{each.k}{'-' if each.p else '+'}" for each in fields)

    have = {(each.name, each.key) for each in find_pde(pde).fields}
    wanted = (*forecaster.schema, *forecaster.constants)
    if not {(each.name, each.key) for each in wanted} <= have:
        raise ArgumentError(
            "--pde",
            got=f"{pde}, whose fields are {named(find_pde(pde).fields)}",
            expected=f"an equation with the fields of the model, {named(wanted)}",
        )


def dimension_of(path: Path, **options: Any) -> int:
    """The dimension of some data."""
    from ginjax.data import is_pairs, read_pairs

    # The dimension is that of every part: which one is asked for does not matter here.
    return (
        read_pairs(path)[0].D if is_pairs(path) else open_from_options(path, **{**options, "split": None}).D
    )


def from_files(
    record: "ModelRecord",
    forecaster: "Forecaster",
    path: Path,
    *,
    split: str | None,
    count: int | None,
    default: str = "test",
    **options: Any,
) -> HeldOut:
    """The part asked for; by default one part, of the files or of the training, or else everything.

    - `forecaster`: what the record says about its data, in the dimension of these.
    - `default`: the part to use unless `split` says so.
    - `options`: see `open_from_options`; they mean nothing to a file of pairs.
    """
    from ginjax.data import data_splits, is_pairs, pairs_as_source, read_pairs, split_trajectories
    from ginjax.errors import ArgumentError

    name = f"{path.name}, {forecaster.D}D"
    if is_pairs(path):
        given = [word for word, value in (*options.items(), ("split", split)) if value]
        if given:
            raise ArgumentError(
                f"--{given[0]}", got=f"{path}, a file of pairs", expected="trajectories, as in a file of data"
            )
        X, Y = read_pairs(path)
        _check_dimension(X.D, forecaster)
        pairs = pairs_as_source(X, Y, forecaster.schema, forecaster.constants, forecaster.frames.past_steps)
        return HeldOut(pairs, range(pairs.trajectories)[:count], name)
    parts = data_splits(path)
    if parts:
        part = split or default
        if part not in parts:
            raise ArgumentError(
                "part of the data" if split is None else "--split",
                got=part,
                expected="one of " + ", ".join(parts),
                hint=f"Name one that is there: --split {parts[0]}" if split is None else None,
            )
        source = open_from_options(path, split=part, **options)
        return HeldOut(source, range(source.trajectories)[:count], f"{name}, part '{part}'")
    source = open_from_options(path, **options)
    trained = [step for step in record.provenance if step.get("data") == path.name]
    if split is None and not trained:
        note = "the data have no parts: make sure that the model was trained on others"
        chosen = range(source.trajectories)[:count]
        return HeldOut(source, chosen, name, note if default == "test" else None)
    part = split or default
    last = trained[-1] if trained else {}
    seed, valid, test = int(last.get("seed", 0)), float(last.get("valid", 0.1)), float(last.get("test", 0.1))
    chosen = split_trajectories(source.trajectories, valid=valid, test=test, seed=seed)[part]
    note = f"part '{part}' as 'ginjax train --data' makes it: --valid {valid} --test {test} --seed {seed}"
    return HeldOut(source, [int(each) for each in chosen[:count]], f"{name}, part '{part}'", note)


def _check_dimension(found: int, forecaster: "Forecaster") -> None:
    from ginjax.errors import ArgumentError

    if found != forecaster.D:
        raise ArgumentError("dimension of the data", got=found, expected=forecaster.D)


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
