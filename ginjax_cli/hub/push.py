"""`ginjax hub push`: publish a model with its card."""

from pathlib import Path
from typing import Annotated

import typer

from ginjax_cli._options import Debug, Json, Quiet
from ginjax_cli._output import Output


def push(
    model: Annotated[Path, typer.Argument(help="The model file.", metavar="MODEL")],
    address: Annotated[
        str,
        typer.Argument(
            help="The repository: user/name. Add @BRANCH for a branch other than main, and /FILE for a name "
            "other than model.safetensors. A repository or branch that does not exist is made.",
            metavar="REPOSITORY",
        ),
    ],
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
    card: Annotated[
        bool,
        typer.Option(
            "--card/--no-card", help="Write the card too, as README.md. It replaces an existing one."
        ),
    ] = True,
    private: Annotated[
        bool, typer.Option("--private", help="If the repository is made, make it private.")
    ] = False,
    message: Annotated[
        str | None,
        typer.Option("--message", help="The message of the commit.", show_default="the model in words"),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Publish a model and its card on the Hugging Face Hub.

    Log in with 'hf auth login' first, or put a token into the variable HF_TOKEN. The command needs the extra hub.
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
