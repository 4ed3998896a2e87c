"""`ginjax export`: write a network for other programs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ginjax._text import shell_line

from ._options import Debug, Force, Json, Quiet
from ._output import Output

if TYPE_CHECKING:
    from ginjax.checkpoint import OutputKind

_KINDS = {".onnx": "ONNX", ".stablehlo": "StableHLO", ".safetensors": "kernels (out, in, *sides)"}
_OUTPUTS: "Mapping[str, OutputKind]" = {
    ".onnx": "graph",
    ".stablehlo": "program",
    ".safetensors": "state dict",
}


def export(
    model: Annotated[Path, typer.Argument(help="The model file.", metavar="MODEL")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="The file to write: NAME.onnx for a graph that many programs run, NAME.stablehlo for a "
            "program that the runtimes of JAX run, NAME.safetensors for ordinary kernels that any library "
            "can load.",
            metavar="FILE",
        ),
    ],
    grid: Annotated[
        str | None,
        typer.Option(
            "--grid",
            help="Sides of the grid for which to write a graph or a program, such as 64,64.",
            metavar="N,...",
            show_default="any grid",
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a network for other programs, after checking that it computes the same as the model.

    Every format computes what the network itself computes: normalised fields in, normalised fields out. The scales of
    the fields are in the model file, and ginjax card shows them.
    """
    import hashlib

    from ginjax.checkpoint import (
        atomic_write,
        check_output,
        check_target,
        read_model,
        refuse_folder,
        write_dense,
    )
    from ginjax.errors import ArgumentError

    out = Output(json=json, quiet=quiet)
    refuse_folder(output)
    kind = output.suffix.lower()
    if kind not in _KINDS:
        raise ArgumentError("`output`", got=str(output), expected=f"a name that ends in {', '.join(_KINDS)}")
    sides = _sides(grid)
    if sides is not None and kind == ".safetensors":
        raise ArgumentError(
            "`grid`", got="kernels, which fit every grid", expected="a .stablehlo or an .onnx file"
        )
    check_output(output, _OUTPUTS[kind], {"the model": model})
    check_target(output, force=force)
    record = read_model(model)
    if kind != ".safetensors":
        from ginjax.models import export_onnx, export_stablehlo

        payload = (export_stablehlo if kind == ".stablehlo" else export_onnx)(record, sides)
        atomic_write(output, payload, force=force)
        sha256 = hashlib.sha256(payload).hexdigest()
        about = {"format": _KINDS[kind], "bytes": len(payload), "grid": grid or "any"}
    else:
        from ginjax.models import export_dense

        arrays = export_dense(record)
        sha256 = write_dense(output, record, force=force)
        about = {"format": _KINDS[kind], "arrays": len(arrays)}
    out.fields("Exported", {**about, "checked": "by running it against the network"})
    out.result(output, {**about, "sha256": sha256})
    if kind == ".onnx":
        out.next_step(shell_line(["ginjax", "inspect", str(output)]))


def _sides(text: str | None) -> tuple[int, ...] | None:
    from ginjax.errors import ArgumentError

    if text is None:
        return None
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise ArgumentError("`grid`", got=repr(text), expected="whole numbers such as 64,64")
    return tuple(map(int, parts))
