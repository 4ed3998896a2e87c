"""How a certificate is shown: as a table of its paths, and as a verdict in words."""

from typing import TYPE_CHECKING, Any

from ginjax._text import LONGEST_CELL, LONGEST_PART, clean

if TYPE_CHECKING:
    from ginjax.checkpoint import DataContract
    from ginjax.transfer import Certificate

    from ._output import Output


def show_paths(out: "Output", title: str, certificate: "Certificate") -> None:
    """Show one row for each path of each convolution. A plain convolution is one path."""
    plain = _is_plain(certificate)
    out.table(
        title,
        ("layer", "kernel taps", "rule", "residual", "exact")
        if plain
        else ("layer", "path", "filters", "rule", "residual", "free", "exact"),
        [
            (
                path.layer,
                *(() if plain else (path.path,)),
                f"{path.before} -> {path.after}",
                certificate.rule,
                f"{path.residual:.1e}",
                *(() if plain else (path.free,)),
                "yes" if path.residual <= certificate.tolerance else "no",
            )
            for path in certificate.paths
        ],
    )


def verdict_of(certificate: "Certificate") -> str:
    """What the certificate states, in one sentence."""
    low, total, wrong = certificate.from_dim, len(certificate.paths), len(certificate.inexact_paths)
    part = "convolution" if _is_plain(certificate) else "path"
    if total == 0:
        return f"compatible: there are no {part}s that could change what the {low}D network does"
    every = f"the only {part}" if total == 1 else f"all {total} {part}s"
    if not certificate.exact:
        some = f"{wrong} of {total} {part}s" if total > 1 else every
        do = "does" if wrong == 1 else "do"
        return f"{some} {do} not reproduce the {low}D network"
    if certificate.to_dim < low:
        do = "does" if total == 1 else "do"
        return f"compatible: {every} {do} what the {low}D network does on fields of the lower dimension"
    reproduce = "reproduces" if total == 1 else "reproduce"
    return f"compatible: {every} {reproduce} the {low}D network exactly"


def show_certificate(out: "Output", certificate: "Certificate", *, stale: bool = False) -> None:
    """Show the certificate in words: what holds, within which residual, and why something does not hold."""
    plain, verdict = _is_plain(certificate), verdict_of(certificate)
    if stale:
        verdict = f"void, because the model has changed since: {verdict}"
    with_flex = certificate.flex is not None and certificate.rule not in ("compatibility", "spin-embed")
    out.fields(
        f"Certificate, {certificate.from_dim}D -> {certificate.to_dim}D",
        {
            "rule": f"{certificate.rule} at {certificate.flex:g}" if with_flex else certificate.rule,
            "verdict": verdict,
            "largest residual" if plain else "largest residual of (C)": f"{certificate.residual:.1e}",
            "counts as exact up to": f"{certificate.tolerance:.0e}",
        }
        | _boundaries(certificate)
        | ({"holds of the fields": ", ".join(certificate.fields)} if certificate.fields else {})
        | ({} if plain else {"free directions": sum(path.free for path in certificate.paths)})
        | {"state": _state(certificate, stale)},
    )
    if stale:
        out.warn("the certificate does not belong to the model in this file")
    for note in dict.fromkeys(path.note for path in certificate.paths if path.note):
        where = [
            clean(path.layer, LONGEST_CELL) if plain else path.called
            for path in certificate.paths
            if path.note == note
        ]
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        out.note(f"{where[0]}{more}: {clean(note, LONGEST_PART)}")
    dropped = [(path, name) for path in certificate.paths for name in path.dropped]
    if dropped:
        path, name = dropped[0]
        out.note(
            f"{len(dropped)} filter(s) have no counterpart and were dropped, such as {clean(name, LONGEST_CELL)} of "
            f"{clean(path.layer, LONGEST_CELL)}"
        )


def _boundaries(certificate: "Certificate") -> dict[str, object]:
    """Which axes were added, and what happens at their ends, if the user chose these."""
    from ginjax.checkpoint import AXIS_NAMES

    new, places = certificate.new_boundaries, certificate.new_axes
    rows: dict[str, object] = {}
    if places:
        down = certificate.to_dim < certificate.from_dim
        rows["axes that went" if down else "new axes"] = ", ".join(AXIS_NAMES[i] for i in places)
    return rows | ({"assumes of the new axes": ", ".join(new)} if new else {})


def axes_in_words(before: "DataContract", after: "DataContract", certificate: "Certificate") -> str | None:
    """What every axis of a model is called after a conversion; None if no name changes."""
    places = certificate.new_axes
    if not places:
        return None
    low, high = sorted((before, after), key=lambda contract: contract.D)
    old = [axis.name for i, axis in enumerate(high.axes) if i not in places]
    pairs = zip([axis.name for axis in low.axes], old, strict=True)
    up = after is high
    kept = ", ".join(
        f"{a} stays {a}" if a == b else f"{a if up else b} becomes {b if up else a}" for a, b in pairs
    )
    names = ", ".join(high.axes[i].name for i in places)
    return f"axes: {kept}; {names} {'is new' if up else 'goes'}"


def _state(certificate: "Certificate", stale: bool) -> str:
    """Whether the certificate still matches the model, and how much of the model it covers."""
    if stale:
        return "STALE: the model has changed since"
    if certificate.covers == "weights":
        return "matches the weights; of an earlier version, it does not cover the rest of the file"
    return "matches the model"


def certificate_payload(certificate: "Certificate", *, stale: bool = False) -> dict[str, Any]:
    """The certificate as plain values."""
    return certificate.to_json() | {"stale": stale}


def _is_plain(certificate: "Certificate") -> bool:
    return all(path.path == "channels" for path in certificate.paths)
