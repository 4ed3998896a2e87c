"""`ginjax demo`: train in 1D, convert, and compare, in about a minute."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ._config_file import asked_for
from ._options import EQUATIONS, Debug, Force, Json, Quiet, Seed
from ._output import Output
from ._picture_options import FORMAT, FormatName, PictureWidth, picture_path
from ._rule_table import note_left_out

_STEPS = 1200


def demo(
    ctx: typer.Context,
    pde: Annotated[
        str,
        typer.Option("--pde", parser=EQUATIONS, metavar=EQUATIONS.metavar, help="The equation to simulate."),
    ] = "diffusion",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The picture to write. Its ending sets the format: .png, .pdf or .svg.",
            metavar="FILE",
            show_default="demo.png",
        ),
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Number of training steps.")] = _STEPS,
    picture_format: Annotated[FormatName | None, FORMAT] = None,
    width: PictureWidth = "two",
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train in 1D, convert to 2D and 3D by several rules, and compare the errors on new fields.

    The command prints one table with the one-step errors and, beside them, the errors of predicting no change. It draws
    one picture with the predictions in 2D and 3D of the network that was trained only on 1D fields.
    """
    from ginjax.checkpoint import Claim

    out = Output(json=json, quiet=quiet)
    output = picture_path(output, "demo", picture_format)
    claim = ctx.with_resource(Claim(output, (output,), work=asked_for(ctx), force=force))

    from ginjax.data import MemorySource, find_pde
    from ginjax.ml import (
        HELD_OUT_OFFSET,
        TrainSettings,
        draw_transfer,
        make_task,
        make_window_task,
        train_model,
        zero_shot_prediction,
        zero_shot_study,
    )
    from ginjax.models import Network
    from ginjax.transfer import compared_rules

    fields = find_pde(pde).fields
    design = Network().design(fields, fields)
    with out.progress(3, f"simulating {pde} in 1D, 2D and 3D") as progress:
        task = make_task(pde, 1, seed=seed)
        held_out = []
        for D, count in ((1, 16), (2, 8), (3, 4)):
            held_out.append(
                make_task(
                    pde,
                    D,
                    trajectories=count,
                    frames=4,
                    seed=seed + HELD_OUT_OFFSET,
                    normalisation=task.normalisation,
                )
            )
            progress.advance()
    with out.progress(steps, "training in 1D") as progress:
        simulated = MemorySource.of(task.trajectories)
        trained = train_model(
            design.build(1, seed),
            make_window_task((simulated, None), None, None, task.normalisation),
            TrainSettings(steps=steps, seed=seed),
            on_report=lambda report: progress.update(report.step, f"loss {report.losses[-1]:.2e}"),
        )
    model = trained.model
    with out.progress(1 + 2 * len(compared_rules()), "converting and evaluating") as progress:
        study = zero_shot_study(model, held_out, progress=lambda status: progress.advance(status=status))
    predictions = [zero_shot_prediction(model, each) for each in held_out]
    out.table(
        f"One-step error (nRMSE) on held-out {pde} fields, trained on 1D only",
        ("dim", "rule", "residual of (C)", "error", "no change"),
        [
            (
                row.dim,
                row.rule,
                "-" if row.residual is None else f"{row.residual:.1e}",
                f"{row.error:.4g}",
                f"{row.persistence:.4g}",
            )
            for row in study.rows
        ],
    )
    note_left_out(out, study.left_out)
    best = min((row for row in study.rows if row.dim == 3), key=lambda row: row.error)
    out.line(f"best in 3D: {best.rule}, {best.error:.4g} against {best.persistence:.4g} for no change")
    # The picture comes last: if it cannot be drawn or stored, the numbers are not lost.
    draw_transfer(
        output,
        f"{pde}: trained on 1D fields only",
        predictions,
        contracts=[each.contract for each in held_out],
        width=width,
        force=claim.replaces(output),
    )
    claim.done()
    payload = {
        "equation": pde,
        "rows": [asdict(row) for row in study.rows],
        "left_out": dict(study.left_out),
    }
    out.result(output, payload)
    out.next_step("ginjax train")
