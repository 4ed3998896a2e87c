"""What a conversion promises of two networks, and whether a verification shows it."""

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
    """What has to hold between a network and what it was converted to; build it with `promises_of`.

    **Arguments:**

    - `compatible`: whether the lift tests and condition (C) are promised: without a certificate they are, and with one if
      its rule promises them.
    - `equivariant`: whether the converted network is promised to be equivariant, which a plain one is not.
    - `why_inexact`: what the certificate says of the path that is least exact; None if all are exact.
    - `why_not`: why the lift tests are not promised; None if they are.
    """

    compatible: bool
    equivariant: bool
    why_inexact: str | None = None
    why_not: str | None = None

    def broken(self, found: Verification, tolerance: float | None = None) -> list[str]:
        """The checks that fail among those that were promised to hold, under `tolerance` or the limits of the precision."""
        return [
            name
            for name, (value, limit) in found.checks(tolerance).items()
            if value > limit and (self.equivariant if name.startswith("equivariance") else self.compatible)
        ]

    def check(self, found: Verification, tolerance: float | None = None, *, way_out: str = WAY_OUT) -> None:
        """Refuse a verification that does not show what was promised.

        **Arguments:**

        - `found`, `tolerance`: as in `broken`.
        - `way_out`: what the user can do, where the certificate does not say why.

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
    """What is promised of two networks.

    **Arguments:**

    - `high`: the one in the higher dimension.
    - `certificate`: of the conversion between the two, if there is one.
    - `changed`: what was done to the weights of one of them since, see `changed_since`.
    """
    why_not = None
    if certificate is not None and not certificate.promises:
        why_not = f"the rule {certificate.rule!r} does not promise compatibility"
    elif certificate is None and changed is not None:
        why_not = changed
    return Promises(why_not is None, bool(high.layers), _why_inexact(certificate), why_not)


def promises_between(low: ModelRecord, high: ModelRecord) -> Promises:
    """What is promised of two networks by their own certificates, and by what was done to them since.

    A certificate counts if it is of a conversion between their two dimensions. Without one all that conversions promise is,
    unless all weights were trained on since then, which promises nothing.

    **Arguments:**

    - `low`, `high`: the one in the lower and the one in the higher dimension.
    """
    return promises_of(high, certificate_between(low, high), changed_since(low, high))


def changed_since(low: ModelRecord, high: ModelRecord) -> str | None:
    """What was done to the weights of a network since it was converted from another; None if nothing was, or nobody knows.

    **Arguments:**

    - `low`, `high`: two networks, one made from the other.

    **Returns:** such as "all weights of the 3D model were tuned after its conversion".
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
    """The certificate of the conversion from one record to the other, in the record that was converted; None without one."""
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
