import subprocess
import sys

import pytest
from command_line import app
from helpers import FIXTURES
from typer.testing import CliRunner

MODEL = str(FIXTURES / "diffusion_1d.safetensors")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def test_a_card(run, tmp_path):
    result = run("card", MODEL, "-o", "README.md")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[-1] == "wrote README.md"
    assert (tmp_path / "README.md").read_text().startswith("---\nlibrary_name: ginjax\n")
    assert run("card", MODEL, "-o", "README.md").exit_code == 1
    assert run("card", MODEL, "-o", "README.md", "--force", "-q").stdout == "README.md\n"
    refused = run("card", MODEL, "-o", "b.md", "--evaluation", "README.md")
    assert refused.exit_code == 1 and "README.md" in refused.stderr


def test_a_card_needs_no_jax(tmp_path):
    words = ["card", MODEL, "-o", str(tmp_path / "card.md")]
    code = (
        "import sys\nfrom ginjax_cli.main import make_app\n"
        f"try:\n    make_app(('card',))({words!r}, prog_name='ginjax')\nexcept SystemExit as end:\n"
        "    assert not end.code\nassert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, capture_output=True)
