"""The name of a file on the Hub: `hf://user/name@revision/file`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

from ginjax.errors import ArgumentError

SCHEME = "hf://"
MODEL_FILE = "model.safetensors"
"""The file that is meant where an address names none."""

READABLE = (".safetensors", ".onnx")
"""Endings of the files that are fetched: arrays and graphs, which hold no code. A pickle is never asked for."""

_PATTERN = re.compile(
    r"hf://(?P<repository>[^/@\s]+/[^/@\s]+)(?:@(?P<revision>[^/\s]+))?(?:/(?P<file>[^\s].*))?", re.DOTALL
)

_NAME = re.compile(r"\b[\w\-.]{1,96}\b", re.ASCII)


@dataclass(frozen=True)
class HubAddress:
    """A file in a repository of models.

    **Arguments:**

    - `repository`: `user/name`.
    - `file`: its path in there.
    - `revision`: a branch, a tag or a commit, of which only a whole commit (40 digits) always means the same bytes; None for the
      branch `main`.
    """

    repository: str
    file: str = MODEL_FILE
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> HubAddress:
        """The address that a text means: `hf://user/name`, with `@revision` and `/file` if wanted, or `user/name` likewise.

        A slash within a revision is written `%2F`.

        **Raises:** `ArgumentError` for a text that is none, or a file of a kind that is not read here.
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
        """The same file at another revision."""
        return replace(self, revision=revision)

    def __str__(self) -> str:
        revision = "" if self.revision is None else "@" + self.revision.replace("/", "%2F")
        file = "" if self.file == MODEL_FILE else f"/{self.file}"
        return f"{SCHEME}{self.repository}{revision}{file}"


def _is_name(part: str) -> bool:
    """Whether a user or a repository may be called so, by the rules of the Hub."""
    return _NAME.fullmatch(part) is not None and not ("--" in part or ".." in part or part.endswith(".git"))


def is_hub_address(path: str | os.PathLike[str]) -> bool:
    """Whether a path is an address on the Hub, and no path."""
    return isinstance(path, str) and path.startswith(SCHEME)
