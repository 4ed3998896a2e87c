"""The command that converts a model, which other commands suggest as the next one."""

import os
from typing import TYPE_CHECKING

from ginjax._text import shell_line

if TYPE_CHECKING:
    from ginjax.checkpoint import ModelRecord


def conversion_command(file: str | os.PathLike[str], record: "ModelRecord", to_dim: int) -> str:
    """The command that converts a model to a higher dimension, with `--lift-parity` if the model has odd scalars.

    **Arguments:**

    - `file`: the file of the model.
    - `record`: the content of that file.
    - `to_dim`: the new dimension.
    """
    from ginjax.checkpoint import to_be_lifted

    rule = "compatibility" if record.layers else "centre"
    words = ["ginjax", "convert-d", str(file), "--to-dim", str(to_dim), "--rescale", rule]
    return shell_line([*words, "--lift-parity"] if to_be_lifted(record) is not None else words)
