"""The promises of a conversion, and the check that a verification confirms them."""

from __future__ import annotations

from dataclasses import dataclass

from ...checkpoint import ModelRecord
from ...errors import VerificationError
from ...transfer import Certificate
from ._verification import Verification

WAY_OUT = (
    "Convert again with the rule 'compatibility' (dtype='float64' leaves no rounding to amplify), or check that one model "
    "was made from the other."
)


@dataclass(frozen=True)
class Promises:
    """The properties that a conversion promises of two networks; build it with `promises_of` or `promises_between`.

    **Arguments:**

    - `compatible`: whether the lift tests and condition (C) are promised.
    - `equivariant`: whether equivariance is promised; it is not for a plain network.
    - `why_inexact`: what the certificate says of the least exact path; None if all paths are exact.
    - `why_not`: why the lift tests are not promised; None if they are.
    """

    compatible: bool
    equivariant: bool
    why_inexact: str | None = None
    why_not: str | None = None

    def broken(self, found: Verification, tolerance: float | None = None) -> list[str]:
        """Return the names of the promised checks that fail, under `tolerance` or the limits of the precision."""
        return [
            name
            for name, (value, limit) in found.checks(tolerance).items()
            if value > limit and (self.equivariant if name.startswith("equivariance") else self.compatible)
        ]

    def check(self, found: Verification, tolerance: float | None = None, *, way_out: str = WAY_OUT) -> None:
        """Refuse a verification that breaks a promise.

        **Arguments:**

        - `found`, `tolerance`: as in `broken`.
        - `way_out`: advice for the user, used if the certificate does not give a reason.

        **Raises:** `VerificationError` for the first promise that is broken.
        """
        broken = self.broken(found, tolerance)
        if not broken:
            return
        value, limit = found.checks(tolerance)[broken[0]]
        raise VerificationError(
            broken[0],
            got=f"{value:.1e}",
            expected=f"at most {limit:.0e}",
            hint=self.why_inexact or way_out,
        )


def promises_of(high: ModelRecord, certificate: Certificate | None, changed: str | None = None) -> Promises:
    """Determine the promises for two networks.

    The lift tests are promised unless the rule of the certificate does not promise them or, without a certificate, weights were
    changed after the conversion.

    **Arguments:**

    - `high`: the network in the higher dimension.
    - `certificate`: the certificate of the conversion between the two, or None.
    - `changed`: how the weights of one of them were changed since then, see `changed_since`; None if they were not.
    """
    why_not = None
    if certificate is not None and not certificate.promises:
        why_not = f"the rule {certificate.rule!r} does not promise compatibility"
    elif certificate is None and changed is not None:
        why_not = changed
    return Promises(why_not is None, bool(high.layers), _why_inexact(certificate), why_not)


def promises_between(low: ModelRecord, high: ModelRecord) -> Promises:
    """Determine the promises for two networks from their certificates and histories.

    A certificate counts if it is of a conversion between their two dimensions. Without one the lift tests are promised, unless
    weights were changed after the conversion, see `changed_since`.

    **Arguments:**

    - `low`, `high`: the networks in the lower and in the higher dimension.
    """
    return promises_of(high, certificate_between(low, high), changed_since(low, high))


def changed_since(low: ModelRecord, high: ModelRecord) -> str | None:
    """Describe how the weights of a network were changed after its conversion; None for no known change.

    Tuning that kept the networks compatible does not count.

    **Arguments:**

    - `low`, `high`: two networks, one made from the other.

    **Returns:** a text such as "all weights of the 3D model were tuned after its conversion".
    """
    for made, given in ((high, low), (low, high)):
        since = made.provenance[len(given.provenance) :]
        if made.provenance[: len(given.provenance)] != given.provenance:
            continue  # not made from it
        if not any(step.get("step") == "convert" for step in since):
            continue
        for step in reversed(since):
            if step.get("step") == "tune" and not step.get("kept_compatible"):
                which = "weights that were not frozen" if step.get("freeze") else "all weights"
                return f"{which} of the {made.D}D model were tuned after its conversion"
            if step.get("step") == "edit":
                return f"weights of the {made.D}D model were changed by hand after its conversion"
    return None


def certificate_between(low: ModelRecord, high: ModelRecord) -> Certificate | None:
    """Return the certificate of the conversion between two records, from the converted record; None without one."""
    for made, given in ((high, low), (low, high)):
        certificate = made.certificate
        if certificate is not None and (certificate.from_dim, certificate.to_dim) == (given.D, made.D):
            return certificate
    return None


def _why_inexact(certificate: Certificate | None) -> str | None:
    if certificate is None or certificate.exact:
        return None
    worst = max(certificate.inexact_paths, key=lambda path: path.residual)
    return f"The certificate says so, of {worst.called}: {worst.reason or 'not exact'}."
