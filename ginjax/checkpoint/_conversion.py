"""The result of a conversion: a check of its promise, and its file."""

import os
from dataclasses import dataclass

from ginjax.errors import VerificationError
from ginjax.transfer import Certificate

from ._model_file import ModelRecord, write_model


@dataclass(frozen=True)
class Conversion:
    """The result of a conversion: the model before and after, and the certificate."""

    before: ModelRecord
    after: ModelRecord
    certificate: Certificate

    def check(self, *, tolerance: float | None = None, allow_inexact: bool = False) -> None:
        """Refuse a conversion that does not keep its promise.

        **Arguments:**

        - `tolerance`: the largest residual that is accepted as exact; that of the certificate if None. The file stores the one
          of the certificate.
        - `allow_inexact`: accept the closest weights if a rule cannot keep its promise.

        **Raises:** `VerificationError` as `check_certificate` does.
        """
        if not allow_inexact:
            check_certificate(self.certificate.with_tolerance(tolerance))

    def write(
        self,
        target: str | os.PathLike[str],
        *,
        tolerance: float | None = None,
        allow_inexact: bool = False,
        force: bool = False,
    ) -> str:
        """Write the converted model, unless it does not keep its promise.

        **Arguments:**

        - `target`: the file to write.
        - `tolerance`, `allow_inexact`: as in `check`.
        - `force`: replace an existing file.

        **Returns:** the SHA-256 of the file.

        **Raises:** `VerificationError` as `check` does, `FileError` as `write_model` does.
        """
        self.check(tolerance=tolerance, allow_inexact=allow_inexact)
        return write_model(target, self.after, force=force)


def check_certificate(certificate: Certificate) -> None:
    """Refuse a conversion if its rule promises compatibility and its certificate does not confirm it.

    **Raises:** `VerificationError` that names the worst path and says why it is not exact.
    """
    if not certificate.promises or certificate.exact:
        return
    inexact = certificate.inexact_paths
    worst = max(inexact, key=lambda path: path.residual)
    why = worst.note or 'what is left is rounding: accept a larger residual, or use `dtype="float64"`'
    others = f" (and {len(inexact) - 1} more)" if len(inexact) > 1 else ""
    raise VerificationError(
        f"{worst.layer} {worst.path}{others} cannot be converted exactly",
        got=f"residual {worst.residual:.1e}",
        expected=f"at most {certificate.tolerance:.0e}",
        hint=f"{why[:1].upper()}{why[1:]}. `allow_inexact=True` writes the closest weights anyway.",
    )
