"""Convert the record of a model to another dimension, by a rule or calibrated on samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ginjax._progress import ProgressBar
from ginjax.checkpoint import Conversion, ModelRecord, NewAxis, convert_record
from ginjax.errors import ArgumentError
from ginjax.ml import calibrate
from ginjax.ml.transfer import EVALUATIONS
from ginjax.transfer import PlainRule, Rule, make_rule
from ginjax.workflow._arguments import check_whole
from ginjax.workflow._data import Data, samples_of


def converted(
    record: ModelRecord,
    D: int,
    rescale: str | Rule | PlainRule,
    *,
    flex: float | None,
    lift_parity: bool,
    new_boundary: str | Mapping[str, str] | None,
    new_axis: NewAxis | None,
    dtype: str | None,
    allow_inexact: bool,
) -> Conversion:
    """Convert the record of a model, as `Model.to_dimension` does."""
    check_whole("D", D, least=1)
    if not isinstance(rescale, str | Rule | PlainRule):
        raise ArgumentError(
            "rescale",
            got=repr(rescale)[:60],
            expected="the name of a rule, or a rule",
            hint="See ginjax.transfer.RULES.",
        )
    if not isinstance(rescale, str) and flex is not None:
        raise ArgumentError(
            "flex", got="a rule that is no name", expected="the name of a rule, such as 'compat-flex'"
        )
    # A name without flex may be one of the rules for plain networks, which `make_rule` does not know.
    rule = make_rule(rescale, flex) if isinstance(rescale, str) and flex is not None else rescale
    conversion = convert_record(
        record,
        D,
        rule,
        dtype=dtype,
        parity_lift=lift_parity,
        new_boundary=new_boundary,
        new_axis=new_axis,
    )
    conversion.check(allow_inexact=allow_inexact)
    return conversion


def calibrated(
    record: ModelRecord,
    D: int,
    data: Data,
    rescale: str,
    *,
    samples: int,
    seed: int,
    new_boundary: str | Mapping[str, str] | None,
    new_axis: NewAxis | None,
    show: Callable[..., ProgressBar],
) -> Conversion:
    """Calibrate the record of a model, as `Model.calibrate` does; `show(total, description)` makes a progress bar."""
    check_whole("D", D, least=1)
    check_whole("samples", samples, least=1)
    task = samples_of(data, record, D, samples=samples, new_boundary=new_boundary, new_axis=new_axis)
    X, Y = task.pairs()
    with show(EVALUATIONS, "calibrating") as bar:
        conversion, _ = calibrate(
            record,
            D,
            X,
            Y,
            rescale,
            seed=seed,
            new_boundary=new_boundary,
            new_axis=new_axis,
            progress=bar.advance,
        )
    conversion.check()
    return conversion
