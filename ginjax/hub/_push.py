"""Publishing a model on the Hub, with its card."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from ginjax._version import __version__
from ginjax.checkpoint import ModelRecord, model_card, opened, read_model, refuse_exchanged
from ginjax.errors import ArgumentError

from ._address import HubAddress
from ._library import check_token, hub_library, silent, told

CARD_FILE = "README.md"


@dataclass(frozen=True)
class Pushed:
    """What was published.

    **Arguments:**

    - `address`: of the model at the commit that was made: it always means these bytes.
    - `url`: the page of the commit.
    """

    address: HubAddress
    url: str


def push_model(
    path: str | os.PathLike[str],
    address: HubAddress | str,
    *,
    evaluation: Mapping[str, object] | None = None,
    card: bool = True,
    private: bool = False,
    message: str | None = None,
    progress: bool = False,
) -> Pushed:
    """Publish a model file and its card in one commit; a repository, or a branch, that is not there is made.

    The token is that of `hf auth login`, or of the variable `HF_TOKEN`.

    **Arguments:**

    - `path`: the model file. It is read and checked before anything is sent, and sent byte for byte.
    - `address`: `hf://user/name`, with `@branch` and `/file` if wanted.
    - `evaluation`: as of `ginjax.checkpoint.model_card`.
    - `card`: whether to write the card, as `README.md`, over the one that is there.
    - `private`: whether a repository that is made is private.
    - `message`: of the commit.
    - `progress`: whether to show how far it is.

    **Raises:** `UnsupportedError` without the extra `hub`; `FileError` for a file that is no model, without a token or the right to
    write, and where the Hub is not reachable; `ArgumentError` for what is no address of a model.
    """
    target = HubAddress.parse(address) if isinstance(address, str) else address
    if not target.file.lower().endswith(".safetensors"):
        raise ArgumentError(
            "file on the Hub", got=repr(target.file), expected="a name that ends in .safetensors"
        )
    library = hub_library()
    with opened(path) as (stream, _):
        record = read_model(path)
        refuse_exchanged(path, stream)
        text = model_card(record, os.path.basename(path), evaluation, address=str(target)) if card else None
        check_token(target)
        made = _commit(library, target, stream, record, text, private, message, progress)
    return Pushed(target.at(made.oid), str(made.commit_url))


def _commit(
    library: Any,
    target: HubAddress,
    stream: BinaryIO,
    record: ModelRecord,
    text: str | None,
    private: bool,
    message: str | None,
    progress: bool,
) -> Any:
    """Send the file that was checked, whatever has taken its name since."""
    with silent(progress=progress), told(target):
        api = library.HfApi(library_name="ginjax", library_version=__version__)
        api.create_repo(target.repository, private=private, exist_ok=True)
        if target.revision is not None:
            api.create_branch(target.repository, branch=target.revision, exist_ok=True)
        add = library.CommitOperationAdd
        operations = [add(target.file, stream)]
        operations += [] if text is None else [add(CARD_FILE, text.encode("utf-8"))]
        return api.create_commit(
            target.repository,
            operations,
            commit_message=message or f"{target.file}: {record.spec['architecture']} in {record.D}D",
            revision=target.revision,
        )
