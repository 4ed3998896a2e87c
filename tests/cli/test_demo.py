import json

import pytest
from command_line import app
from helpers import S, random_field
from typer.testing import CliRunner

import ginjax.ml
from ginjax.ml import Study, ZeroShot
from ginjax.transfer import compared_rules, rule_label

PNG = b"\x89PNG\r\n\x1a\n"
NAMES = [rule_label(*rule) for rule in compared_rules()]
NORM = "compatibility-norm"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The command on grids so small that it takes seconds."""
    make_task = ginjax.ml.make_task

    def small(pde, D, **settings):
        return make_task(pde, D, **settings | {"trajectories": 2, "frames": 1, "side": 4 if D == 3 else 8})

    monkeypatch.setattr("ginjax.ml.make_task", small)
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, ["demo", *args], prog_name="ginjax")


def test_one_table_and_one_picture(run, tmp_path):
    result = run("--steps", "5", "--json")
    assert result.exit_code == 0, result.stderr
    payload = json.loads(result.stdout)
    assert {"equation", "path", "rows", "warnings"} <= set(payload)
    assert [(row["dim"], row["rule"]) for row in payload["rows"]] == [
        (1, "trained"), *((D, name) for D in (2, 3) for name in NAMES if name != NORM),
    ]  # fmt: skip
    assert list(payload["left_out"]) == [NORM]
    for row in payload["rows"]:
        assert set(row) == {"dim", "error", "persistence", "residual", "rule"}
        if row["rule"].startswith("compat-flex") or row["rule"] == "compatibility":
            assert row["residual"] <= 1e-5
    assert (tmp_path / "demo.png").read_bytes().startswith(PNG)
    assert [path.name for path in tmp_path.iterdir()] == ["demo.png"]


@pytest.mark.pictures
def test_what_a_reader_sees(run, tmp_path, monkeypatch):
    def study(model, tasks, progress):
        rows = [(1, "trained"), *((D, name) for D in (2, 3) for name in NAMES)]
        return Study(tuple(ZeroShot(D, name, None, 0.25 * D, 0.5) for D, name in rows), {"other": "a lot"})

    fields = tuple(random_field(S, 1, 4, seed) for seed in range(3))
    monkeypatch.setattr("ginjax.ml.zero_shot_study", study)
    monkeypatch.setattr("ginjax.ml.zero_shot_prediction", lambda model, task: fields)
    (tmp_path / "p.png").write_bytes(b"old")
    result = run("--steps", "1", "-o", "p.png", "--force")
    assert result.exit_code == 0, result.stderr
    title, header, *rows = result.stdout.splitlines()
    assert "trained on 1D only" in title
    assert header.split("  ")[0] == "dim"
    assert rows[0].split() == ["1", "trained", "-", "0.25", "0.5"]
    assert [row.split()[0] for row in rows[1 : 1 + 2 * len(NAMES)]] == ["2"] * len(NAMES) + ["3"] * len(NAMES)
    assert f"best in 3D: {NAMES[0]}, 0.75 against 0.5 for no change" in rows
    assert result.stderr.splitlines().count("left out: other, which needs a lot") == 1
    assert result.stderr.splitlines()[-2:] == ["wrote p.png", "next: ginjax train"]
    assert (tmp_path / "p.png").read_bytes().startswith(PNG)


def test_an_existing_file_is_refused_before_any_work(run, tmp_path, monkeypatch):
    class Worked(Exception):
        pass

    def work(*args, **kwargs):
        raise Worked

    monkeypatch.setattr("ginjax.ml.make_task", work)
    assert isinstance(run().exception, Worked)
    (tmp_path / "demo.png").write_text("mine")
    result = run()
    assert result.exit_code == 1
    assert "exists already" in result.stderr and "--force" in result.stderr
    assert (tmp_path / "demo.png").read_text() == "mine"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--pde", "heat"), "'heat' is not one of"),
        (("--steps", "0"), "'--steps'"),
        (("--seed", "x"), "'--seed'"),
    ],
)
def test_bad_input_is_one_line_and_a_hint(run, tmp_path, args, message):
    result = run(*args)
    assert result.exit_code == 2
    first, hint = result.stderr.splitlines()
    assert message in first and hint == "hint: 'ginjax demo --help' lists the options."
    assert list(tmp_path.iterdir()) == []
