"""The README, `CONTRIBUTING.md` and the pages of `docs/` do what they say: every block is run, or says why not.

The blocks of a page are run one after the other in one directory that holds a copy of `fixtures/`. Every day those
marked slow are left out, and trainings are cut short; with `-m slow` every block is run word for word. Modules that a
page writes can be imported, and a page that writes a `pyproject.toml` and says how to install it is taken to have done
so; no other page is affected.
"""

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path

import pytest
from command_line import app, changed
from fenced import RUN, Block, PageError, blocks
from helpers import FIXTURES
from registries import as_if_installed, left_as_they_were
from typer.main import get_command
from typer.testing import CliRunner

ROOT = FIXTURES.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
}
SLOW = [
    name for name, path in PAGES.items() if any(b.action == "slow" for b in blocks(path.read_text("utf-8")))
]
STEPS = re.compile(r"\bTrainSettings\(steps=\d+")
"""A training in Python, by its first argument."""
NETWORK = re.compile(r"""(\bginjax\.Network\("resnet", )channels=\d+\)""")

CUT = [
    name
    for name, path in PAGES.items()
    if re.search(rf"ginjax train|{STEPS.pattern}", path.read_text("utf-8"))
]

NEEDED = {"docs/guides/onnx.md": ("onnx", "onnxruntime")}
"""Libraries of the extra `test` without which a page is not run."""

SHELL = re.compile(r"[|&;<>$`*?]")
"""What only a shell understands, outside single quotes."""

SCRIPTS = sysconfig.get_path("scripts")
"""Where `ginjax` was installed; the tests may run without it on the path."""


def as_written(words: list[str]) -> list[str]:
    return words


def cut_short(words: list[str]) -> list[str]:
    """Few steps of a small network, few simulations, seeds and rollouts, in place of what the words say of them."""
    if words[:2] == ["data", "generate"]:
        return changed(words, "--trajectories", "10", "--frames", "6")
    if words[0] == "evaluate":
        return changed(words, "--trajectories", "2")
    if words[0] != "train":
        return words
    small = () if "--init" in words else network(words)
    simulated = () if "--data" in words or data_in_settings(words) else ("--trajectories", "16")
    seeds = ("--seeds", "0-1") if "--seeds" in words else ()
    return changed(words, "--steps", "10", *small, *simulated, *seeds)


def network(words: list[str]) -> tuple[str, ...]:
    """As small as it goes, of the architecture that was asked for, or else of the one that compiles soonest."""
    asked = {"--arch", "--config"} & set(words)
    return (*(() if asked else ("--arch", "series")), "--channels", "2", "--blocks", "1")


def data_in_settings(words: list[str]) -> bool:
    """Whether the file of settings that the words name has data."""
    if "--config" not in words:
        return False
    return "data" in tomllib.loads(Path(words[words.index("--config") + 1]).read_text("utf-8"))


def cut_python(text: str) -> str:
    """The same of a training in Python, and of its network, where that names its channels alone."""
    return NETWORK.sub(r"\1channels=2, blocks=1)", STEPS.sub("TrainSettings(steps=4", text))


def run_page(
    page: Sequence[Block], folder: Path, actions: Sequence[str], adapt: Callable[[list[str]], list[str]]
) -> list[Block]:
    """Run the blocks of a page in a folder, and tell which were run."""
    names: dict = {"__name__": "__page__"}
    done = []
    for block in page:
        if block.action == "file":
            (folder / block.note).write_text(block.text, encoding="utf-8")
            importlib.invalidate_caches()
            if block.language == "python":
                importlib.import_module(Path(block.note).stem)
                done.append(block)
        elif block.action == "setup" and block.text == "pip install -e .\n":
            as_if_installed(folder)
        elif block.action in actions:
            if block.language == "python":
                text = block.text if adapt is as_written else cut_python(block.text)
                exec(compile(text, f"line {block.line}", "exec"), names)
            else:
                for line in lines_of(block):
                    run_line(line, folder, adapt)
            done.append(block)
        elif block.action == "refused" and "run" in actions:
            *before, last = lines_of(block)
            for line in before:
                run_line(line, folder, adapt)
            result = CliRunner().invoke(app, shlex.split(last)[1:])
            assert result.exit_code != 0 and block.note in result.stderr, f"{last}\n{result.output}"
            done.append(block)
    return done


def lines_of(block: Block) -> list[str]:
    return block.text.replace("\\\n", " ").splitlines()


def understand(line: str) -> None:
    """Take the arguments of a command apart, up to what only a shell understands, without running it."""
    words = list(takewhile(lambda word: not SHELL.search(word), shlex.split(line, comments=True)))
    if words[:1] == ["ginjax"]:
        get_command(app).commands[words[1]].make_context(words[1], words[2:])


def run_line(line: str, folder: Path, adapt: Callable[[list[str]], list[str]]) -> None:
    words = shlex.split(line, comments=True)
    if not words:
        return
    unquoted = shlex.split(re.sub(r"'[^']*'", "''", line), comments=True)
    if words[0] == "ginjax" and not any(SHELL.search(word) for word in unquoted):
        result = CliRunner().invoke(app, adapt(words[1:]))
        assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
    else:
        path = os.pathsep.join((SCRIPTS, os.environ["PATH"]))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": path},
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A directory as a reader has it: empty but for the fixtures. What a page registers is gone afterwards."""
    shutil.copytree(FIXTURES, tmp_path / "fixtures", ignore=shutil.ignore_patterns("golden", "__pycache__"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    with left_as_they_were():
        yield tmp_path
    for name in set(sys.modules) - before:
        if (tmp_path / f"{name}.py").exists():
            del sys.modules[name]


@pytest.mark.parametrize("name", PAGES)
def test_the_blocks_of_a_page(name, folder):
    for library in NEEDED.get(name, ()):
        pytest.importorskip(library)
    page = blocks(PAGES[name].read_text(encoding="utf-8"))
    done = run_page(page, folder, ("run",), cut_short)
    left = [block for block in page if block not in done]
    assert {block.action for block in left} <= {"slow", "setup", "by-hand", "file", "output"}
    assert all(block.language not in RUN for block in left if block.action == "output")
    for line in (line for block in left if block.action in ("slow", "by-hand") for line in lines_of(block)):
        understand(line)


@pytest.mark.slow
@pytest.mark.parametrize("name", dict.fromkeys([*SLOW, *CUT]))
def test_the_blocks_of_a_page_word_for_word(name, folder):
    page = blocks(PAGES[name].read_text(encoding="utf-8"))
    assert run_page(page, folder, ("run", "slow"), as_written)


# --- controls --------------------------------------------------------------------------------------------------------


def fenced(language: str, text: str, above: str = "") -> str:
    return f"{above}\n```{language}\n{text}\n```\n"


@pytest.mark.parametrize(
    "text",
    [
        fenced("sh", "ginjax inspect missing.safetensors"),
        fenced("sh", "ginjax no-such-command"),
        fenced("sh", "false | cat"),
        fenced("python", "raise ValueError"),
        fenced("python", "x = 1") + fenced("python", "assert x == 2"),
    ],
)
def test_a_failing_block_fails(text, folder):
    with pytest.raises((AssertionError, ValueError)):
        run_page(blocks(text), folder, ("run",), cut_short)
    slow = text.replace("```sh", "<!-- slow -->\n```sh").replace("```python", "<!-- slow -->\n```python")
    assert run_page(blocks(slow.replace("\n<!--", "<!--")), folder, ("run",), cut_short) == []


@pytest.mark.parametrize("file", ["fixtures/diffusion_1d.safetensors", "missing.safetensors"])
def test_a_refusal_that_does_not_come_fails(file, folder):
    """One command works, the other is refused with other words."""
    page = blocks(fenced("sh", f"ginjax inspect {file}", "<!-- refused: density -->"))
    with pytest.raises(AssertionError):
        run_page(page, folder, ("run",), cut_short)


@pytest.mark.parametrize(
    "text",
    [
        fenced("", "ginjax train"),  # no language
        fenced("text", "ginjax train"),  # a command that is passed off as output
        fenced("text", "model.safetensors\n.venv/bin/pip install ."),
        fenced("bash", "true"),
        fenced("toml", "a = 1"),
        fenced("sh", "true", "<!-- sloow -->"),
        fenced("sh", "true", "<!-- by-hand -->"),  # and why?
        fenced("text", "no command", "<!-- setup -->"),
        fenced("sh title=x", "true"),
        "```sh\ntrue\n",
    ],
)
def test_a_block_that_does_not_say_what_it_is(text):
    with pytest.raises(PageError):
        blocks(text)


def test_what_is_found_and_how_it_is_run(folder):
    text = (
        fenced("toml", "steps = 3", "<!-- file: run.toml -->")
        + fenced("sh", "test -f run.toml && cp run.toml copy.toml  # comment\n\ntest -f \\\n  copy.toml")
        + "1. In a list:\n\n   ```python\n   from pathlib import Path\n   assert Path('copy.toml').exists()\n   ```\n"
        + fenced("text", "steps")
        + fenced("sh", "exit 1", "<!-- setup: needs a network -->")
    )
    page = blocks(text)
    assert [block.action for block in page] == ["file", "run", "run", "output", "setup"]
    assert run_page(page, folder, ("run",), as_written) == page[1:3]


def test_a_module_and_its_installation(folder):
    module = fenced("python", "def same(x):\n    return x", "<!-- file: own_page.py -->")
    project = fenced(
        "toml",
        '[project]\nname = "own_page"\n[project.entry-points."ginjax.activations"]\nsame = "own_page:same"',
        "<!-- file: pyproject.toml -->",
    )
    command = fenced("sh", "ginjax init series --activation same")
    with pytest.raises(AssertionError, match="'same' is not one of"):
        run_page(blocks(module + project + command), folder, ("run",), as_written)
    install = fenced("sh", "pip install -e .", "<!-- setup -->")
    done = run_page(blocks(module + project + install + command), folder, ("run",), as_written)
    assert [block.action for block in done] == ["file", "run"]
    with pytest.raises(ZeroDivisionError):
        run_page(
            blocks(fenced("python", "1 / 0", "<!-- file: torn_page.py -->")), folder, ("run",), as_written
        )


def test_what_is_not_run_is_understood(folder):
    understand("# a comment")
    understand("ginjax train --steps 3  # never run")
    understand("ginjax train --steps 3 & sleep 1; kill $!")
    assert not (folder / "model.safetensors").exists()
    with pytest.raises(Exception, match="no-such-option"):
        understand("ginjax train --no-such-option 3")


def test_a_training_that_is_cut_short(tmp_path):
    tiny = ["--channels", "2", "--blocks", "1"]
    small = ["--steps", "10", "--arch", "series", *tiny]
    few = ["--trajectories", "16"]
    assert cut_short(["train", "--steps", "9", "-o", "a", "--channels", "8"]) == [
        "train",
        "-o",
        "a",
        *small,
        *few,
    ]
    for text, simulated in (("data = 'a'", []), ("pde = 'a'", few)):
        (tmp_path / "run.toml").write_text(text)
        config = ["train", "--config", str(tmp_path / "run.toml")]
        assert cut_short(config) == [*config, "--steps", "10", *tiny, *simulated]
    unet = ["train", "--arch", "unet"]
    assert cut_short(unet) == [*unet, "--steps", "10", *tiny, *few]
    assert cut_short(["train", "--init", "a"]) == ["train", "--init", "a", "--steps", "10", *few]
    assert cut_short(["train", "--data", "a"]) == ["train", "--data", "a", *small]
    assert cut_short(["train", "--seeds", "0-4"]) == ["train", *small, *few, "--seeds", "0-1"]
    assert cut_short(["inspect", "a"]) == ["inspect", "a"]
    assert cut_short(["data", "generate"])[-4:] == ["--trajectories", "10", "--frames", "6"]
    text = 'ginjax.train(d, ginjax.TrainSettings(steps=400, seed=1), network=ginjax.Network("resnet", channels=8))'
    assert cut_python(text) == text.replace("400", "4").replace("=8", "=2, blocks=1")
    assert cut_python('Network("series", channels=8)') == 'Network("series", channels=8)'
    assert cut_short(["evaluate", "a"]) == ["evaluate", "a", "--trajectories", "2"]
    assert cut_short(["evaluate", "a", "--data", "d"])[-2:] == ["--trajectories", "2"]


# --- the README, and links -------------------------------------------------------------------------------------------


def test_the_readme_is_a_door():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert [line for line in lines if line.lstrip().startswith("|") and len(line) > 120] == []
    assert lines.count("<!-- test-command -->") == 1
    setup = [block for block in blocks("\n".join(lines)) if block.action == "setup"]
    assert all(block.text.count("\n") == 1 for block in setup[:2])  # the two commands come first
    assert "convert-d fixtures/" in setup[0].text and setup[1].text.rstrip().endswith(".venv/bin/pytest")


def test_the_readme_shows_a_conversion_word_for_word(tmp_path):
    """All of it but lines of a table in the middle, which stand as `...`."""
    (shown,) = re.findall(r"(?s)```text\n(ResNet, 1D -> 3D\n.*?)```", PAGES["README.md"].read_text("utf-8"))
    words = ["convert-d", str(ROOT / "fixtures/diffusion_1d.safetensors"), "--to-dim", "3"]
    told = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "m.safetensors")]).stdout
    table, certificate = shown.split("...\n")
    assert told.startswith(table) and f"\n\n{certificate}\n" in told


@pytest.mark.parametrize("name", PAGES)
def test_links_and_paths(name):
    text = PAGES[name].read_text(encoding="utf-8")
    for words, target in re.findall(r"\[([^]]*)\]\(([^)\s]+)\)", re.sub(r"(?s)```.*?```", "", text)):
        where, _, anchor = target.partition("#")
        path = (PAGES[name].parent / where).resolve() if where else PAGES[name]
        assert path.is_file(), f"{words}: {target}"
        if anchor:
            assert anchor in headings(path.read_text(encoding="utf-8")), f"{words}: {target}"
    assert not re.search(r"/(home|work|root|Users|tmp)/|\.\./shared", text)


def headings(text: str) -> set[str]:
    """The anchors of a page, as both GitHub and the site make them for headings of plain words."""
    found = re.findall(r"^#+ (.*)$", re.sub(r"(?s)```.*?```", "", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def test_every_page_has_a_place_in_the_site():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for name in PAGES:
        if name.startswith("docs/"):
            assert re.search(rf"[ :]{re.escape(name.removeprefix('docs/'))}$", nav, re.MULTILINE), name


def test_the_interpreter_of_the_setup_is_one_that_is_supported():
    assert sys.version_info >= (3, 11) and "python3.11 -m venv" in PAGES["README.md"].read_text(
        encoding="utf-8"
    )
