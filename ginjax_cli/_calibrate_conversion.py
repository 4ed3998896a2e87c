"""`ginjax convert-d --calibrate`: choose the free directions of a rule on samples."""

from typing import TYPE_CHECKING, Any

from ._output import Output
from ._samples_asked import SamplesAsked

if TYPE_CHECKING:
    from ginjax.checkpoint import Conversion, ModelRecord


def rule_to_calibrate(rescale: str | None) -> str:
    """The rule that `--calibrate` starts from: the one that the user named, otherwise `isotropic`.

    **Raises:** `ArgumentError` for a rule that calibration cannot start from.
    """
    from ginjax.errors import ArgumentError

    if rescale is None:
        return "isotropic"
    if rescale not in ("isotropic", "compat-flex"):
        raise ArgumentError(
            "--calibrate", got=f"--rescale {rescale}", expected="--rescale isotropic or compat-flex"
        )
    return rescale


def calibrate_conversion(
    out: Output, record: "ModelRecord", to_dim: int, rule: str, samples: SamplesAsked
) -> "tuple[Conversion, dict[str, Any]]":
    """Convert a model, and choose among the exact solutions near the rule on samples of the model's own task."""
    from ginjax.ml import calibrate
    from ginjax.ml.transfer import EVALUATIONS

    task, name = samples.of(out, record, (to_dim, record.D), default="train")
    X, Y = task.pairs()
    with out.progress(EVALUATIONS, "calibrating") as progress:
        conversion, chosen = calibrate(
            record,
            to_dim,
            X,
            Y,
            rule,
            seed=samples.seed,
            new_boundary=samples.new_boundary,
            new_axis=samples.new_axis,
            progress=progress.advance,
        )
    laid = f", laid into {to_dim}D in random directions," if chosen.turned else ""
    out.table(
        f"Chosen on {X.get_L()} samples of {name}{laid} in {chosen.evaluations} evaluations: "
        f"relative squared error {chosen.loss_before:.2e} -> {chosen.loss_after:.2e}",
        ("layer", f"moved from {rule}"),
        [
            (layer, f"{value:+.3f}" + (" (at its bound)" if layer in chosen.at_bound else ""))
            for layer, value in chosen.moves.items()
        ],
    )
    if chosen.at_bound:
        out.note("a move at its bound means that the samples ask for more than is safe, or say little there")
    if chosen.turned:
        out.note(
            "data laid in random directions are right where physics prefers no direction, as gravity, a mean flow or a layered medium does"
        )
    return conversion, {
        "calibrated_moves": dict(chosen.moves),
        "calibrated_from": chosen.rule,
        "turned": chosen.turned,
        "at_bound": list(chosen.at_bound),
        "data": name,
        "samples": X.get_L(),
        "loss_before": chosen.loss_before,
        "loss_after": chosen.loss_after,
    }
