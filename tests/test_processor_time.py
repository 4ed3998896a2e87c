"""The run of the tests says where its processor time went."""

import subprocess
import sys
from pathlib import Path

import processor_time

BUSY = "import os\nstart = os.times()[0]\nwhile os.times()[0] < start + 0.2:\n    pass\n"


def test_the_dearest_come_first():
    spent = {f"tests/test_{i}.py": float(i) for i in range(12)}
    total, *files = processor_time.dearest(spent)
    assert total.split() == ["66.0", "s", "12", "files,", "without", "collecting", "them"]
    assert [line.split()[-1] for line in files] == [f"tests/test_{i}.py" for i in range(11, 1, -1)]


def test_what_a_test_and_its_commands_take_is_counted(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "from processor_time import *\nimport processor_time\nprocessor_time.LONG = 0"
    )
    (tmp_path / "test_a.py").write_text("def test_it():\n    pass")  # with what comes before the first test
    (tmp_path / "test_cheap.py").write_text("import time\n\ndef test_it():\n    time.sleep(1)")
    (tmp_path / "test_dear.py").write_text(
        f"import subprocess, sys\nimport pytest\nBUSY = {BUSY!r}\n\n"
        "@pytest.fixture\ndef prepared():\n    subprocess.run([sys.executable, '-c', BUSY], check=True)\n\n"
        "def test_it(prepared):\n    exec(BUSY)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-n", "1", "-p", "no:cacheprovider", str(tmp_path)]
    here = str(Path(__file__).parent)
    ran = subprocess.run([*command, "-o", f"pythonpath={here}"], cwd=tmp_path, capture_output=True, text=True)
    lines = [line.split() for line in ran.stdout.splitlines() if " s  " in line]
    spent = {line[-1]: float(line[0]) for line in lines[1:]}
    assert spent.keys() == {"test_a.py", "test_cheap.py", "test_dear.py"}, ran.stdout + ran.stderr
    assert spent["test_dear.py"] >= 0.4 and spent["test_cheap.py"] < 0.4
