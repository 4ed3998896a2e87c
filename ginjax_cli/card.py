"""`ginjax card`: the model card of a file."""

from pathlib import Path
from typing import Annotated

import typer

from ._options import Debug, Force, Json, OptionalOutputPath, Quiet
from ._output import Output


def card(
    model: Annotated[Path, typer.Argument(help="The model file.", metavar="MODEL")],
    output: OptionalOutputPath = None,
    evaluation: Annotated[
        Path | None,
        typer.Option(
            "--evaluation",
            help="The folder that 'ginjax evaluate' wrote, or its evaluation.json. The card then states the "
            "errors.",
            metavar="PATH",
            show_default="no errors",
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a model card: fields, units, history, certificate, errors, and how to load the model.

    The card is Markdown and begins with the metadata that the Hugging Face Hub reads. If it is called README.md and lies
    beside the model, it is the page of a repository there.
    """
    from ginjax.checkpoint import (
        atomic_write,
        check_output,
        check_target,
        evaluation_file,
        model_card,
        read_evaluation,
        read_model,
        with_name_of_its_own,
    )

    out = Output(json=json, quiet=quiet)
    target = with_name_of_its_own(model).with_suffix(".md") if output is None else output
    read = {"the model": model, "the evaluation": None if evaluation is None else evaluation_file(evaluation)}
    check_output(target, "card", read)
    record = read_model(model)
    check_target(target, force=force, links=output is not None)
    text = model_card(record, model.name, None if evaluation is None else read_evaluation(evaluation))
    atomic_write(target, text.encode("utf-8"), force=force)
    if evaluation is None:
        out.note("the card tells no errors; --evaluation takes those of 'ginjax evaluate'")
    out.result(target, {"characters": len(text), "digest": record.digest})
