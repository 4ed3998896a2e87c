"""`ginjax hub pull`: fetch a file from the Hub by name."""

from pathlib import Path
from typing import Annotated

import typer

from ginjax._text import shell_word
from ginjax_cli._options import Debug, Force, Json, OptionalOutputPath, Quiet
from ginjax_cli._output import Output


def pull(
    address: Annotated[
        str,
        typer.Argument(
            help="The repository: user/name. Add @REVISION for a branch, a tag or a commit, and /FILE for a "
            "file other than model.safetensors.",
            metavar="REPOSITORY",
        ),
    ],
    output: OptionalOutputPath = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Fetch a model from the Hugging Face Hub, or weights or a graph of another program.

    The command fetches only .safetensors and .onnx files, which cannot contain code. It needs the extra hub. In Python,
    ginjax.load("hf://user/name") loads a model directly.
    """
    import shutil

    from ginjax.checkpoint import (
        atomic_write,
        check_output,
        check_target,
        file_kind,
        opened,
        read_model,
        refuse_exchanged,
    )
    from ginjax.errors import FileError
    from ginjax.hub import HubAddress, fetch, refuse_absent

    out = Output(json=json, quiet=quiet)
    asked = HubAddress.parse(address)
    target = Path(Path(asked.file).name) if output is None else output
    check_output(target, "graph" if asked.file.lower().endswith(".onnx") else "model")
    try:
        check_target(target, force=force, links=output is not None)
    except FileError:
        refuse_absent(
            asked
        )  # a missing file on the Hub is reported first: for the right address the name may be free
        raise
    found = fetch(asked, progress=out.is_drawn)
    with opened(found.path) as (stream, _):
        kind = file_kind(found.path)
        if kind.name == "model":
            read_model(found.path)
        elif kind.name not in ("filters", "pairs", "arrays", "safetensors", "onnx"):
            raise FileError(
                f"{found.address}: is {kind.words}",
                expected="a model, or weights or a graph of another program",
            )
        refuse_exchanged(found.path, stream)
        atomic_write(target, lambda copy: shutil.copyfileobj(stream, copy, 2**20), force=force)
    out.fields("Fetched", {"is": kind.words, "address": str(found.address)})
    out.result(target, {"kind": kind.name, "address": str(found.address)})
    out.next_step(f"ginjax inspect {shell_word(target)}")
