"""Publication of a model on the Hub, with its card."""

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
    """A published model.

    **Arguments:**

    - `address`: address of the model at the new commit, which always means the same bytes.
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
    """Publish a model file and its card in one commit; a missing repository or branch is created.

    The token is that of `hf auth login`, or of the environment variable `HF_TOKEN`.

    **Arguments:**

    - `path`: the model file. It is read and checked before anything is sent, and sent unchanged.
    - `address`: `hf://user/name`, with optional `@branch` and `/file`.
    - `evaluation`: as in `ginjax.checkpoint.model_card`.
    - `card`: whether to write the card as `README.md`, which replaces an existing one.
    - `private`: whether a new repository is private.
    - `message`: the commit message.
    - `progress`: whether to show the progress.

    **Raises:** `UnsupportedError` without the extra `hub`; `FileError` for a file that is not a model, without a token or the
    right to write, or if the Hub cannot be reached; `ArgumentError` for a text that is not the address of a model.
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
    """Send the file that was checked, even if its name now belongs to another one."""
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
