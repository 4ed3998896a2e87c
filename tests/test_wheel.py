"""What somebody gets who installs the wheel: every file, and a program that runs without the source.

The wheel is built from this tree and installed into a fresh environment that lies outside of it. What it depends on is
not downloaded again: a `.pth` file shows the fresh environment the libraries of the one the tests run in.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fenced import blocks
from helpers import FIXTURES

from ginjax._version import __version__

ROOT = FIXTURES.parent
PACKAGES = ("ginjax", "ginjax_cli")
NOT_SHIPPED = {"__pycache__"}

EVERY_MODULE = """
import importlib, pkgutil
for package in ("ginjax", "ginjax_cli"):
    top = importlib.import_module(package)
    print(top.__file__)
    for module in pkgutil.walk_packages(top.__path__, f"{package}."):
        if not module.name.endswith("__main__"):
            print(importlib.import_module(module.name).__file__)
"""

PROGRAMS = {
    "functions": (
        """
from ginjax.models import load_model, to_dimension

high, certificate = to_dimension(load_model("fixtures/diffusion_1d.safetensors").model, 3, "compatibility")
print(certificate.exact, high.D)
""",
        "True 3",
    ),
    "front door": (
        """
import ginjax

model = ginjax.load("fixtures/diffusion_1d.safetensors").to_dimension(2, rescale="compatibility")
model.save("front_door.2d.safetensors")
print(model.verify().lifts, model.certificate.exact, ginjax.__version__ is not None)
""",
        "True True True",
    ),
}
"""What one writes in Python, and the last line that it prints."""


@dataclass(frozen=True)
class Installed:
    """A fresh environment that holds the wheel, and an empty folder with one fixture to work in."""

    wheel: Path
    environment: Path
    folder: Path

    def run(self, program: str, *args: str, **variables: str) -> str:
        """Run a program of the environment in the folder, with nothing of ours in the variables but those given.

        The compiler is that of a user: nothing is left of what makes the tests compile cheaply.
        """
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "XLA_FLAGS"))
        }
        done = subprocess.run(
            [str(self.environment / "bin" / program), *args],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=kept | {"COLUMNS": "200"} | variables,
        )
        assert done.returncode == 0, f"{program} {' '.join(args)}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Installed:
    place = tmp_path_factory.mktemp("wheel")
    assert not place.is_relative_to(ROOT)
    build = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        str(place / "dist"),
    ]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (place / "dist").iterdir()

    environment = place / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    install = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "install"]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([*install, *quiet, str(wheel)], check=True, capture_output=True)
    (libraries,) = environment.glob("lib/python*/site-packages")
    ours = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (libraries / "dependencies.pth").write_text(
        "\n".join(ours), encoding="utf-8"
    )  # after pip: it would look there

    folder = place / "folder"
    (folder / "fixtures").mkdir(parents=True)
    shutil.copy(FIXTURES / "diffusion_1d.safetensors", folder / "fixtures")
    return Installed(wheel, environment, folder)


def outside(files: Iterable[str], folder: Path) -> list[str]:
    return [file for file in files if not Path(file).resolve().is_relative_to(folder.resolve())]


def source_files() -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and not NOT_SHIPPED & {*path.parts}
    }


def test_the_wheel_holds_every_file_and_nothing_else(installed):
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        described = {name.split(".dist-info/")[1] for name in wheel.namelist() if ".dist-info/" in name}
    assert names == source_files()
    assert {"ginjax/transfer/__init__.pyi", "ginjax_cli/main.py"} <= names  # stubs, and both packages
    assert {"METADATA", "entry_points.txt", "licenses/LICENSE"} <= described


def test_every_module_is_imported_from_the_wheel(installed):
    files = installed.run("python", "-c", EVERY_MODULE).splitlines()
    modules = {name for name in source_files() if name.endswith(".py") and not name.endswith("__main__.py")}
    assert len(files) == len(modules) and outside(files, installed.environment) == []


def main_job() -> list[str]:
    """The first command of the README, without the installation before it."""
    (first, *_) = blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    program, *words = shlex.split(first.text.split("&&")[-1])
    assert program == ".venv/bin/ginjax"
    return words


def test_the_program_does_the_main_job(installed):
    assert installed.run("ginjax", "--version").split()[-1] == __version__
    assert "compatible: all 8 paths" in installed.run("ginjax", *main_job())
    told = json.loads(installed.run("ginjax", "inspect", "diffusion_3d.safetensors", "--json"))
    assert told["dimension"] == 3 and told["certificate"]["exact"]


@pytest.mark.parametrize(("program", "told"), PROGRAMS.values(), ids=[*PROGRAMS])
def test_programs_in_python(installed, program, told):
    assert installed.run("python", "-c", program).splitlines()[-1] == told


def test_an_import_from_the_source_is_noticed(installed):
    look = ("-c", "import ginjax; print(ginjax.__file__)")
    inside, source = installed.run("python", *look), installed.run("python", *look, PYTHONPATH=str(ROOT))
    assert outside(inside.splitlines(), installed.environment) == []
    assert outside(source.splitlines(), installed.environment) == [str(ROOT / "ginjax" / "__init__.py")]
