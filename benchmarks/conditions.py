"""One network for several time steps: what it is worth to tell a network the time step.

    python benchmarks/conditions.py                                          # diffusion
    python benchmarks/conditions.py --pde burgers --nonlinearity product     # a vector
    python benchmarks/conditions.py --seeds 0,1,2

Simulations in 1D at three time steps, as many of each. Compared on others, at these time steps and at two between them, by the
error of one step (nRMSE): *told*, one network with the condition `time_step`; *told, of nine*, the same on as many simulations at nine time
steps in the same range; *not told*, that of three without the condition; *one each*, a network for each time step, trained on its data alone for as many steps, so that three cost three times as much, and
*a third each*, in the time of one. The same networks converted to 2D are measured there, without any data in 2D.
"""

import argparse
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

import ginjax
from ginjax import Model, Network, TrainSettings
from ginjax.data import Source, find_pde, held_in_memory, join, simulate, with_conditions

STEPS = (1.0, 2.0, 4.0)
"""Time steps to train on, in units of that which the equation has."""

BETWEEN = (1.5, 3.0)
TIMES = tuple(sorted((*STEPS, *BETWEEN)))
NINE = tuple(map(float, np.geomspace(1.0, 4.0, 9)))
TRAJECTORIES, FRAMES = 66, 8
"""Trajectories at each of the three time steps, a third as many at each of nine."""

Errors = Mapping[float, float]
"""By time step, the error of one step."""


def simulated(pde: str, D: int, times: float, trajectories: int, seed: int) -> Source:
    """Simulations with a multiple of the time step that the equation has."""
    own = find_pde(pde)
    made = replace(own, time_step=times * own.time_step, sub_steps=int(np.ceil(times * own.sub_steps)))
    return held_in_memory(simulate(made, D, trajectories=trajectories, steps=FRAMES, seed=seed))


def told(source: Source) -> Source:
    return with_conditions(source, ["time_step"])


def silent(source: Source) -> Source:
    """The same data, which do not say their time step."""
    return replace(source, time_step=None)


def train(parts: Mapping[str, Source], nonlinearity: str, steps: int, seed: int) -> Model:
    settings = TrainSettings(steps=steps, seed=seed, validate_every=max(steps // 8, 1))
    network = Network("resnet", nonlinearity=nonlinearity)
    return ginjax.train(parts, settings, network=network, residual=True, progress=False)


def error(model: Model, source: Source) -> float:
    model = model if model.D == source.D else model.to_dimension(source.D)
    return model.evaluate(source, steps=1, progress=False).one_step["model"].model


def compared(pde: str, nonlinearity: str, steps: int, seed: int) -> Iterator[tuple[str, int, Errors]]:
    """Name of a network, dimension, and errors."""
    data = {
        part: {t: simulated(pde, 1, t, n, 10_000 * seed + first + int(10 * t)) for t in STEPS}
        for part, n, first in (("train", TRAJECTORIES, 1_000), ("valid", 8, 2_000))
    }
    test = {D: {t: simulated(pde, D, t, n, 3_000 + int(10 * t)) for t in TIMES} for D, n in ((1, 16), (2, 4))}
    nine = {
        part: {t: simulated(pde, 1, t, n, 10_000 * seed + first + int(100 * t)) for t in NINE}
        for part, n, first in (("train", TRAJECTORIES // 3, 4_000), ("valid", 3, 5_000))
    }
    for name, some, seen in (("told", data, told), ("told, of nine", nine, told), ("not told", data, silent)):
        parts = {part: join(list(map(seen, each.values()))) for part, each in some.items()}
        one = train(parts, nonlinearity, steps, seed)
        for D in (1, 2):
            yield name, D, {t: error(one, seen(test[D][t])) for t in TIMES}
    for name, share in (("one each", 1), ("a third each", 3)):
        own = {
            t: train({p: each[t] for p, each in data.items()}, nonlinearity, steps // share, seed)
            for t in STEPS
        }
        for D in (1, 2):
            yield name, D, {t: error(model, test[D][t]) for t, model in own.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pde", default="diffusion")
    parser.add_argument("--nonlinearity", default="vector-neuron")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--seeds", default="0")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    unit, found = find_pde(given.pde).time_step, {}
    for seed in map(int, given.seeds.split(",")):
        for name, D, errors in compared(given.pde, given.nonlinearity, given.steps, seed):
            print(
                f"seed {seed}, {name}, {D}D:",
                {f"{t * unit:g}": f"{e:.3g}" for t, e in errors.items()},
                flush=True,
            )
            found.setdefault((D, name), []).append(errors)
    print(
        "| | " + " | ".join(f"{t * unit:g}" for t in TIMES) + " |", "|---" * (len(TIMES) + 1) + "|", sep="\n"
    )
    for (D, name), rows in sorted(found.items()):
        cells = [f"{np.median([row[t] for row in rows]):.3g}" if t in rows[0] else "" for t in TIMES]
        print(f"| {name}, {D}D | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
