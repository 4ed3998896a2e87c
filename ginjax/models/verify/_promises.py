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
    """

    compatible: bool
    equivariant: bool
    why_inexact: str | None = None

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


def promises_of(high: ModelRecord, certificate: Certificate | None) -> Promises:
    """What is promised of two networks.

    **Arguments:**

    - `high`: the one in the higher dimension.
    - `certificate`: of the conversion between the two, if there is one.
    """
    compatible = certificate is None or certificate.promises
    return Promises(compatible, bool(high.layers), _why_inexact(certificate))


def promises_between(low: ModelRecord, high: ModelRecord) -> Promises:
    """What is promised of two networks by their own certificates.

    A certificate counts if it is of a conversion between their two dimensions; without one, all that conversions promise is.

    **Arguments:**

    - `low`, `high`: the one in the lower and the one in the higher dimension.
    """
    return promises_of(high, certificate_between(low, high))


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
    return f"The certificate says so, of {worst.layer} {worst.path}: {worst.note or 'not exact'}."
