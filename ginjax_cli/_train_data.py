"""What `ginjax train` trains on: simulations, or files."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._output import Output

if TYPE_CHECKING:
    from ginjax.checkpoint import DataContract
    from ginjax.data import DataReading
    from ginjax.ml import Parts, WindowTask


@dataclasses.dataclass(frozen=True)
class Material:
    """Data to train on, described before any are read or simulated.

    - `contract`, `spatial`: what they are like.
    - `name`, `title`: what to call them, without and with the dimension.
    - `parts`: reads or simulates them.
    - `about`: what the history of a model says of them.
    """

    contract: "DataContract"
    spatial: tuple[int, ...]
    name: str
    title: str
    parts: "Callable[[Output], Parts]"
    about: "Callable[[WindowTask], dict[str, Any]]"

    def of_fields(self, contract: "DataContract") -> "Material":
        """The same with the fields of a model only, in its order."""
        if not contract.fields:
            return self

        def selected(out: Output) -> "Parts":
            from ginjax.data import select_fields

            return {
                name: (select_fields(source, contract.fields, contract.constants), chosen)
                for name, (source, chosen) in self.parts(out).items()
            }

        return dataclasses.replace(self, parts=selected)


def simulations(
    pde: str,
    D: int,
    *,
    size: int | None,
    trajectories: int | None,
    frames: int,
    validate: bool,
    seed: int,
    needed: int,
) -> Material:
    """Simulations of an equation.

    - `needed`: frames of a sample.
    """
    from ginjax.data import DEFAULT_SIDES, simulate
    from ginjax.errors import ArgumentError
    from ginjax.ml import TRAIN_TRAJECTORIES, simulated_parts

    if frames + 1 < needed:
        raise ArgumentError(
            "--frames", got=frames, expected=f"at least {needed - 1} for --past-steps and --unroll"
        )
    side, count = size or DEFAULT_SIDES[D], trajectories or TRAIN_TRAJECTORIES[D]
    described = simulate(pde, D, trajectories=count, steps=frames, side=side, seed=seed)

    def parts(out: Output) -> "Parts":
        with out.progress(count, f"simulating {pde} in {D}D") as progress:
            return simulated_parts(
                pde,
                D,
                side=side,
                trajectories=count,
                frames=frames,
                seed=seed,
                validate=validate,
                progress=lambda done, total: progress.update(done),
            )

    about = {"equation": pde, "dim": D, "size": side, "trajectories": count, "frames": frames}
    title = f"{pde} in {D}D"
    return Material(described.contract, described.spatial, pde, title, parts, lambda task: about)


def from_files(path: Path, reading: "DataReading", *, valid: float, test: float, seed: int) -> Material:
    """Data in a file or a folder."""
    from ginjax.ml import file_parts

    parts = file_parts(path, reading, valid=valid, test=test, seed=seed)
    source = parts["train"][0]

    def about(task: "WindowTask") -> dict[str, Any]:
        count = len(task.train.trajectories)
        shape: Mapping[str, Any] = {"dim": source.D, "size": list(source.spatial), "trajectories": count}
        return {"data": path.name, **shape, "valid": valid, "test": test}

    title = f"{path.name}, {source.D}D"
    return Material(source.contract, source.spatial, path.name, title, lambda out: parts, about)
