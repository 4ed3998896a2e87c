"""From the 2D half of a pair of data sets to the 3D one: The Well's turbulent radiative layer.

    python benchmarks/well_pair.py DATASETS -o runs/pair              # train in 2D, convert, tune in 3D, compare
    python benchmarks/well_pair.py DATASETS -o runs/told --told       # the network is told its time step, so that nothing need be tuned
    python benchmarks/well_pair.py DATASETS -o runs/same --same-step  # both at one time step, for the same reason
    python benchmarks/well_pair.py DATASETS -o runs/pair --report     # the table again, nothing run

`DATASETS` holds the folders `turbulent_radiative_layer_2D` and `turbulent_radiative_layer_3D` as The Well hands them out
(`the-well-download --base-path DATASETS --dataset turbulent_radiative_layer_2D`, and so on). A run goes on where the last one
stopped: every model, and every score, is a file.

The halves have the same spacing (1/128), the same fields (density, pressure, velocity) and zero-gradient walls along their last
axis, y in 2D and z in 3D: the new axis is the middle one. They do not have the same time step, 1.597 and 2.662, and a network
knows one unless it is told. There are three honest ways. By default the converted network is tuned on the 3D step before anything is said of it in 3D,
and its error without any tuning is not given. With `--told` the time step is a condition: the 2D half is shown at every frame, at every second and at
every third, 1.597, 3.194 and 4.791, and the 3D step lies between these. With `--same-step` every fifth frame of the one and every third of the other are
taken, 7.985 and 7.986: that shows what the conversion is worth without data in 3D, and no published figure is for that step.

Scores are the VRMSE of the physical fields as The Well counts them: component by component, averaged over components, times and
test trajectories; of one step from every frame (or `--starts` of them), and of rollouts, over steps 6 to 12 and 13 to 30.
"""

import argparse
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

import ginjax
from ginjax import Model, Network, TrainSettings
from ginjax.checkpoint import ends_in_words
from ginjax.data import Source, join, open_data, resample, with_conditions
from ginjax.ml import Forecaster

NAMES = {2: "turbulent_radiative_layer_2D", 3: "turbulent_radiative_layer_3D"}
PUBLISHED = {2: 0.196, 3: 0.367}
"""VRMSE of one step of the best network in Ohana et al., The Well, 2024, arXiv:2412.00568."""

COMMON_STEP = {2: 5, 3: 3}
"""Every so manieth frame is 7.985 and 7.986 apart."""

TOLD_STEPS = (1, 2, 3)
"""Every so manieth frame of the 2D half that a network is shown which is told its time step: 3D has 1.667 times its step."""

WINDOWS = {"steps 6 to 12": (6, 12), "steps 13 to 30": (13, 30)}
EPSILON = 1e-7
"""Added to the variance, as in The Well."""


@dataclass(frozen=True)
class Settings:
    """What a run is made with; the names of files follow from the rest."""

    architecture: str = "unet"
    channels: int = 24
    blocks: int = 2
    past_steps: int = 4
    steps: int = 20_000
    tuning_steps: int = 4_000
    batch_size: int = 8
    tuning_batch: int = 1
    files: int | None = None
    starts: int | None = None
    spacing: float | None = None
    same_step: bool = False
    told: bool = False
    from_scratch: bool = False
    seed: int = 0

    def network(self) -> Network:
        return Network(
            self.architecture,
            channels=self.channels,
            blocks=self.blocks,
            nonlinearity="product",
            padding="edge",
        )

    def training(self, steps: int, batch: int) -> TrainSettings:
        return TrainSettings(steps=steps, batch_size=batch, noise=0.01, seed=self.seed)


def sources(folder: Path, D: int, settings: Settings) -> dict[str, Source]:
    """The parts of one half, as they are or at the spacing and time step that were asked for."""
    found = {}
    for part in ("train", "valid", "test"):
        where = folder / NAMES[D] / "data"
        files = sorted((where / part).glob("*.hdf5"))
        if not files:
            raise SystemExit(
                f"no files in {where / part}: the-well-download --base-path {folder} --dataset {NAMES[D]}"
            )
        few = D == 3 and part == "train" and settings.files is not None
        source = open_data([str(file) for file in (files[: settings.files] if few else files)])
        every = COMMON_STEP[D] if settings.same_step else 1
        if every > 1 or settings.spacing is not None:
            source = resample(source, every=every, spacing=settings.spacing)
        several = D == 2 and part != "test"
        found[part] = told(source, TOLD_STEPS if several else (1,)) if settings.told else source
    return found


def told(source: Source, every: Sequence[int]) -> Source:
    """The same data with the time step as a condition, seen at several of them."""
    return join([with_conditions(resample(source, every=each), ["time_step"]) for each in every])


def check_pair(low: Source, high: Source) -> str:
    """Refuse halves that are not what this recipe is for.

    **Returns:** what they are like, in words.
    """
    ours, theirs = low.contract, high.contract
    kinds = [sorted(each.kind for each in (*some.fields, *some.constants)) for some in (ours, theirs)]
    wrong = [
        what
        for what, fits in (
            ("fields", kinds[0] == kinds[1]),
            ("dimensions", (low.D, high.D) == (2, 3)),
            ("walls", (low.is_torus, high.is_torus) == ((True, False), (True, True, False))),
            (
                "spacing",
                ours.spacing is not None and np.isclose(ours.spacing, theirs.spacing or 0, rtol=1e-3),
            ),
        )
        if not fits
    ]
    if wrong:
        raise SystemExit(f"the two halves differ in their {' and '.join(wrong)}: {ours} and {theirs}"[:2000])
    return (
        f"{', '.join(kinds[0])}; spacing {ours.spacing:g}; time steps {ours.time_step:g} and {theirs.time_step:g}; "
        f"2D: {ends_in_words(ours.axes)}; 3D: {ends_in_words(theirs.axes)}"
    )


def vrmse(truth: np.ndarray, made: np.ndarray, D: int) -> np.ndarray:
    """`sqrt(<(v - u)^2> / (<(u - <u>)^2> + eps))` over the grid.

    **Arguments:**

    - `truth`, `made`: `(time, *spatial, component)`.

    **Returns:** `(time, component)`.
    """
    grid = tuple(range(1, 1 + D))
    truth, made = truth.astype(np.float64), made.astype(np.float64)
    spread = truth.var(axis=grid) + EPSILON
    return np.sqrt(np.square(made - truth).mean(axis=grid) / spread)


def by_component(values: Mapping[str, np.ndarray], D: int, lead: int) -> dict[str, np.ndarray]:
    """Fields `(*lead, *spatial, D, ..., D)` as `(*lead, *spatial, component)`."""
    return {
        name: each.reshape(*each.shape[: lead + D], -1) if each.ndim > lead + D else each[..., None]
        for name, each in values.items()
    }


def scores(model: Model, source: Source, starts: int | None = None) -> dict[str, dict[str, float]]:
    """By window the VRMSE of each field, averaged over its components, and of all components (`mean`)."""
    caster = Forecaster.of(model.network, model.record)
    past, D = caster.frames.past_steps, source.D
    found: dict[str, dict[str, list[np.ndarray]]] = {}

    def note(window: str, truth: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray]) -> None:
        for name, values in made.items():
            error = vrmse(truth[name], values, D).mean(axis=0)
            found.setdefault(window, {}).setdefault(name, []).append(error)

    for trajectory in range(source.trajectories):
        frames = source.frames_of(trajectory)
        caster.check(source, past + 1)
        possible = np.arange(frames - past)
        chosen = (
            possible if starts is None else possible[np.linspace(0, len(possible) - 1, starts).astype(int)]
        )
        for first in map(int, np.unique(chosen)):
            made = caster.forecast(source, [trajectory], steps=1, first=first)
            truth = by_component(source.read(trajectory, first + past, first + past + 1), D, 1)
            note("one step", truth, by_component({name: each[0] for name, each in made.items()}, D, 1))
        steps = min(max(end for _, end in WINDOWS.values()), frames - past)
        x = caster.start(source, [trajectory])
        for step, frame in enumerate(caster.roll_out(x, steps), start=1):
            window = next((name for name, (a, b) in WINDOWS.items() if a <= step <= b), None)
            if window is not None:
                truth = by_component(source.read(trajectory, past + step - 1, past + step), D, 1)
                note(window, truth, by_component(frame, D, 1))
    return {window: _averaged(errors) for window, errors in found.items()}


def _averaged(errors: Mapping[str, Sequence[np.ndarray]]) -> dict[str, float]:
    means = {name: np.mean(each, axis=0) for name, each in errors.items()}
    return {name: float(each.mean()) for name, each in means.items()} | {
        "mean": float(np.concatenate(list(means.values())).mean())
    }


def convert(low: Model) -> Model:
    """Walls along y become walls along z, and what is new is y."""
    high = low.to_dimension(3, new_axis="y")
    print(high.certificate, flush=True)
    high.verify()
    return high


def run(folder: Path, output: Path, settings: Settings) -> dict[str, dict[str, dict[str, float]]]:
    """All of it; what is there already is not done again."""
    output.mkdir(parents=True, exist_ok=True)
    said = output / "settings.json"
    if said.exists() and type(settings)(**json.loads(said.read_text())) != settings:
        raise SystemExit(f"{output} was begun with other settings: {said.read_text()}")
    said.write_text(json.dumps(asdict(settings), indent=1) + "\n")
    low, high = sources(folder, 2, settings), sources(folder, 3, settings)
    print(check_pair(low["test"], high["test"]), flush=True)
    results: dict[str, dict[str, dict[str, float]]] = read(output)

    def made(name: str, make) -> Model:
        path = output / f"{name}.safetensors"
        if not path.exists():
            make().save(path)
        return ginjax.load(path)

    def scored(name: str, model: Model, source: Source) -> None:
        if name not in results:
            results[name] = scores(model, source, settings.starts)
            (output / "scores.json").write_text(json.dumps(results, indent=1) + "\n")
            print(table(results, same_step=settings.same_step), flush=True)

    known = {"residual": True, "past_steps": settings.past_steps}
    plane = made(
        "trained_2d",
        lambda: ginjax.train(
            low, settings.training(settings.steps, settings.batch_size), network=settings.network(), **known
        ),
    )
    scored("2D, trained there", plane, low["test"])
    space = made("converted_3d", lambda: convert(plane))
    if settings.same_step or settings.told:
        scored("3D, converted, no data in 3D", space, high["test"])
    tuning = settings.training(settings.tuning_steps, settings.tuning_batch)
    # The network was trained at another time step: it is for that of the 3D data from here on.
    adapt = () if settings.same_step or settings.told else ("time-step",)
    tuned = made("tuned_3d", lambda: space.tune(high, replace(tuning, noise=0.0), adapt=adapt))
    scored("3D, converted and tuned", tuned, high["test"])
    if settings.from_scratch:
        fresh = made("scratch_3d", lambda: ginjax.train(high, tuning, network=settings.network(), **known))
        scored("3D, from random weights as long", fresh, high["test"])
    return results


def read(output: Path) -> dict[str, dict[str, dict[str, float]]]:
    path = output / "scores.json"
    return json.loads(path.read_text()) if path.exists() else {}


def table(results: Mapping[str, Mapping[str, Mapping[str, float]]], *, same_step: bool = False) -> str:
    """VRMSE of each field in one step, of all, and in rollouts, beside what is published."""
    names = list(
        dict.fromkeys(n for each in results.values() for n in each.get("one step", {}) if n != "mean")
    )
    columns = ["model", *names, "one step", *WINDOWS, "published, one step"]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for model, found in results.items():
        one = found["one step"]
        published = "-" if same_step else f"{PUBLISHED[2 if model.startswith('2D') else 3]}"
        windows = [f"{found[w]['mean']:.3f}" if w in found else "-" for w in WINDOWS]
        row = [model, *(f"{one[n]:.3f}" for n in names), f"{one['mean']:.3f}", *windows, published]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATASETS")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/pair"))
    parser.add_argument("--report", action="store_true")
    for name, default in asdict(Settings()).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(default, bool):
            parser.add_argument(option, action="store_true")
        else:
            kind = {"spacing": float, "architecture": str}.get(name, int)
            parser.add_argument(option, type=kind, default=default)
    given = vars(parser.parse_args(arguments))
    data, output, report = (given.pop(name) for name in ("data", "output", "report"))
    settings = Settings(**given)
    warnings.simplefilter("default")
    results = read(output) if report else run(data, output, settings)
    print(table(results, same_step=settings.same_step))


if __name__ == "__main__":
    main()
