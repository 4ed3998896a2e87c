"""The hint for an output whose name belongs to another kind of file: the command that writes such a file."""

from ginjax._text import shell_word
from ginjax.errors import OutputNameError

_WRITERS = {
    "a graph of ONNX": "ginjax export {model} -o {name}",
    "a program in StableHLO": "ginjax export {model} -o {name}",
    "data in HDF5": "ginjax data convert DATA -o {name}",
    "a table": "ginjax evaluate {model} --csv {name}",
    "settings in TOML": "ginjax train --print-config, which prints them",
    "a model card": "ginjax card {model} -o {name}",
    "a picture": "ginjax compare {model} -o {name}",
    "an animation": "ginjax predict {model} DATA --gif",
    "a file of weights": "ginjax train -o {name}",
}
"""The command that writes each kind of file."""


_OF_ONE_KIND = ("graph", "a file of weights")
"""A graph is converted into a graph; the hint of the library says so."""


def what_writes(error: OutputNameError) -> str | None:
    """The hint of the error, with the command that writes files of such a name if there is one."""
    writer = _WRITERS.get(error.belongs)
    foreign = error.kind == "state dict" and writer is not None and "{model}" in writer
    if error.hint is None or writer is None or foreign or (error.kind, error.belongs) == _OF_ONE_KIND:
        return error.hint
    model = shell_word(error.better) if error.kind == "model" else "MODEL"
    command = writer.format(model=model, name=shell_word(error.path))
    return f"{error.hint.removesuffix('.')}; what writes {error.belongs} is: {command}"
