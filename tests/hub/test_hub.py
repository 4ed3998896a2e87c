"""Models by name: pushed to and fetched from a server on this machine that answers as the Hub does, by the library of the field."""

import hashlib
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import app
from fake_hub import READER, TOKEN, serving
from helpers import FIXTURES
from typer.testing import CliRunner

import ginjax
from ginjax.checkpoint import read_model
from ginjax.errors import ArgumentError, FileError, GinjaxError, UnsupportedError
from ginjax.hub import HubAddress, fetch, push_model

constants = pytest.importorskip("huggingface_hub.constants")

MODEL = FIXTURES / "diffusion_1d.safetensors"
OTHER = FIXTURES / "burgers_2d.safetensors"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with serving() as found:
        use(monkeypatch, found.address, tmp_path)
        yield found


def use(monkeypatch, address, tmp_path):
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)


def run(*words):
    return CliRunner().invoke(app, [str(each) for each in words], prog_name="ginjax")


@pytest.mark.parametrize(
    ("text", "repository", "revision", "file"),
    [
        ("hf://user/name", "user/name", None, "model.safetensors"),
        ("user/name@v1", "user/name", "v1", "model.safetensors"),
        ("hf://user/name@refs%2Fpr%2F1/3d/a b.safetensors", "user/name", "refs/pr/1", "3d/a b.safetensors"),
        ("hf://timm/resnet18/net.onnx", "timm/resnet18", None, "net.onnx"),
    ],
)
def test_an_address_and_back(text, repository, revision, file):
    found = HubAddress.parse(text)
    assert found == HubAddress(repository, file, revision)
    assert HubAddress.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *((each, "address") for each in ("hf://user", "hf://", "", "hf://a b/c", "https://x.org/a/b", "u/n@", "hf://u/\x1bn", "u/-n", "u/a--b", "u/n.git", "ü/n", f"u/{'n' * 97}")),
        ("hf://u/n/../x.safetensors", "within"),
        ("hf://u/n/a\\b.safetensors", "within"),
        ("hf://u/n/pytorch_model.bin", "may hold code"),
        ("hf://u/n/a.pkl", "may hold code"),
    ],
)  # fmt: skip
def test_what_is_no_address(text, words):
    with pytest.raises(ArgumentError, match=words):
        HubAddress.parse(text)


def test_a_model_goes_there_and_comes_back_by_name_and_by_commit(hub, monkeypatch):
    first = push_model(MODEL, "hf://me/waves", private=True)
    second = ginjax.load(str(OTHER)).push_to_hub("hf://me/waves")
    assert hub.private == {"me/waves"}
    assert ginjax.load("hf://me/waves").record == read_model(OTHER)
    assert ginjax.load(str(first.address)).record == read_model(MODEL)  # the older commit
    files = hub.commits["me/waves"]
    assert files[first.address.revision]["model.safetensors"] == MODEL.read_bytes()
    card = files[second.address.revision]["README.md"].decode()
    assert card.startswith("---\nlibrary_name: ginjax\n") and 'ginjax.load("hf://me/waves")' in card
    # What was fetched at a commit needs no network any more; by the name of a branch it is looked for, and found in the cache.
    asked = len(hub.requests)
    assert ginjax.load(str(first.address)).D == 1 and len(hub.requests) == asked
    use(monkeypatch, "http://127.0.0.1:9", Path.cwd())
    monkeypatch.setattr("time.sleep", lambda _: None)  # between the tries of the library
    assert ginjax.load("hf://me/waves").D == 2
    with pytest.raises(FileError, match=r"hf://me/other: .* cannot be reached, and .* not fetched before"):
        ginjax.load("hf://me/other")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(FileError, match="HF_HUB_OFFLINE is set"):
        ginjax.load("hf://me/other")


def test_the_command_line(hub):
    pushed = run("hub", "push", OTHER, "me/flow@try", "--message", "First")
    assert pushed.exit_code == 0, pushed.stderr
    assert "README.md" not in hub.commits["me/flow"][hub.branches["me/flow"]["main"]]
    commit = hub.branches["me/flow"]["try"]
    assert pushed.stderr.splitlines()[-1] == f"next: ginjax hub pull hf://me/flow@{commit}"
    pulled = run("hub", "pull", f"hf://me/flow@{commit}")
    assert pulled.exit_code == 0, pulled.stderr
    assert pulled.stderr.splitlines() == [
        "wrote model.safetensors",
        "next: ginjax inspect model.safetensors",
    ]
    assert Path("model.safetensors").read_bytes() == OTHER.read_bytes()
    again = run("hub", "pull", "me/flow@try")
    assert again.exit_code == 1 and "exists already" in again.stderr
    bare = run("hub", "push", MODEL, "me/flow/1d.safetensors", "--no-card", "-q")
    assert bare.exit_code == 0 and bare.stdout == ""
    assert "README.md" not in hub.commits["me/flow"][hub.branches["me/flow"]["main"]]
    assert run("hub", "pull", "me/flow/1d.safetensors", "-o", "low.safetensors", "-q").stdout == (
        "low.safetensors\n"
    )


def test_a_name_that_is_taken_is_told_where_the_hub_cannot_be_asked(hub, monkeypatch):
    Path("model.safetensors").write_text("mine")
    use(monkeypatch, "http://127.0.0.1:9", Path.cwd())
    refused = run("hub", "pull", "me/waves")
    assert refused.exit_code == 1 and "model.safetensors: the file exists already" in refused.stderr
    assert Path("model.safetensors").read_text() == "mine"


@pytest.mark.parametrize("moment", ["before it is read", "after it was read"])
def test_a_model_that_is_exchanged_while_it_is_read_is_not_sent(hub, monkeypatch, tmp_path, moment):
    mine, other = tmp_path / "mine.safetensors", tmp_path / "other.safetensors"
    mine.write_bytes(MODEL.read_bytes())
    other.write_bytes(OTHER.read_bytes())

    def reading(path):
        if moment == "before it is read":
            other.replace(path)
        record = read_model(path)
        if other.exists():
            other.replace(path)
        return record

    monkeypatch.setattr("ginjax.hub._push.read_model", reading)
    with pytest.raises(FileError, match="was replaced while it was read"):
        push_model(mine, "me/waves")
    assert "me/waves" not in hub.commits


@pytest.mark.parametrize("moment", ["before it is read", "after it was read"])
def test_a_model_that_is_exchanged_in_the_cache_is_not_written(hub, monkeypatch, tmp_path, moment):
    hub.add("me/waves", {"model.safetensors": MODEL.read_bytes()})
    other = tmp_path / "other"
    other.write_bytes(OTHER.read_bytes())

    def reading(path):
        if moment == "before it is read":
            other.replace(path)
        record = read_model(path)
        if other.exists():
            other.replace(path)
        return record

    monkeypatch.setattr("ginjax.checkpoint.read_model", reading)
    refused = run("hub", "pull", "me/waves", "-o", "got.safetensors")
    assert refused.exit_code == 1 and "was replaced while it was read" in refused.stderr
    assert not Path("got.safetensors").exists()


def test_the_file_that_was_checked_is_sent(hub, monkeypatch, tmp_path):
    """Whatever has taken its name since."""
    mine, other = tmp_path / "mine.safetensors", tmp_path / "other.safetensors"
    mine.write_bytes(MODEL.read_bytes())
    other.write_text("no model at all")
    monkeypatch.setattr("ginjax.hub._push.check_token", lambda _: other.replace(mine))
    push_model(mine, "me/waves", card=False)
    assert mine.read_text() == "no model at all"
    files = hub.commits["me/waves"][hub.branches["me/waves"]["main"]]
    assert files["model.safetensors"] == MODEL.read_bytes()


@pytest.mark.parametrize(
    ("address", "words", "hint"),
    [
        ("me/none", "there is no such repository, or it is private", "Check the name"),
        ("me/waves@v9", "there is no revision 'v9'", "a commit"),
        ("me/waves/b.safetensors", "there is no file 'b.safetensors'", "hf://me/waves/a.safetensors"),
        ("me/gated", "on request", "Ask for access"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(hub, monkeypatch, address, words, hint):
    hub.add("me/waves", {"a.safetensors": b"", "x.bin": b""})
    hub.add("me/gated", {"model.safetensors": b""})
    hub.gated.add("me/gated")
    monkeypatch.setenv("HF_TOKEN", READER)
    Path("mine.safetensors").write_text("mine")
    for output in (
        "got.safetensors",
        "mine.safetensors",
    ):  # what is not there comes before what is in the way
        refused = run("hub", "pull", address, "-o", output)
        first, second = refused.stderr.splitlines()
        assert refused.exit_code == 1 and first.startswith(f"error: hf://{address}: ") and words in first
        assert hint in second and "x.bin" not in second
    assert not Path("got.safetensors").exists() and Path("mine.safetensors").read_text() == "mine"


def test_who_may_not_write_is_told_so(hub, monkeypatch):
    hub.add("me/waves", {})
    for token, words in (
        ("", "writing needs a token, and there is none"),
        (READER, "the token does not allow this"),
        ("hf_wrong", "the token was refused"),
    ):
        monkeypatch.setenv("HF_TOKEN", token)
        asked = len(hub.requests)
        refused = run("hub", "push", MODEL, "me/waves")
        assert refused.exit_code == 1 and words in refused.stderr.splitlines()[0], refused.stderr
        assert token or len(hub.requests) == asked
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.broken = 418  # asked again it would say the same
    refused = run("hub", "push", MODEL, "me/waves").stderr
    assert "the Hub answered 418: broken" in refused and "later" not in refused
    hub.broken = 508
    assert "Try it again later" in run("hub", "push", MODEL, "me/waves").stderr
    use(monkeypatch, "http://127.0.0.1:9", Path.cwd())
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert "cannot be reached" in run("hub", "push", MODEL, "me/waves").stderr


class Bomb:
    def __reduce__(self):
        return (sys.exit, (99,))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps(Bomb()), "is nothing that is known"),
        (b"", "is empty"),
        (MODEL.read_bytes()[:-4], "truncated or corrupt"),
        (MODEL.read_bytes()[:-4] + b"\0\0\0\0", "checksum"),
    ],
    ids=["pickle", "empty", "cut", "changed"],
)
def test_what_comes_from_there_is_believed_no_more_than_any_file(hub, content, words):
    hub.add("me/waves", {"model.safetensors": content})
    with pytest.raises(GinjaxError):
        ginjax.load("hf://me/waves")
    refused = run("hub", "pull", "me/waves")
    assert refused.exit_code == 1 and words in refused.stderr, refused.stderr
    assert not Path("model.safetensors").exists()


def test_weights_of_other_programs_are_fetched_as_they_are(hub):
    from safetensors.numpy import save

    content = save({"conv.weight": np.ones((2, 1, 3, 3), np.float32)})
    hub.add("other/net", {"model.safetensors": content})
    result = run("hub", "pull", "other/net", "-o", "net.safetensors", "--json")
    assert result.exit_code == 0 and '"kind": "safetensors"' in result.stdout, result.stdout
    assert Path("net.safetensors").read_bytes() == content
    with pytest.raises(FileError, match="is no model of ginjax"):
        ginjax.load("hf://other/net")


def test_only_models_are_published(hub, tmp_path):
    (tmp_path / "net.safetensors").write_bytes(b"no")
    for words, code in (
        (("net.safetensors", "me/x"), 1),
        ((MODEL, "me/x/net.onnx"), 2),
        ((MODEL, "me/x", "--no-card", "--evaluation", "e"), 2),
    ):
        assert run("hub", "push", *words).exit_code == code
    assert hub.requests == []


@pytest.mark.parametrize(
    "words", [("inspect",), ("convert-d", "--to-dim", "2", "-o", "x.safetensors"), ("card",)]
)
def test_commands_on_files_say_how_to_get_one(words):
    refused = run(words[0], "hf://me/waves", *words[1:])
    assert refused.exit_code == 1 and refused.stderr.endswith(
        "hint: Fetch it first: ginjax hub pull me/waves\n"
    )


def test_without_the_library_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'huggingface_hub>=1.0'"):
        fetch("hf://me/waves")


def test_bytes_are_those_of_the_file(hub):
    """The control of the fake: it gives what it was given, so that equal records above are no accident of a cache."""
    hub.add("me/a", {"model.safetensors": b"\x01"})
    assert hashlib.sha1(fetch("me/a").path.read_bytes()).hexdigest() == hashlib.sha1(b"\x01").hexdigest()
