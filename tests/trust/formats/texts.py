"""Our files of text: logs, settings, transfer curves."""

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from trust.formats._format import a_format
from trust.mutators import changed_json, dumps, json_text, odd_value


def change_line(path: Path, rng: np.random.Generator) -> None:
    """A value within one line of JSON."""
    lines = path.read_bytes().splitlines()
    at = int(rng.integers(len(lines)))
    lines[at] = json_text(changed_json(json.loads(lines[at]), rng), rng).encode("utf-8", "surrogatepass")
    path.write_bytes(b"\n".join(lines) + b"\n")


def read_log_file(path: Path) -> Any:
    from ginjax.ml.training._log import read_log

    return read_log(path)


def rows_that_stand_there(path: Path, sound: Any, found: Any) -> bool:
    """Rows are lines of the file, with numbers for numbers."""
    there = []
    for line in path.read_bytes().split(b"\n"):
        try:
            there.append(json.loads(line.decode("utf-8", "replace")))
        except (ValueError, RecursionError):
            continue
    numbers = ("loss", "validation", "learning_rate", "rate", "seconds")
    return all(
        row in there
        and type(row["step"]) is int
        and all(type(row[name]) in (int, float, type(None)) for name in numbers if name in row)
        for row in found
    )


@a_format("log", read_log_file, rows_that_stand_there, aware=(change_line,))
def log(path: Path) -> None:
    rows = [
        {"step": i, "loss": 1 / i, "learning_rate": 1e-3, "rate": 5.0, "seconds": 0.1 * i}
        for i in range(1, 20)
    ]
    path.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in rows))


def change_toml(path: Path, rng: np.random.Generator) -> None:
    lines = path.read_text().splitlines()
    at = int(rng.integers(len(lines)))
    name = lines[at].partition("=")[0].strip()
    value = odd_value(rng)
    text = "[" * 1000 + "]" * 1000 if isinstance(value, list) and rng.integers(2) else dumps(value)[:3000]
    lines[at] = (f"{name} = {text}", f'{name} = "{"x" * 5000}"', f"{name}{name} = 1", f"[{name}]")[
        int(rng.integers(4))
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")


def read_settings(path: Path) -> Any:
    from command_line import program

    from ginjax_cli._config_file import read_config

    return read_config(path, program().commands["train"].params)


def settings_that_stand_there(path: Path, sound: Any, found: Any) -> bool:
    """Every value is one of the file, as tomllib reads it."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    flat = {
        k: v
        for name, each in content.items()
        for k, v in (each.items() if isinstance(each, dict) else [(name, each)])
    }
    values = [value if isinstance(value, bool | list) else str(value) for value in flat.values()]
    return len(found) == len(flat) and all(value in values for value in found.values())


@a_format("settings (TOML)", read_settings, settings_that_stand_there, aware=(change_toml,))
def toml_file(path: Path) -> None:
    path.write_text(
        'pde = "diffusion"\ndim = 1\n[training]\nsteps = 100\nlearning-rate = 1e-3\nbatch-size = 8\nseed = 3\nforce = true\n'
    )


def read_curve(path: Path) -> Any:
    from ginjax.ml.transfer._curve_cells import CurveSettings, read_cells

    return [asdict(cell) for cell in read_cells(path, CurveSettings())]


def cells_that_stand_there(path: Path, sound: Any, found: Any) -> bool:
    return found == json.loads(path.read_text(encoding="utf-8"))["cells"]


def change_curve(path: Path, rng: np.random.Generator) -> None:
    text = json_text(changed_json(json.loads(path.read_text()), rng), rng)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


@a_format("transfer curve", read_curve, cells_that_stand_there, aware=(change_curve,))
def transfer_curve(path: Path) -> None:
    from ginjax.ml.transfer._curve_cells import Cell, CurveSettings, write_cells

    which = ("diffusion", 1, 2, "converted", 0)
    cells = [Cell(*which, seed, 0.0, 0, 0.5, 1.5, 0.0, 0.25, 0.01, 0.2) for seed in range(3)]
    write_cells(path, CurveSettings(), cells)
