"""The hint for data whose grid spacing or time step differs from the model's: a command that makes data that fit."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ginjax.checkpoint import ContractError
    from ginjax.data import Source


def names_conversion(*data: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make the errors of a command about spacing or time step name the 'ginjax data convert' that makes data that fit.

    **Arguments:**

    - `data`: the parameters of the command that may hold the path of the data.
    """

    def around(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(*args: Any, **given: Any) -> None:
            from ginjax.errors import ArgumentError

            try:
                command(*args, **given)
            except ArgumentError as error:
                from ginjax.checkpoint import ContractError

                path = next((given[name] for name in data if given.get(name) is not None), None)
                if isinstance(error, ContractError) and path is not None:
                    error.hint = _hint(error, path, given)
                raise

        return run

    return around


def _hint(error: "ContractError", path: Path, given: dict[str, Any]) -> str | None:
    """The hint with the command, or with the reason why there is none. Hints of other errors stay as they are."""
    from ginjax.data import resampling_for
    from ginjax.errors import ArgumentError, GinjaxError

    from ._data_options import reading_of

    if error.difference.aspect not in ("spacing", "time-step"):
        return error.hint
    said = reading_of(*(given.get(name) for name in ("field", "parity", "periodic", "axes", "condition")))
    split, wanted = given.get("split"), error.wanted
    own = "" if error.hint == error.difference.hint else f"{error.hint} "
    try:
        with said.for_model(wanted).open(path, split=split) as source:
            way = resampling_for(source, wanted.spacing, wanted.time_step)
            words = _as_read(source, split)
    except ArgumentError as problem:
        reason = problem.problem
        if problem.subject == error.subject:  # the error has already said what was found
            reason = f"{problem.subject.removesuffix(' of the data')} would have to be {problem.expected}"
        return f"{own}The data cannot be made to fit the model: {reason}."
    except GinjaxError:
        return error.hint
    steps = [] if way.spacing is None else ["--spacing", f"{way.spacing:.7g}"]
    steps += [] if way.every == 1 else ["--every", str(way.every)]
    name = path.resolve().name if path.is_dir() else path.stem
    line = join(["ginjax", "data", "convert", str(path), *words, *steps, "-o", f"{name}.resampled.hdf5"])
    return f"{own}Data that fit are made by: {line}"


def _as_read(source: "Source", split: str | None) -> list[str]:
    """The options that read data in the same way again, whether the user, a model or nobody stated them."""
    words: list[str] = []
    kept = source.reading
    if kept is not None:
        words += [word for each in kept.fields for word in ("--field", each)]
        words += [word for name, parity in kept.parity.items() for word in ("--parity", f"{name}={parity}")]
    words += [word for name, order in source.read_as.items() for word in ("--axes", f"{name}={order}")]
    if source.boundaries_assumed or (kept is not None and kept.periodic is not None):
        axes = [axis for axis, periodic in zip("xyz", source.is_torus, strict=False) if periodic]
        words += ["--periodic", "all" if len(axes) == source.D else ",".join(axes) or "none"]
    return words if split is None else [*words, "--split", split]
