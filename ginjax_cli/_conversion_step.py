"""The command that converts a model, as other commands name it as their next one."""

import os
from typing import TYPE_CHECKING

from ginjax._text import shell_line

if TYPE_CHECKING:
    from ginjax.checkpoint import ModelRecord


def conversion_command(file: str | os.PathLike[str], record: "ModelRecord", to_dim: int) -> str:
    """The command that takes a model into a higher dimension, with the lift of odd scalars where it has them.

    **Arguments:**

    - `file`: of the model.
    - `record`: what is in it.
    - `to_dim`: the dimension to reach.
    """
    from ginjax.checkpoint import to_be_lifted

    rule = "compatibility" if record.layers else "centre"
    words = ["ginjax", "convert-d", str(file), "--to-dim", str(to_dim), "--rescale", rule]
    return shell_line([*words, "--lift-parity"] if to_be_lifted(record) is not None else words)
