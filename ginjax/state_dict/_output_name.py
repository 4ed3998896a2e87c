"""The check that writing a network does not overwrite one that is read."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from ginjax.checkpoint import check_can_be_named, check_output
from ginjax.errors import ArgumentError

from ._read import INDEX, files_of_state_dict
from ._write import piece_stem


def check_state_dict_output(
    path: str | os.PathLike[str], inputs: Mapping[str, str | os.PathLike[str] | None]
) -> None:
    """Refuse an output that is one of the networks that are read, or one of the files listed in their indices.

    **Arguments:**

    - `path`: the output: one file, or an index, whose files are named after it.
    - `inputs`: the files that are read, by a description.

    **Raises:** `ArgumentError` as in `checkpoint.check_output`.
    """
    files = {what: files_of_state_dict(each) for what, each in inputs.items() if each is not None}
    check_output(path, "state dict", files)
    target = Path(path)
    if not target.name.endswith(INDEX):
        return
    check_can_be_named(target)
    piece = re.compile(rf"{re.escape(piece_stem(target))}-[0-9]{{5}}-of-[0-9]{{5}}\.safetensors")
    for what, paths in files.items():
        for each in paths:
            beside = target.parent / each.name
            if piece.fullmatch(each.name) and beside.exists() and os.path.samefile(beside, each):
                raise ArgumentError(
                    "`output`",
                    got=f"{path}, whose files would be named as those of {what}, such as {each.name}",
                    expected="another name, or another folder",
                )
