"""Convert a model file to another dimension without running the network."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ginjax._version import __version__
from ginjax.errors import ArgumentError, UnsupportedError, VerificationError
from ginjax.filters import FilterBank
from ginjax.transfer import Certificate, Rule, bank_chain, convert_weights

from ._arrays import weights_digest
from ._model_file import ModelRecord, read_model, write_model

DTYPES = ("float16", "float32", "float64")


@dataclass(frozen=True)
class Conversion:
    """What a conversion gave: the model before and after, and the certificate."""

    before: ModelRecord
    after: ModelRecord
    certificate: Certificate


def convert_record(
    record: ModelRecord,
    to_dim: int,
    rule: Rule,
    *,
    dtype: str | None = None,
    banks: Mapping[str, FilterBank] | None = None,
) -> Conversion:
    """Convert a model that was read, in memory; no verdict is passed on the certificate.

    **Arguments:**

    - `record`: the model.
    - `to_dim`: dimension to reach.
    - `rule`: from `ginjax.transfer.make_rule`.
    - `dtype`: of the arrays in the result; default: as they are.
    - `banks`: filters in the new dimension by role, for a model whose own match no recipe.

    **Raises:** `UnsupportedError` for a model without invariant filters, `ArgumentError` for a dimension that is
    not higher.
    """
    if not record.layers:
        raise UnsupportedError(
            "conversion of a model without invariant filters",
            got=f"{record.spec.get('architecture', 'a model')} with equivariant=False",
            expected="an equivariant model",
            hint="Train an equivariant model instead.",
        )
    if dtype is not None and dtype not in DTYPES:
        raise ArgumentError("dtype", got=repr(dtype), expected=" or ".join(DTYPES))
    chains = {role: bank_chain(bank, to_dim, (banks or {}).get(role)) for role, bank in record.banks.items()}
    arrays, certificate = convert_weights(
        record.arrays,
        record.layers,
        chains,
        rule,
        weights_digest,
        None if dtype is None else np.dtype(dtype),
    )
    after = replace(
        record,
        D=to_dim,
        banks={role: chain[-1] for role, chain in chains.items()},
        is_torus=(*record.is_torus, *(True,) * (to_dim - record.D)),
        arrays=arrays,
        certificate=certificate,
    ).with_step(
        step="convert",
        version=__version__,
        rule=rule.name,
        flex=certificate.flex,
        from_dim=record.D,
        to_dim=to_dim,
        source=record.digest,
    )
    return Conversion(record, after, certificate)


def convert_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    to_dim: int,
    rule: Rule,
    *,
    dtype: str | None = None,
    allow_inexact: bool = False,
    force: bool = False,
) -> Conversion:
    """Read a model file, convert it, check condition (C), and write the result.

    Equal input gives equal bytes. Nothing is written if a rule that promises compatibility does not keep its
    promise, unless `allow_inexact`.

    **Raises:** `FileError` as reading and writing do, `VerificationError` as `check_certificate` does.
    """
    conversion = convert_record(read_model(source), to_dim, rule, dtype=dtype)
    if not allow_inexact:
        check_certificate(conversion.certificate)
    write_model(target, conversion.after, force=force)
    return conversion


def check_certificate(certificate: Certificate) -> None:
    """Refuse a conversion whose rule promises compatibility that its certificate does not show.

    **Raises:** `VerificationError` naming the worst path and why it is not exact.
    """
    if not certificate.promises or certificate.exact:
        return
    inexact = certificate.inexact_paths
    worst = max(inexact, key=lambda path: path.residual)
    others = f" (and {len(inexact) - 1} more)" if len(inexact) > 1 else ""
    raise VerificationError(
        f"{worst.layer} {worst.path}{others} cannot be converted exactly",
        got=f"residual {worst.residual:.1e}",
        expected=f"at most {certificate.tolerance:.0e}",
        hint=f"{worst.note[:1].upper()}{worst.note[1:]}. --allow-inexact writes the closest weights anyway.",
    )
