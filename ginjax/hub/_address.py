"""The address of a file on the Hub: `hf://user/name@revision/file`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

from ginjax.errors import ArgumentError

SCHEME = "hf://"
MODEL_FILE = "model.safetensors"
"""The file of an address that names none."""

READABLE = (".safetensors", ".onnx")
"""Endings of files that can be fetched: arrays and graphs, which hold no code. Pickles are never fetched."""

_PATTERN = re.compile(
    r"hf://(?P<repository>[^/@\s]+/[^/@\s]+)(?:@(?P<revision>[^/\s]+))?(?:/(?P<file>[^\s].*))?", re.DOTALL
)

_NAME = re.compile(r"\b[\w\-.]{1,96}\b", re.ASCII)


@dataclass(frozen=True)
class HubAddress:
    """A file in a repository of models.

    **Arguments:**

    - `repository`: `user/name`.
    - `file`: path of the file in the repository.
    - `revision`: a branch, a tag or a commit; None for the branch `main`. Only a full commit hash (40 digits) always means the
      same bytes.
    """

    repository: str
    file: str = MODEL_FILE
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> HubAddress:
        """Read an address: `hf://user/name` or `user/name`, with optional `@revision` and `/file`.

        A slash within a revision is written `%2F`.

        **Raises:** `ArgumentError` for a text that is not an address, or a file of a kind that ginjax does not read.
        """
        whole = text if text.startswith(SCHEME) else f"{SCHEME}{text}"
        found = _PATTERN.fullmatch(whole)
        if found is None or not all(map(_is_name, found["repository"].split("/"))):
            raise ArgumentError(
                "address on the Hub",
                got=repr(text)[:80],
                expected="hf://user/name, such as hf://user/name@v1/model.safetensors",
            )
        file, revision = found["file"] or MODEL_FILE, found["revision"]
        if ".." in file.split("/") or "\\" in file or not file.isprintable():
            raise ArgumentError(
                "file on the Hub", got=repr(file)[:80], expected="a path within the repository"
            )
        if not file.lower().endswith(READABLE):
            raise ArgumentError(
                "file on the Hub",
                got=repr(file)[:80],
                expected=f"a name that ends in {' or '.join(READABLE)}",
                hint="A file of another kind may hold code, and is never fetched.",
            )
        return cls(found["repository"], file, None if revision is None else revision.replace("%2F", "/"))

    def at(self, revision: str) -> HubAddress:
        """The address of the same file at another revision."""
        return replace(self, revision=revision)

    def __str__(self) -> str:
        revision = "" if self.revision is None else "@" + self.revision.replace("/", "%2F")
        file = "" if self.file == MODEL_FILE else f"/{self.file}"
        return f"{SCHEME}{self.repository}{revision}{file}"


def _is_name(part: str) -> bool:
    """Whether the Hub allows this name for a user or a repository."""
    return _NAME.fullmatch(part) is not None and not ("--" in part or ".." in part or part.endswith(".git"))


def is_hub_address(path: str | os.PathLike[str]) -> bool:
    """Whether a path is an address on the Hub and not a path on this machine."""
    return isinstance(path, str) and path.startswith(SCHEME)
