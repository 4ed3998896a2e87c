"""The library of the extra `hub`: imported on first use, kept silent, with its failures as errors of ginjax."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from ginjax.errors import ArgumentError, FileError, UnsupportedError

from ._address import HubAddress

NEEDED = "huggingface_hub>=1.0"
"""The requirement as in the extra `hub` of `pyproject.toml` (a test compares them)."""

_PACKAGE = "huggingface_hub"
_MOST_SAID = 200
_LOG_IN = "Log in with 'hf auth login', or put a token into the variable HF_TOKEN."


def hub_library(part: str = "") -> ModuleType:
    """The package `huggingface_hub`, or a part of it such as `errors`.

    **Raises:** `UnsupportedError` if it is not installed.
    """
    try:
        return import_module(f"{_PACKAGE}.{part}" if part else _PACKAGE)
    except ImportError as error:
        raise UnsupportedError(
            "the Hugging Face Hub",
            got=f"no package {_PACKAGE}",
            expected="it, because it is what speaks to the Hub",
            hint=f"Install it: pip install '{NEEDED}'",
        ) from error


@contextmanager
def silent(*, progress: bool) -> Iterator[None]:
    """Keep the library from writing to the screen, except for progress bars if `progress` is set."""
    utils = hub_library("utils")
    logging, hidden = utils.logging, utils.are_progress_bars_disabled()
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    if not progress:
        utils.disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if not hidden:
            utils.enable_progress_bars()


@contextmanager
def told(address: HubAddress, files: Callable[[], list[str]] | None = None) -> Iterator[None]:
    """Turn failures of the library into errors that name the address.

    **Arguments:**

    - `address`: the requested address.
    - `files`: function that lists the files of the repository, used if the requested one is not among them.

    **Raises:** `FileError` for something that does not exist, is not allowed or cannot be reached; `ArgumentError` for a name
    that a repository cannot have.
    """
    errors = hub_library("errors")
    try:
        yield
    except errors.HFValidationError as error:
        raise ArgumentError("address on the Hub", got=str(address), expected="hf://user/name") from error
    except errors.GatedRepoError as error:
        hint = f"Ask for access on its page. {_LOG_IN}"
        raise FileError(f"{address}: access is granted on request only", hint=hint) from error
    except errors.RepositoryNotFoundError as error:
        hint = f"Check the name. For a private one: {_LOG_IN}"
        raise FileError(f"{address}: there is no such repository, or it is private", hint=hint) from error
    except errors.RevisionNotFoundError as error:
        raise FileError(
            f"{address}: there is no revision {address.revision or 'main'!r}",
            hint="A revision is a branch, a tag or a commit: see the page of the repository.",
        ) from error
    except errors.LocalEntryNotFoundError as error:
        raise _unreachable(address, "the file was not fetched before") from error
    except errors.EntryNotFoundError as error:
        raise FileError(
            f"{address}: there is no file {address.file!r}", hint=_others(address, files)
        ) from error
    except errors.OfflineModeIsEnabled as error:
        raise _unreachable(address) from error
    except errors.HfHubHTTPError as error:
        said = " ".join((error.server_message or "").split())[:_MOST_SAID]
        raise _answered(address, getattr(error.response, "status_code", None), said) from error
    except errors.HfHubHTTPError.__bases__[0] as error:  # of the underlying library, which has had two names
        raise _unreachable(address) from error


def _others(address: HubAddress, files: Callable[[], list[str]] | None) -> str:
    """The files of the repository, if they can be listed."""
    found: list[str] = []
    if files is not None:
        try:
            found = files()
        except OSError:
            found = []
    if not found:
        return "See the page of the repository for its files."
    names = [str(HubAddress(address.repository, each, address.revision)) for each in found[:4]]
    return f"There are: {', '.join(names)}" + (", ..." if len(found) > 4 else "")


class UnreachableError(FileError):
    """The Hub cannot be reached."""


def _unreachable(address: HubAddress, besides: str = "") -> UnreachableError:
    words = f", and {besides}" if besides else ""
    if hub_library("constants").HF_HUB_OFFLINE:
        return UnreachableError(
            f"{address}: HF_HUB_OFFLINE is set{words}", hint="Unset it, or name a file on this machine."
        )
    where = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    return UnreachableError(f"{address}: {where} cannot be reached{words}", hint="Check the network.")


def _answered(address: HubAddress, status: int | None, said: str) -> FileError:
    """The error for an answer with this status; `said` is the message of the Hub, which may be empty."""
    if status == 401:
        return FileError(f"{address}: the token was refused", hint=_LOG_IN)
    if status == 403:
        return FileError(
            f"{address}: the token does not allow this", hint="It needs the right to write there."
        )
    words = f": {said}" if said and said.isprintable() else ""
    # A repeated request gets the same answer, unless the Hub was too busy or failed itself.
    later = status is None or status in (408, 429) or status >= 500
    return FileError(
        f"{address}: the Hub answered {status or 'nothing that is understood'}{words}",
        hint="Try it again later." if later else "See the page of the repository, and check the address.",
    )


def check_token(address: HubAddress) -> None:
    """Refuse to write without a token, before anything is sent.

    **Raises:** `FileError`.
    """
    if hub_library().get_token() is None:
        raise FileError(f"{address}: writing needs a token, and there is none", hint=_LOG_IN)
