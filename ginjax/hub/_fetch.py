"""Fetching a file from the Hub into its cache."""

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

    - `path`: where it is.
    - `address`: of the same bytes for ever: at the commit that was fetched.
    """

    path: Path
    address: HubAddress


def refuse_absent(address: HubAddress) -> None:
    """Refuse an address at which the Hub has no file that may be read; where it cannot be asked, nothing is said.

    **Arguments:**

    - `address`: of a file.

    **Raises:** as `fetch`, for what is not there or not allowed.
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
    """Files of a repository that may be fetched."""
    names = hub_library().HfApi().list_repo_files(address.repository, revision=address.revision)
    return sorted(name for name in names if name.lower().endswith(READABLE))


def fetch(address: HubAddress | str, *, progress: bool = False) -> Fetched:
    """A file from the Hub, as a file on this machine.

    It is kept in the cache of `huggingface_hub` and fetched again only if it changed there. Of a commit (40 digits) that was
    fetched once no network is needed. Nothing of it is read here.

    **Arguments:**

    - `address`: `hf://user/name`, with `@revision` and `/file` if wanted.
    - `progress`: whether to show how far it is.

    **Raises:** `UnsupportedError` without the extra `hub`; `FileError` for what is not there or not reachable; `ArgumentError` for
    what is no address.
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
