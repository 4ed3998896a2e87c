"""A sample of `python -m trust`, and that its judges can find fault."""

import json
import os
import re

import numpy as np
import pytest
from helpers import FIXTURES
from trust import interruptions
from trust.__main__ import options
from trust.files import BAD, count
from trust.formats import FORMATS
from trust.interruptions import COMMANDS, Stage, Trial
from trust.mutators import RAW, changed_json, dumps

EACH = 5


def test_damaged_files_of_every_format():
    told = []
    asked = [(name, number) for name in FORMATS for number in range(EACH)]
    rows = count(asked, 1, lambda name, made: told.append((name, made)) if made["what"] in BAD else None)
    assert told == [] and {name: row["cases"] for name, row in rows.items()} == dict.fromkeys(FORMATS, EACH)
    assert sum(row["refused"] for row in rows.values()) > 50
    assert not any(row[column] for row in rows.values() for column in BAD)


@pytest.mark.parametrize("page", ["development.md", "results/trust.md"])
def test_the_documentation_says_how_to_do_the_whole(page):
    told = re.findall(r"python -m trust ([^`\n]+)", (FIXTURES.parent / "docs" / page).read_text())
    assert told
    for words in told:
        given = options().parse_args(words.replace(" N", " 1").split())
        assert (given.files, given.interruptions) == (100_000, 1000)


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("compiled")) as stage:
        yield stage


def test_a_conversion_is_disturbed_at_every_file_event(stage, tmp_path):
    trial = Trial(COMMANDS["convert-d"], stage, tmp_path)
    assert trial.events > 4
    for how in ("exit", "ENOSPC", "EIO"):
        for at in range(trial.events):
            made = trial.disturbed(how=how, at=at)
            assert made["what"] == "right", made
    assert trial.disturbed(how="short")["what"] == "right"
    assert trial.disturbed(after=0.3 * trial.seconds)["what"] == "right"


def test_a_file_that_is_written_in_place_is_found_out(stage, tmp_path, monkeypatch):
    """A trial finds a half-written file, one that differs, and one that is left behind."""
    trial = Trial(COMMANDS["convert-d"], stage, tmp_path)
    run = Stage.run

    def careless(leave):
        def running(self, argv, folder, **how):
            made = run(self, argv, folder, **how)
            leave(folder)
            return made

        return running

    for leave, what in (
        (lambda folder: (folder / "out.safetensors").write_bytes(b"half"), "incomplete"),
        (lambda folder: (folder / ".ginjax-1.tmp").write_bytes(b""), "left behind"),
    ):
        monkeypatch.setattr(Stage, "run", careless(leave))
        assert trial.disturbed(how="exit", at=1)["what"] == what
    monkeypatch.setattr(Stage, "run", lambda *_, **__: {"status": 70, "hung": False, "stderr": ""})
    assert trial.disturbed(how="EIO", at=1)["what"] == "traceback"


@pytest.mark.parametrize("name", FORMATS)
def test_judges_find_fault_with_other_values(tmp_path, name):
    """What was not in the file, or has another type, is wrong whatever the format."""
    kind = FORMATS[name]
    if kind.command == () and name not in ("log", "settings (TOML)", "transfer curve", "npy"):
        pytest.skip("judged as the formats beside it")
    kind.make(tmp_path / "sound")
    sound = kind.read(tmp_path / "sound")
    assert kind.judge(tmp_path / "sound", sound, sound)
    assert not kind.judge(tmp_path / "sound", sound, _other(sound))
    if kind.judge_aware is not None:
        assert kind.judge_aware(tmp_path / "sound", sound, sound)
        assert not kind.judge_aware(tmp_path / "sound", sound, _other(sound))


def _other(found):
    if isinstance(found, np.ndarray):
        return found + 0.123456
    if isinstance(found, list):
        return [_other(each) for each in found]
    if isinstance(found, dict):
        return {name: _other(each) for name, each in found.items()}
    return found + 0.5 if type(found) in (int, float) else f"{found}x" if isinstance(found, str) else found


def test_the_same_seed_is_the_same_damage():
    content = bytes(range(256)) * 8
    for mutate in RAW:
        first, second, other = (mutate(content, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert first == second and (first != content or other != content)
    value = {"a": [1, 2.5, {"b": "c"}], "d": None}
    assert dumps(changed_json(value, np.random.default_rng(3))) == dumps(
        changed_json(json.loads(json.dumps(value)), np.random.default_rng(3))
    )


@pytest.mark.trust
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_disturbed_at_every_event(stage, tmp_path, name):
    trial = Trial(COMMANDS[name], stage, tmp_path / name)
    made = [trial.disturbed(**how) for _, _, _, how in interruptions.cases(name, trial, 1, 200)]
    assert [each for each in made if each["what"] != "right"] == []


@pytest.mark.trust
def test_more_damaged_files_of_every_format():
    told = []
    asked = [(name, number) for name in FORMATS for number in range(int(os.environ.get("TRUST_EACH", "500")))]
    count(asked, 2, lambda name, made: told.append((name, made)) if made["what"] in BAD else None)
    assert told == []
