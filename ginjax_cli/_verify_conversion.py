"""`ginjax convert-d --verify`: run both networks before anything is written."""

from typing import TYPE_CHECKING, Any

from ._output import Output

if TYPE_CHECKING:
    from ginjax.checkpoint import Conversion
    from ginjax.models import Verification


def verify_conversion(
    out: Output, conversion: "Conversion", seed: int, allow_inexact: bool
) -> dict[str, Any]:
    """Run both networks. A broken promise is an error, and then nothing is written."""
    from ginjax.ml import shortest_waves
    from ginjax.models import (
        STAGES,
        Promises,
        default_side,
        from_record,
        verification_effort,
        verify_records,
    )

    from .verify import WAY_OUT, show_waves, verification_payload, waves_payload

    low, high = sorted((conversion.before, conversion.after), key=lambda record: record.D)
    side = default_side(from_record(low), walled=not all(high.is_torus))
    effort = verification_effort(low, high, side=side)
    if effort.warning is not None:
        out.note(effort.warning)
    effort.check()
    with out.progress(STAGES, "running both networks") as progress:
        result: Verification = verify_records(
            conversion.before, conversion.after, seed=seed, progress=progress.advance
        )
    out.table("Verification", ("check", "defect", "limit", "holds"), result.rows())
    promised = conversion.certificate.promises and not allow_inexact
    Promises(promised, bool(conversion.after.layers)).check(result, way_out=WAY_OUT)
    waves = shortest_waves(low, high)
    show_waves(out, waves)
    return verification_payload(result) | {"shortest_waves": waves_payload(waves)}
