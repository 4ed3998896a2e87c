"""Models of ginjax in `convert-d`: convert by one rule and write the result, or compare all rules."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ginjax._text import shell_word

from ._calibrate_conversion import calibrate_conversion, rule_to_calibrate
from ._conversion_asked import ConversionAsked
from ._cost import DEFAULT_SIZE, show_cost
from ._output import Output
from ._rule_table import show_comparison
from ._samples_asked import SamplesAsked
from ._verify_conversion import verify_conversion

if TYPE_CHECKING:
    from ginjax.checkpoint import Conversion
    from ginjax.transfer import Certificate

DEFAULT_RULE = "compatibility"
_OF_ONE_CONVERSION = (
    "flex", "lift_parity", "calibrate", "dtype", "tol", "verify", "allow_inexact", "output", "dry_run", "size",
)  # fmt: skip
_OF_NO_CALIBRATION = ("flex", "dtype", "lift_parity")
"""Options that would change the weights in other ways than the calibration does."""


def refuse_meaningless(given: Mapping[str, Any], *, compares: bool) -> None:
    """Refuse options that would be ignored or contradict the rule.

    **Arguments:**

    - `given`: all options by name.
    - `compares`: whether all rules are compared. Then nothing is written.
    """
    if compares:
        _refuse_with_all(given)
    else:
        _refuse_with_one_rule(given)


def convert(out: Output, asked: ConversionAsked, samples: SamplesAsked | None) -> None:
    """Convert a model by one rule, or only show what that would do.

    **Arguments:**

    - `samples`: the samples to calibrate on; None for the rule without calibration.
    """
    from ginjax.checkpoint import check_output, check_target, convert_record, read_model, to_be_lifted
    from ginjax.transfer import find_rule

    source, to_dim, name = asked.source, asked.to_dim, asked.rescale or DEFAULT_RULE
    rule = find_rule(name, asked.flex)
    target = (
        asked.output or source.parent / f"{source.name.removesuffix('.safetensors')}.{to_dim}d.safetensors"
    )
    data = None if samples is None else samples.path
    check_output(target, "model", {"the model to be converted": source, "the data": data})
    if not asked.dry_run:
        check_target(target, force=asked.force, links=asked.output is not None)
    record, chosen = read_model(source), {}
    if samples is None:
        conversion = convert_record(
            record,
            to_dim,
            rule,
            dtype=asked.dtype,
            parity_lift=asked.lift_parity,
            new_boundary=asked.new_boundary,
            new_axis=asked.new_axis,
        )
    else:
        conversion, chosen = calibrate_conversion(
            out, record, to_dim, rule_to_calibrate(asked.rescale), samples
        )
    payload = chosen | _report(out, conversion, conversion.certificate.with_tolerance(asked.tol))
    payload["dry_run"] = asked.dry_run
    if asked.dry_run:
        payload["cost"] = show_cost(out, (conversion.before, conversion.after), asked.size or DEFAULT_SIZE)
    conversion.check(tolerance=asked.tol, allow_inexact=asked.allow_inexact)
    out.line(f"parameters: {conversion.before.parameters} -> {conversion.after.parameters}")
    odd = to_be_lifted(record) if to_dim > record.D and not asked.lift_parity else None
    if odd is not None:
        out.note(odd)
    if asked.verify:
        payload["verification"] = verify_conversion(out, conversion, asked.seed, asked.allow_inexact)
    if asked.dry_run:
        out.result(None, payload)
        more = () if asked.rescale is not None or samples is not None else ("--rescale", name)
        out.next_step(asked.command(*more))
        return
    sha256 = conversion.write(
        target, tolerance=asked.tol, allow_inexact=asked.allow_inexact, force=asked.force
    )
    out.result(target, payload | {"sha256": sha256})
    out.note(f"use it in Python: ginjax.load({str(target)!r}), on {to_dim}D fields")
    low, high = (source, target) if to_dim > record.D else (target, source)
    out.next_step(f"ginjax verify {shell_word(low)} {shell_word(high)}")


def compare(out: Output, asked: ConversionAsked, samples: SamplesAsked | None) -> None:
    """Compare all rules. Nothing is written.

    **Arguments:**

    - `samples`: the samples to measure errors on; None for no errors.
    """
    from ginjax.checkpoint import read_model
    from ginjax.ml.transfer import compare_rules

    record = read_model(asked.source)
    task = about = None
    if samples is not None:
        task, name = samples.of(out, record, asked.to_dim)
        about = f"{len(task.indices)} samples of {name}"
    found = compare_rules(record, asked.to_dim, task, asked.new_boundary, asked.new_axis)
    words = [f"--new-boundary {shell_word(each)}" for each in asked.ends]
    words += [] if asked.new_axis is None else [f"--new-axis {shell_word(asked.new_axis)}"]
    show_comparison(out, asked.source, record, asked.to_dim, found, about, words)


def _report(out: Output, conversion: "Conversion", certificate: "Certificate") -> dict[str, Any]:
    """Show what happened to each layer, and return the same as plain values."""
    from ._certificate import axes_in_words, certificate_payload, show_certificate, show_paths

    before, after = conversion.before, conversion.after
    moved = axes_in_words(before.contract, after.contract, certificate)
    if moved is not None:
        out.note(moved)
    show_paths(out, f"{after.spec['architecture']}, {before.D}D -> {after.D}D", certificate)
    show_certificate(out, certificate)
    return {
        "from_dim": before.D,
        "to_dim": after.D,
        "parameters_before": before.parameters,
        "parameters_after": after.parameters,
        "certificate": certificate_payload(certificate),
    }


def _refuse_with_all(given: Mapping[str, Any]) -> None:
    from ginjax.errors import ArgumentError

    for name in _OF_ONE_CONVERSION:
        if given[name] is not None and given[name] is not False:
            raise ArgumentError(
                f"--{name.replace('_', '-')}",
                got="--rescale all, which compares and writes nothing",
                expected="one rule",
            )
    if given["data"] is not None and given["pde"] is not None:
        raise ArgumentError("--pde", got="--data as well", expected="one of the two")


def _refuse_with_one_rule(given: Mapping[str, Any]) -> None:
    from ginjax.errors import ArgumentError

    if given["size"] is not None and not given["dry_run"]:
        raise ArgumentError("--size", got="a conversion to be written", expected="--dry-run")
    for name in ("pde", "data"):
        if given[name] is not None:
            got = f"--rescale {given['rescale'] or DEFAULT_RULE}"
            raise ArgumentError(f"--{name}", got=got, expected="--rescale all")
    if given["calibrate"] is None:
        return
    rule_to_calibrate(given["rescale"])
    for name in _OF_NO_CALIBRATION:
        if given[name]:
            option = f"--{name.replace('_', '-')}"
            raise ArgumentError("--calibrate", got=option, expected=f"no {option}")
