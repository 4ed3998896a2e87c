"""Which padding beside which wall: the same network trained with each, on worlds that end.

    python benchmarks/walls.py               # every cell that is not yet in results/walls.json
    python benchmarks/walls.py --report      # the tables, nothing measured

Three worlds in 2D, without an error of discretisation: heat and sound in a closed box, sums of cosines and sines that meet
the walls exactly, and sound that leaves an open window, cut out of a box so large that nothing comes back. Errors are
nRMSE on trajectories that were held out: of one step, of one step in the pixels along the walls, after eight steps, and of
one step in a closed box in 3D after conversion, without any training there.
"""

import argparse
import json
import statistics
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import ginjax
from ginjax import Model, Network, TrainSettings
from ginjax.data import Source, from_arrays

RESULTS = Path(__file__).parent / "results" / "walls.json"
PADDINGS = ("zeros", "edge", "mirror")
SIDE, SIDE_3D, FRAMES, TRAJECTORIES, STEPS = 20, 12, 10, 40, 400
LENGTH, HEAT, SOUND = 2.0, 0.5, 0.7
"""Correlation length, `nu dt` and `c dt` in pixels."""


@dataclass(frozen=True)
class Cell:
    """One training."""

    world: str
    padding: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.world}, {self.padding}, seed {self.seed}"


def cells() -> Iterator[Cell]:
    for seed in (0, 1):
        for world, paddings in (("heat", PADDINGS[::2]), ("sound", PADDINGS), ("open", PADDINGS)):
            # Scalars and filters of side 3: the mirror image of one pixel is its edge.
            yield from (Cell(world, padding, seed) for padding in paddings)


def waves(D: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wave numbers along an axis, and cosines and sines `(wave, pixel)` of a closed box."""
    q = np.pi * np.arange(n) / n
    phase = np.outer(q, np.arange(n) + 0.5)
    return q, np.cos(phase), np.sin(phase)


def on_grid(amplitudes: np.ndarray, factors: list[np.ndarray]) -> np.ndarray:
    """`(wave, ..., wave)` as a field: the sum over waves of products over axes."""
    field = amplitudes
    for factor in factors:
        field = np.tensordot(field, factor, (0, 0))  # the first axis goes, its pixels come last
    return field


def spread(D: int, q: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random amplitudes of a smooth field of unit size, and the squared wave numbers."""
    squares = sum(np.meshgrid(*[q**2] * D, indexing="ij"))
    amplitudes = rng.standard_normal(squares.shape) * np.exp(-squares * LENGTH**2 / 2)
    amplitudes[(0,) * D] = 0
    return amplitudes / np.sqrt(np.sum(amplitudes**2) / 2**D), squares


def heat(D: int, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    q, cosines, _ = waves(D, n)
    amplitudes, squares = spread(D, q, rng)
    times = np.arange(FRAMES)
    return {
        "temperature": np.stack(
            [on_grid(amplitudes * np.exp(-HEAT * squares * t), [cosines] * D) for t in times]
        )
    }


def sound(
    D: int, n: int, rng: np.random.Generator, amplitudes: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """`p_t = -div u`, `u_t = -grad p`; nothing moves through the walls."""
    q, cosines, sines = waves(D, n)
    drawn, squares = spread(D, q, rng)
    still = np.zeros_like(drawn) if amplitudes is not None else spread(D, q, rng)[0]
    amplitudes = drawn if amplitudes is None else amplitudes
    w = np.sqrt(squares)
    pressure, velocity = [], []
    for t in SOUND * np.arange(FRAMES):
        pressure.append(on_grid(amplitudes * np.cos(w * t) + still * np.sin(w * t), [cosines] * D))
        moved = (amplitudes * np.sin(w * t) - still * np.cos(w * t)) / np.where(w == 0, 1, w)
        parts = []
        for axis in range(D):
            along = moved * q.reshape([-1 if a == axis else 1 for a in range(D)])
            parts.append(on_grid(along, [sines if a == axis else cosines for a in range(D)]))
        velocity.append(np.stack(parts, -1))
    return {"pressure": np.stack(pressure), "velocity": np.stack(velocity)}


def leaving(D: int, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Sound that begins inside a window and leaves it."""
    large = 3 * n
    q, cosines, _ = waves(D, large)
    amplitudes, _ = spread(D, q, rng)
    line = np.clip(1.5 - np.abs(np.arange(large) + 0.5 - large / 2) / (n / 3), 0, 1)
    field = on_grid(amplitudes, [cosines] * D)
    for axis in range(D):
        field = field * line.reshape([-1 if a == axis else 1 for a in range(D)])
    weight = np.where(np.arange(large) == 0, 1, 2) / large
    within = on_grid(field, [(cosines * weight[:, None]).T] * D)
    inside = (slice(None), *(slice(n, 2 * n),) * D)
    return {name: values[inside] for name, values in sound(D, large, rng, within).items()}


WORLDS = {"heat": heat, "sound": sound, "open": leaving}


def data(world: str, D: int, n: int, trajectories: int, seed: int) -> Source:
    rng = np.random.default_rng([seed, D])
    drawn = [WORLDS[world](D, n, rng) for _ in range(trajectories)]
    fields = {name: np.stack([each[name] for each in drawn]).astype(np.float32) for name in drawn[0]}
    return from_arrays(fields, periodic=False, order={"velocity": 1} if "velocity" in fields else None)


def errors(model: Model, source: Source) -> dict[str, float]:
    """nRMSE averaged over fields: of one step, along the walls, after eight steps."""
    begin, steps = 1, 8
    found: dict[str, list[float]] = {"one step": [], "at the walls": [], "eight steps": []}
    truth = source.arrays()
    made = model.predict(source, steps, first=begin - model.contract.past_steps)
    for name, values in made.items():
        wanted = truth[name][:, begin : begin + steps]
        D = source.D
        rim = np.ones(wanted.shape[2 : 2 + D], bool)
        rim[(slice(1, -1),) * D] = False
        gap = values - wanted

        def relative(a: np.ndarray, b: np.ndarray) -> float:
            return float(np.sqrt(np.mean(a**2) / np.mean(b**2)))

        found["one step"].append(relative(gap[:, 0], wanted[:, 0]))
        found["at the walls"].append(relative(gap[:, 0][:, rim], wanted[:, 0][:, rim]))
        found["eight steps"].append(relative(gap[:, -1], wanted[:, -1]))
    return {what: statistics.fmean(each) for what, each in found.items()}


def measure(cell: Cell) -> dict[str, float]:
    own = data(cell.world, 2, SIDE, TRAJECTORIES, 100 + cell.seed)
    model = ginjax.train(
        own,
        TrainSettings(steps=STEPS, seed=cell.seed),
        network=Network(channels=8, padding=cell.padding),
        residual=True,
        progress=False,
    )
    found = errors(model, data(cell.world, 2, SIDE, 8, 7))
    if cell.world != "open":
        # Zeros cannot be carried to a new axis: their walls of the third dimension are edges.
        new = "mirror" if cell.padding == "mirror" else "edge"
        box = model.to_dimension(3, new_boundary=new)
        found["3D"] = errors(box, data(cell.world, 3, SIDE_3D, 3, 8))["one step"]
    return found


def report(results: dict[str, dict[str, float]]) -> str:
    columns = ("one step", "at the walls", "eight steps", "3D")
    lines = ["| world | padding | " + " | ".join(columns) + " |", "|---|---|" + "---|" * len(columns)]
    for world in WORLDS:
        for padding in PADDINGS:
            runs = [
                results[c.name]
                for c in cells()
                if (c.world, c.padding) == (world, padding) and c.name in results
            ]
            if runs:
                means = [
                    f"{statistics.fmean(r[what] for r in runs):.4f}" if what in runs[0] else "-"
                    for what in columns
                ]
                lines.append(f"| {world} | {padding} | " + " | ".join(means) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--only", default="", help="cells whose names hold this")
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    warnings.simplefilter("ignore")
    for cell in () if options.report else cells():
        if cell.name not in results and options.only in cell.name:
            results[cell.name] = measure(cell)
            print(cell.name, results[cell.name], flush=True)
            RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    print(report(results))


if __name__ == "__main__":
    main()
