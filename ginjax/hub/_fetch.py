"""Fetching of a file from the Hub into its cache."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ginjax._version import __version__

from ._address import READABLE, HubAddress
from ._library import UnreachableError, hub_library, silent, told


@dataclass(frozen=True)
class Fetched:
    """A file of the Hub on this machine.

    **Arguments:**

    - `path`: the file on this machine.
    - `address`: the address with the commit that was fetched, which always means the same bytes.
    """

    path: Path
    address: HubAddress


def refuse_absent(address: HubAddress) -> None:
    """Refuse an address at which the Hub has no readable file; if the Hub cannot be reached, nothing is refused.

    **Arguments:**

    - `address`: address of a file.

    **Raises:** as `fetch`, for a file that does not exist or is not allowed.
    """
    library = hub_library()
    url = library.hf_hub_url(address.repository, address.file, revision=address.revision)
    with (
        suppress(UnreachableError),
        silent(progress=False),
        told(address, partial(_files, address)),
    ):
        library.get_hf_file_metadata(url, library_name="ginjax", library_version=__version__)


def _files(address: HubAddress) -> list[str]:
    """Files of a repository that can be fetched."""
    names = hub_library().HfApi().list_repo_files(address.repository, revision=address.revision)
    return sorted(name for name in names if name.lower().endswith(READABLE))


def fetch(address: HubAddress | str, *, progress: bool = False) -> Fetched:
    """Fetch a file from the Hub to this machine.

    The file is kept in the cache of `huggingface_hub` and fetched again only if it has changed on the Hub. An address with a full
    commit hash (40 digits) that was fetched before needs no network. The content of the file is not read here.

    **Arguments:**

    - `address`: `hf://user/name`, with optional `@revision` and `/file`.
    - `progress`: whether to show the progress.

    **Raises:** `UnsupportedError` without the extra `hub`; `FileError` for a file that does not exist or cannot be reached;
    `ArgumentError` for a text that is not an address.
    """
    found = HubAddress.parse(address) if isinstance(address, str) else address
    library = hub_library()
    with silent(progress=progress), told(found, partial(_files, found)):
        path = Path(
            library.hf_hub_download(
                found.repository,
                found.file,
                revision=found.revision,
                library_name="ginjax",
                library_version=__version__,
            )
        )
    commit = path.parents[len(Path(found.file).parts) - 1].name  # the cache has a folder for each
    return Fetched(path, found.at(commit))
