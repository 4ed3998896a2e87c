"""`ginjax hub push`: publish a model with its card."""

from pathlib import Path
from typing import Annotated

import typer

from ginjax_cli._options import Debug, Json, Quiet
from ginjax_cli._output import Output


def push(
    model: Annotated[Path, typer.Argument(help="A model file.", metavar="MODEL")],
    address: Annotated[
        str,
        typer.Argument(
            help="The repository, user/name; with @BRANCH for another branch than main, and /FILE for another name than "
            "model.safetensors. It is made if it is not there.",
            metavar="REPOSITORY",
        ),
    ],
    evaluation: Annotated[
        Path | None,
        typer.Option(
            "--evaluation",
            help="The folder of 'ginjax evaluate', or its evaluation.json: the card then tells the errors.",
            metavar="PATH",
            show_default="no errors",
        ),
    ] = None,
    card: Annotated[
        bool,
        typer.Option(
            "--card/--no-card", help="Write the card too, as README.md, over the one that is there."
        ),
    ] = True,
    private: Annotated[
        bool, typer.Option("--private", help="Make the repository private, if it is made.")
    ] = False,
    message: Annotated[
        str | None,
        typer.Option("--message", help="What the commit is called.", show_default="the model in words"),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Publish a model and its card on the Hugging Face Hub.

    The token is that of 'hf auth login', or of the variable HF_TOKEN. Needs the extra hub.
    """
    from ginjax.checkpoint import read_evaluation
    from ginjax.errors import ArgumentError
    from ginjax.hub import push_model

    out = Output(json=json, quiet=quiet)
    if evaluation is not None and not card:
        raise ArgumentError("--evaluation", got="--no-card", expected="a card, which tells it")
    made = push_model(
        model,
        address,
        evaluation=None if evaluation is None else read_evaluation(evaluation),
        card=card,
        private=private,
        message=message,
        progress=out.is_drawn,
    )
    if card and evaluation is None:
        out.note("the card tells no errors; --evaluation takes those of 'ginjax evaluate'")
    out.fields("Published", {"model": str(made.address), "page": made.url})
    out.result(None, {"address": str(made.address), "url": made.url})
    out.next_step(f"ginjax hub pull {made.address}")
