"""Networks of other libraries in `convert-d`, `verify` and `inspect`."""

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from ._conversion_asked import ConversionAsked
from ._network_options import NetworkOptions
from ._output import Output
from ._state_dict_report import conversion_payload, say_check, shape_text, show_conversion, show_rows

if TYPE_CHECKING:
    from ginjax.state_dict import Plan, StateDict

_MEANINGLESS = (
    "flex", "lift_parity", "pde", "data", "calibrate", "samples", "field", "axes", "parity", "periodic", "condition", "split", "dtype",
    "verify", "size", "new_boundary",
)  # fmt: skip


def convert(out: Output, asked: ConversionAsked, options: NetworkOptions) -> None:
    """Convert a network of another library, or show what would happen to each of its arrays.

    **Arguments:**

    - `options`: the options about the network.
    """
    from ginjax.checkpoint import check_certificate, check_target
    from ginjax.state_dict import (
        carry_out,
        check_state_dict_output,
        default_target,
        plan_state_dict,
        read_state_dict,
        write_state_dict,
    )

    source, dry_run = asked.source, asked.dry_run
    target = asked.output or default_target(source, asked.to_dim)
    check_state_dict_output(
        target,
        {
            "the network to be converted": source,
            "the network of --like": options.like,
            "the file of --modules": options.modules,
        },
    )
    if not dry_run:
        check_target(target, force=asked.force, links=asked.output is not None)
    state = read_state_dict(source)
    like = None if options.like is None else read_state_dict(options.like)
    plan = plan_state_dict(state, asked.to_dim, plain_rule(asked.rescale), _described(options, like))
    if plan.unclear or plan.meaningless:
        if dry_run:
            show_rows(out, source, plan, None, whole=True)
        _say_how_to_describe(out, plan)
        plan.check()
    conversion = carry_out(state, plan, like)
    certificate = conversion.certificate.with_tolerance(asked.tol)
    show_conversion(out, source, conversion, whole=dry_run)
    if not asked.allow_inexact:
        check_certificate(certificate)
    payload = conversion_payload(conversion) | {"dry_run": dry_run}
    if dry_run:
        out.result(None, payload)
        out.next_step(asked.command())
        return
    write_state_dict(target, conversion.after, force=asked.force)
    out.result(target, payload)
    say_check(out, conversion)
    out.next_step(f"ginjax verify {quote(str(source))} {quote(str(target))}")


def refuse_meaningless(given: Mapping[str, Any]) -> None:
    """Refuse options that have a meaning only for models of ginjax."""
    from ginjax.errors import ArgumentError

    for name in _MEANINGLESS:
        if given[name] or (given[name] == 0 and given[name] is not False):
            raise ArgumentError(
                f"--{name.replace('_', '-')}",
                got="a network of another library",
                expected="a model of ginjax",
                hint="The networks of other libraries are not run here: run both once, as the report says."
                if name == "verify"
                else None,
            )


def plain_rule(name: str | None) -> Any:
    """The rule of that name; `tile` if the user named none.

    **Raises:** `ArgumentError` for a rule that needs invariant filters, or `all`.
    """
    from ginjax.errors import ArgumentError
    from ginjax.transfer import RULES

    name = name or "tile"
    plain = [each for each, named in RULES.items() if named.is_plain]
    if name not in plain:
        raise ArgumentError(
            "--rescale", got=f"{name} and a network of another library", expected=" or ".join(plain)
        )
    return RULES[name].rule


def verify(out: Output, low: Path, high: Path, tol: float | None) -> None:
    """Compute the certificate of a converted network again, from both files."""
    from ginjax.errors import VerificationError
    from ginjax.state_dict import read_state_dict, recheck_state_dict

    from ._certificate import certificate_payload, show_certificate, show_paths

    found = recheck_state_dict(read_state_dict(low), read_state_dict(high))
    certificate = found.certificate.with_tolerance(tol)
    show_paths(out, f"{low} and {high}", certificate)
    show_certificate(out, certificate, stale=found.stale)
    if found.changed:
        out.warn(f"{len(found.changed)} arrays are not the same in both files, such as {found.changed[0]!r}")
    holds = not certificate.promises or (certificate.exact and not found.changed)
    out.result(
        None,
        {
            "low": str(low),
            "high": str(high),
            "promised": certificate.promises,
            "holds": holds,
            "certificate_stale": found.stale,
            "changed": list(found.changed),
            "certificate": certificate_payload(certificate, stale=found.stale),
        },
    )
    if not holds:
        raise VerificationError(
            f"{high} does not do what {low} does",
            got=f"residual {certificate.residual:.1e}, {len(found.changed)} arrays changed",
            expected=f"at most {certificate.tolerance:.0e}, none",
            hint="Check that one file was made from the other; training either of them changes it.",
        )
    out.next_step(f"ginjax inspect {quote(str(high))}")


def show(out: Output, path: Path) -> tuple[dict[str, Any], str | None]:
    """Show what is in a network of another library. Return the payload, and the command that comes next."""
    from ginjax.state_dict import find_kernels, find_layout, read_record, read_state_dict

    from ._certificate import certificate_payload, show_certificate, show_paths

    state = read_state_dict(path)
    record = read_record(state)
    found = {name: find_kernels(state.arrays, find_layout(name)) for name in ("pytorch", "flax")}
    layout = max(found, key=lambda name: len(found[name]))
    kernels = found[layout]
    out.fields(
        str(path),
        {
            "kind": "network of another library",
            "arrays": len(state.arrays),
            "parameters": state.parameters,
            "precision": ", ".join(sorted({a.dtype.name for a in state.arrays.values()})),
            "kernels": f"{len(kernels)}, named as {layout} does" if kernels else "none that are recognised",
        },
    )
    out.table(
        "Arrays",
        ("name", "dtype", "shape", "kernel"),
        [(name, a.dtype.name, shape_text(a.shape), name in kernels) for name, a in state.arrays.items()],
    )
    stale = record is not None and record.is_stale(state.arrays)
    if record is not None:
        show_paths(out, "Conversion", record.certificate)
        show_certificate(out, record.certificate, stale=stale)
    payload = {
        "kind": "state dict",
        "parameters": state.parameters,
        "arrays": [
            {"name": name, "dtype": a.dtype.name, "shape": list(a.shape), "kernel": name in kernels}
            for name, a in state.arrays.items()
        ],
        "metadata": {name: text for name, text in state.metadata.items() if len(text) < 1000},
        "certificate": None if record is None else certificate_payload(record.certificate, stale=stale),
    }
    dims = sorted({len(kernel.shape) - 2 for kernel in kernels.values()})
    if not dims or dims[-1] > 2:
        return payload, None
    layout_words = "" if layout == "pytorch" else f" --layout {layout}"
    return (
        payload,
        f"ginjax convert-d {quote(str(path))} --to-dim {dims[-1] + 1}{layout_words} --dry-run",
    )


def _described(options: NetworkOptions, like: "StateDict | None") -> Any:
    from dataclasses import replace

    described = options.description()
    if like is None:
        return described
    return replace(described, like={name: array.shape for name, array in like.arrays.items()})


def _say_how_to_describe(out: Output, plan: "Plan") -> None:
    """Print the lines that write what the file does not tell, if only that is missing."""
    from ginjax.state_dict import DESCRIBE_LINES

    if not plan.unclear or plan.meaningless:
        return
    out.note("These lines, run where the network is at hand as `model`, write what --modules reads:")
    for line in DESCRIBE_LINES.splitlines():
        out.note(line)
