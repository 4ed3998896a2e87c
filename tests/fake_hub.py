"""A small server that answers as the Hugging Face Hub does: repositories with branches of commits, in memory."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import yaml

TOKEN = "hf_right"
READER = "hf_reader"
"""A token that may read everything and write nothing."""


@dataclass
class FakeHub:
    """What the server holds, and what it was asked.

    **Arguments:**

    - `commits`: by repository, the files of each commit.
    - `branches`: by repository, the commit of each branch.
    - `private`, `gated`: names of repositories.
    - `broken`: a status that everything is answered with, or None.
    - `requests`: method and path of all that was asked.
    """

    commits: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    branches: dict[str, dict[str, str]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    gated: set[str] = field(default_factory=set)
    broken: int | None = None
    requests: list[str] = field(default_factory=list)
    address: str = ""

    def add(self, repository: str, files: dict[str, bytes], branch: str = "main") -> str:
        """Files beside those that the branch has; the commit."""
        branches = self.branches.setdefault(repository, {})
        commits = self.commits.setdefault(repository, {})
        whole = {**commits.get(branches.get(branch, ""), {}), **files}
        commit = hashlib.sha1(repr((len(commits), sorted(whole.items()))).encode()).hexdigest()
        commits[commit] = whole
        branches[branch] = commit
        return commit

    def commit_of(self, repository: str, revision: str) -> str | None:
        commit = self.branches.get(repository, {}).get(revision, revision)
        return commit if commit in self.commits.get(repository, {}) else None


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def log_message(self, format, *args) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_GET

    def _answer(self) -> None:
        hub, parts = self.hub, urlsplit(self.path)
        hub.requests.append(f"{self.command} {parts.path}")
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if hub.broken is not None:
            return self._send(hub.broken, {"error": "broken"})
        match [unquote(each) for each in parts.path.strip("/").split("/")]:
            case ["api", "repos", "create"]:
                self._create(json.loads(body))
            case ["api", "validate-yaml"]:
                head = json.loads(body)["content"].split("---\n")[1]
                sound = isinstance(yaml.safe_load(head), dict)
                self._send(200 if sound else 400, {"errors": [], "warnings": []})
            case ["api", "models", user, name, "branch", branch]:
                if self._may_write():
                    repository = f"{user}/{name}"
                    hub.branches[repository].setdefault(branch, hub.branches[repository]["main"])
                    self._send(200, {})
            case ["api", "models", user, name, "preupload", _]:
                files = json.loads(body)["files"]
                rows = [
                    {"path": each["path"], "uploadMode": "regular", "shouldIgnore": False} for each in files
                ]
                if self._may_write():
                    self._send(200, {"files": rows})
            case ["api", "models", user, name, "commit", branch]:
                if self._may_write():
                    self._commit(f"{user}/{name}", branch, body)
            case ["api", "models", user, name, *_]:
                self._tell(f"{user}/{name}", parts)
            case [user, name, "resolve", revision, *path]:
                self._file(f"{user}/{name}", revision, "/".join(path))
            case _:
                self._send(404, {"error": "no such page"})

    @property
    def _token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def _may_write(self) -> bool:
        if self._token == TOKEN:
            return True
        self._send(403 if self._token == READER else 401, {"error": "no"})
        return False

    def _may_read(self, repository: str) -> bool:
        if repository in self.hub.gated and self._token != TOKEN:
            self._send(403, {"error": "ask"}, {"X-Error-Code": "GatedRepo"})
            return False
        if repository in self.hub.commits and (
            repository not in self.hub.private or self._token in (TOKEN, READER)
        ):
            return True
        self._send(404 if self._token else 401, {"error": "no"}, {"X-Error-Code": "RepoNotFound"})
        return False

    def _create(self, asked: dict) -> None:
        repository = f"{asked.get('organization') or 'user'}/{asked['name']}"
        if not self._may_write():
            return
        if repository in self.hub.commits:
            self._send(409, {"error": "exists", "url": f"{self.hub.address}/{repository}"})
            return
        self.hub.add(repository, {".gitattributes": b""})
        if asked.get("private") or asked.get("visibility") == "private":
            self.hub.private.add(repository)
        self._send(200, {"url": f"{self.hub.address}/{repository}", "name": repository, "id": repository})

    def _commit(self, repository: str, branch: str, body: bytes) -> None:
        lines = [json.loads(line) for line in body.splitlines() if line]
        rows = [line["value"] for line in lines if line["key"] == "file"]
        commit = self.hub.add(
            repository, {row["path"]: base64.b64decode(row["content"]) for row in rows}, branch
        )
        url = f"{self.hub.address}/{repository}/commit/{commit}"
        self._send(
            200,
            {"success": True, "commitOid": commit, "commitUrl": url, "hookOutput": "", "commitMessage": ""},
        )

    def _tell(self, repository: str, parts) -> None:
        words = unquote(parts.path).strip("/").split("/")
        revision = words[5] if len(words) > 5 else "main"
        if not self._may_read(repository):
            return
        commit = self.hub.commit_of(repository, revision)
        if commit is None:
            self._send(404, {"error": "no"}, {"X-Error-Code": "RevisionNotFound"})
            return
        names = self.hub.commits[repository][commit]
        tree = [{"type": "file", "path": n, "size": len(c), "oid": _digest(c)} for n, c in names.items()]
        if "tree" in words:
            self._send(200, tree)
            return
        about = {
            "id": repository,
            "modelId": repository,
            "sha": commit,
            "private": repository in self.hub.private,
        }
        self._send(200, {**about, "siblings": [{"rfilename": name} for name in names], "tags": []})

    def _file(self, repository: str, revision: str, name: str) -> None:
        if not self._may_read(repository):
            return
        commit = self.hub.commit_of(repository, revision)
        if commit is None:
            self._send(404, {"error": "no"}, {"X-Error-Code": "RevisionNotFound"})
            return
        content = self.hub.commits[repository][commit].get(name)
        if content is None:
            self._send(404, {"error": "no"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
            return
        self._send(200, content, {"X-Repo-Commit": commit, "ETag": f'"{_digest(content)}"'})

    def _send(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", "application/json" if content is not body else "binary/octet-stream")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _digest(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@contextmanager
def serving() -> Iterator[FakeHub]:
    """A hub on this machine while it lasts."""
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
