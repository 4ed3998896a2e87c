"""Every format that is read: how a sound file is made, how it is damaged, how it is read, and what it truly holds.

A format is a function with `@a_format(...)` above it that writes a sound file. What is accepted is judged without the reader
that accepted it: a file of ours with a checksum must come back as it was written; of others every value that is handed out must
stand in the file, as an independent library reads it.
"""

import contextlib
import json
import math
import struct
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from data.layouts import arena, by_seed, compressible, incompressible, numbers, one_tensor, well_file
from helpers import FIXTURES
from raw_files import with_checksum
from safetensors.numpy import load, load_file, save
from trust.hdf5_changes import change_hdf5
from trust.mutators import RAW, Mutator, changed_json, dumps, json_text, near, odd_value

SEED_FILE = 20
"""Of the values in sound files."""

Judge = Callable[[Path, Any, Any], bool]
"""`(file, what the sound file gave, what this one gave) -> whether that is right`"""


@dataclass(frozen=True)
class Format:
    """A format under test.

    **Arguments:**

    - `name`: in the table.
    - `make`: writes a sound file at a path.
    - `read`: reads one by the library.
    - `judge`: whether what was read is right.
    - `raw`: damages that are blind to the format.
    - `aware`: those that know it, and whether these are noticed by a checksum; they write the file anew.
    - `command`: the command that shows such a file, with `{}` in place of it.
    """

    name: str
    make: Callable[[Path], object]
    read: Callable[[Path], Any]
    judge: Judge
    raw: tuple[Mutator, ...] = RAW
    aware: tuple[Callable[[Path, np.random.Generator], None], ...] = ()
    judge_aware: Judge | None = None
    command: tuple[str, ...] = ()

    def damage(self, path: Path, rng: np.random.Generator) -> tuple[str, Judge]:
        """Damage a sound file; the name of the way, and who judges."""
        if self.aware and rng.integers(2):
            way = self.aware[int(rng.integers(len(self.aware)))]
            way(path, rng)
            return way.__name__, self.judge_aware or self.judge
        way = self.raw[int(rng.integers(len(self.raw)))]
        path.write_bytes(way(path.read_bytes(), rng))
        return way.__name__, self.judge


FORMATS: dict[str, Format] = {}


def a_format(
    name: str, read: Callable[[Path], Any], judge: Judge, **more: Any
) -> Callable[[Callable[[Path], object]], Callable[[Path], object]]:
    """Register a format by the function that writes a sound file of it; arguments as of `Format`."""

    def register(make: Callable[[Path], object]) -> Callable[[Path], object]:
        FORMATS[name] = Format(name, make, read, judge, **more)
        return make

    return register


# --- files of ours, with a checksum -----------------------------------------------------------------------------------


def same(path: Path, sound: Any, found: Any) -> bool:
    """A checksum notices whatever is not as it was."""
    if isinstance(sound, np.ndarray):
        return (
            isinstance(found, np.ndarray)
            and sound.dtype == found.dtype
            and np.array_equal(sound, found, True)
        )
    if isinstance(sound, dict):
        return sound.keys() == found.keys() and all(same(path, sound[name], found[name]) for name in sound)
    if isinstance(sound, float) and isinstance(found, float):
        return sound == found or (math.isnan(sound) and math.isnan(found))
    return bool(sound == found)


def change_header(path: Path, rng: np.random.Generator) -> None:
    """The header as a hand changes it that renews the checksum of the file, but no digest of a certificate."""
    content, arrays = path.read_bytes(), load_file(path)
    header = json.loads(_outer(content)["__metadata__"]["ginjax"])
    if rng.integers(8) == 0 and arrays:
        name = sorted(arrays)[int(rng.integers(len(arrays)))]
        made = np.array(arrays[name])
        if made.size:
            made.flat[int(rng.integers(made.size))] = near(made.flat[0].item(), rng)
        arrays[name] = made
        text = json.dumps(with_checksum(header, arrays))
    else:
        header = changed_json(header, rng)
        with contextlib.suppress(RecursionError, ValueError):
            header = with_checksum(header, arrays) if isinstance(header, dict) else header
        text = json_text(header, rng)
    path.write_bytes(save({n: np.asarray(a, order="C") for n, a in arrays.items()}, {"ginjax": text}))


def change_layout(path: Path, rng: np.random.Generator) -> None:
    """What the file says of the places of its arrays."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    raw = json_text(changed_json(_outer(content), rng), rng).encode("utf-8", "surrogatepass")
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + content[8 + length :])


def _outer(content: bytes) -> dict[str, Any]:
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])


OWN: dict[str, Any] = {"aware": (change_header, change_layout)}


def read_model_file(path: Path) -> Any:
    from ginjax.checkpoint import contract_to_json, read_model

    record = read_model(path)
    return {
        "record": record,
        "arrays": dict(record.arrays),
        "claims": record.certificate is not None and not record.certificate_is_stale,
        "contract": contract_to_json(record.contract),
    }


def no_false_claim(path: Path, sound: Any, found: Any) -> bool:
    """A certificate stands only where all that it covers is as it was; weights are those in the file, bit for bit."""
    if found["claims"]:
        record, other = sound["record"], found["record"]
        covered = [each.name for each in fields(record) if each.name not in ("arrays", "provenance")]
        if not sound["claims"] or any(getattr(record, name) != getattr(other, name) for name in covered):
            return False
        return same(path, sound["arrays"], found["arrays"])
    return same(
        path, {n: a for n, a in load(path.read_bytes()).items() if n in found["arrays"]}, found["arrays"]
    )


@a_format("model", read_model_file, same, judge_aware=no_false_claim, command=("inspect", "{}"), **OWN)
def certified_model(path: Path) -> None:
    from ginjax.checkpoint import convert_file
    from ginjax.transfer import make_rule

    convert_file(FIXTURES / "diffusion_1d.safetensors", path, 2, make_rule("compatibility"))


@a_format("model, stored filters", read_model_file, same, judge_aware=no_false_claim, **OWN)
def model_with_filters(path: Path) -> None:
    from ginjax.checkpoint import read_model, write_model
    from ginjax.filters import nameless_bank

    record = read_model(FIXTURES / "burgers_2d.safetensors")
    banks = {
        role: nameless_bank(bank.D, {key: 1.3 * block.filters for key, block in bank.blocks.items()})
        for role, bank in record.banks.items()
    }
    write_model(path, replace(record, banks=banks))


def read_bank_file(path: Path) -> Any:
    from ginjax.checkpoint import read_banks

    return {
        f"d{D}.k{k}p{p}": block.filters
        for D, bank in read_banks(path).items()
        for (k, p), block in bank.blocks.items()
        if len(block)
    }


def stored_filters(path: Path, sound: Any, found: Any) -> bool:
    stored = load(path.read_bytes())
    return found.keys() <= stored.keys() and all(np.allclose(stored[n], found[n], atol=1e-8) for n in found)


@a_format("bank", read_bank_file, same, judge_aware=stored_filters, command=("inspect", "{}"), **OWN)
def bank_file(path: Path) -> None:
    from ginjax.checkpoint import write_banks
    from ginjax.filters import BankRecipe, make_bank

    write_banks(path, [make_bank(D, BankRecipe(3), ((0, 0), (1, 0), (1, 1))) for D in (1, 2)])


STATE_SETTINGS = {"steps": 30, "data_digest": "abc"}


def read_state(path: Path) -> Any:
    """A state stands in a folder of its own."""
    from ginjax import ml
    from ginjax.ml.training._array_file import array_leaves

    file = ml.RunFile(path.parent, STATE_SETTINGS)
    file.path.unlink(missing_ok=True)
    file.path.hardlink_to(path)
    state, progress = file.load(_beginning())
    found: dict[str, Any] = {f"state{name}": np.asarray(leaf) for name, leaf in array_leaves(state)}
    found |= {f"best{name}": np.asarray(leaf) for name, leaf in array_leaves(progress.best_model)}
    return found | {
        each.name: getattr(progress, each.name) for each in fields(progress) if each.name != "best_model"
    }


def stored_state(path: Path, sound: Any, found: Any) -> bool:
    stored = load(path.read_bytes())
    numbers = found["step"], found["best_step"], found["misses"]
    return (
        all(type(each) is int for each in numbers)
        and 0 <= found["step"] <= 30
        and all(
            same(path, stored[name], each) for name, each in found.items() if isinstance(each, np.ndarray)
        )
    )


def _beginning() -> Any:
    import jax.numpy as jnp
    import optax

    from ginjax import ml

    return ml.initial_state({"slope": jnp.arange(3.0), "offset": jnp.float32(0.5)}, optax.adamw(0.1))


@a_format("state of a run", read_state, same, judge_aware=stored_state, **OWN)
def state(path: Path) -> None:
    from ginjax import ml

    best = {"slope": np.arange(3, dtype=np.float32), "offset": np.asarray(0.5, np.float32)}
    progress = ml.Progress(20, 1.5, 2.0, 1.0, best_step=10, best_loss=0.5, best_model=best, misses=2)
    made = ml.RunFile(path.parent / "made.run", STATE_SETTINGS)
    made.save(_beginning(), progress)
    path.write_bytes(made.path.read_bytes())


# --- texts of ours ----------------------------------------------------------------------------------------------------


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
    import typer
    from command_line import app

    from ginjax_cli._config_file import read_config

    command: Any = typer.main.get_command(app)
    return read_config(path, command.commands["train"].params)


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


# --- data -------------------------------------------------------------------------------------------------------------


def read_data(path: Path) -> Any:
    from ginjax.data import open_data

    with open_data(path, ask=False) as source:
        found = {}
        for index in sorted({0, source.trajectories - 1}):
            for frame in sorted({0, source.frames_of(index) - 1}):
                found |= {f"{n} {index} {frame}": a for n, a in source.read(index, frame, frame + 1).items()}
            found |= {f"{n} {index}": a for n, a in source.read_constants(index).items()}
    return found


def values_that_stand_there(everything: Callable[[Path], list[np.ndarray]]) -> Judge:
    """Every value that was handed out is one of the file, as another library reads it, in single precision."""

    def judge(path: Path, sound: Any, found: Any) -> bool:
        with np.errstate(all="ignore"):
            there = [np.ravel(each).astype(np.float32) for each in everything(path)]
            stored = np.unique(np.concatenate([*there, np.float32([0, np.nan])]))
            return all(bool(np.isin(np.float32(a), stored).all() | _nan(a, stored)) for a in found.values())

    return judge


def _nan(array: np.ndarray, stored: np.ndarray) -> bool:
    """As `isin`, to which no NaN is like another."""
    rest = array[~np.isnan(array)]
    return bool(np.isin(np.float32(rest), stored).all())


def arrays_of_hdf5(path: Path) -> list[np.ndarray]:
    found: list[np.ndarray] = []

    def take(name: str, node: Any) -> None:
        if not isinstance(node, h5py.Dataset) or node.dtype.kind not in "fiub" or not node.size:
            return
        if node.size > 2**22:  # more than was read; all that the reader may have seen of it is its fill value
            found.append(np.asarray([node.fillvalue]))
            return
        values = np.asarray(node[()])
        found.append(values)
        numbers = {
            each: float(np.ravel(node.attrs[each])[0])
            for each in ("scale_factor", "add_offset")
            if each in node.attrs
            and np.asarray(node.attrs[each]).dtype.kind in "fiub"
            and np.size(node.attrs[each]) == 1
        }
        if numbers:
            found.append(values * numbers.get("scale_factor", 1.0) + numbers.get("add_offset", 0.0))

    with h5py.File(path, "r") as file:
        _walk(file, "", take, set())
    return found


def _walk(group: Any, prefix: str, take: Callable[[str, Any], None], seen: set[Any]) -> None:
    """Go through all that can be read of a file; what its own library refuses is not there."""
    with contextlib.suppress(RuntimeError):
        place = h5py.h5o.get_info(group.id).addr
        if place in seen:
            return
        seen.add(place)
    for name in list(group):
        with contextlib.suppress(Exception):
            if isinstance(group.get(name, getlink=True), h5py.HardLink):
                node = group[name]
                if isinstance(node, h5py.Group):
                    _walk(node, f"{prefix}{name}/", take, seen)
                take(prefix + name, node)


HDF5: dict[str, Any] = {
    "read": read_data,
    "judge": values_that_stand_there(arrays_of_hdf5),
    "aware": (change_hdf5,),
    "command": ("data", "inspect", "{}", "--json"),
}


@a_format("The Well", **HDF5)
def the_well(path: Path) -> None:
    given = {
        "p": (0, numbers(3, 5, 4, 6), True, True, (True, True)),
        "v": (1, numbers(3, 5, 4, 6, 2, start=1000), True, True, (True, True)),
        "mask": (0, numbers(4, 6), False, False, (True, True)),
    }
    well_file(path, given, scalars={"Re": (numbers(3), True, False)})


@a_format("The Well, ours", **HDF5)
def own_data(path: Path) -> None:
    from ginjax.data import Field, Trajectories, write_well

    fields_ = (Field("density", 0, 0, "kg"), Field("velocity", 1, 0, "m/s"))
    values = {"density": numbers(2, 3, 4, 4), "velocity": numbers(2, 3, 4, 4, 2, start=500)}
    write_well(path, Trajectories(fields_, values, D=2, spacing=0.5, time_step=0.1), name="x", force=True)


@a_format("PDEBench, compressible", **HDF5)
def pdebench_compressible(path: Path) -> None:
    compressible(path)


@a_format("PDEBench, tensor", **HDF5)
def pdebench_tensor(path: Path) -> None:
    one_tensor(path)


@a_format("PDEBench, by seed", **HDF5)
def pdebench_by_seed(path: Path) -> None:
    by_seed(path)


@a_format("PDEBench, incompressible", **HDF5)
def pdebench_incompressible(path: Path) -> None:
    incompressible(path)


@a_format("PDEArena", **HDF5)
def pdearena(path: Path) -> None:
    arena(path, parts=("train", "valid"))


NPZ_SCHEMA = {
    "dimension": 2,
    "spacing": 0.5,
    "time_step": 0.1,
    "periodic": [True, False],
    "fields": [{"name": "p", "order": 0, "parity": "odd", "unit": "m"}, {"name": "v", "order": 1}],
    "constants": [{"name": "c", "order": 0}],
}


def npz_arrays() -> dict[str, np.ndarray]:
    return {
        "p": numbers(2, 3, 4, 5),
        "v": numbers(2, 3, 4, 5, 2, start=500).astype(np.float64),
        "c": numbers(2, 4, 5, start=900),
    }


def change_npz(path: Path, rng: np.random.Generator) -> None:
    """An archive that is sound, of arrays and a schema that may not be."""
    schema: Any = changed_json(NPZ_SCHEMA, rng) if rng.integers(2) else NPZ_SCHEMA
    text = np.array(json_text(schema, rng).replace("\x00", "")).astype(np.str_)
    method = zipfile.ZIP_DEFLATED if rng.integers(2) else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, array in {**npz_arrays(), "schema": text}.items():
            content = _npy(array)
            if rng.integers(4) == 0:
                content = change_npy_header(content, rng)
            archive.writestr(f"{name}.npy", content)
            if rng.integers(12) == 0:
                archive.writestr(f"{name}.npy", _npy(array + 1 if array.dtype.kind == "f" else array))


def change_npy_header(content: bytes, rng: np.random.Generator) -> bytes:
    """Another shape, type or order in the header of an array."""
    length = struct.unpack("<H", content[8:10])[0]
    header, data = content[10 : 10 + length].decode("latin-1"), content[10 + length :]
    swaps = (
        ("'<f4'", "'<f8'"), ("'<f4'", "'|O'"), ("'<f4'", "'>f4'"), ("'<f4'", "'<c8'"), ("False", "True"), ("(2,", "(4,"),
        ("(2,", "(-2,"), ("(2,", "(2**40,"), ("(2,", "(1099511627776,"), ("(2, ", "("), ("'<f4'", "'<M8[s]'"),
        ("'<f4'", "[('a', '<f4')]"), ("{", "{" * 500), ("'shape'", "'shapes'"), ("(2,", "(True,"), ("(2,", "(0,"),
    )  # fmt: skip
    old, new = swaps[int(rng.integers(len(swaps)))]
    made = header.replace(old, new).encode("latin-1")
    version = b"\x93NUMPY\x01\x00" if rng.integers(8) else b"\x93NUMPY\x03\x00"
    return version + struct.pack("<H", len(made) % 2**16) + made + data


def change_npy(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(change_npy_header(path.read_bytes(), rng))


def _npy(array: np.ndarray) -> bytes:
    from io import BytesIO

    stream = BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def arrays_of_npz(path: Path) -> list[np.ndarray]:
    found = []
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            with contextlib.suppress(Exception):  # what NumPy refuses is not there
                found.append(archive[name])
    return [each for each in found if each.dtype.kind in "fiub"]


def arrays_of_npy(path: Path) -> list[np.ndarray]:
    return [np.load(path, allow_pickle=False)]


@a_format(
    "npz", read_data, values_that_stand_there(arrays_of_npz), aware=(change_npz,), command=HDF5["command"]
)
def npz(path: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, schema=json.dumps(NPZ_SCHEMA), **npz_arrays())


@a_format(
    "npz, compressed",
    read_data,
    values_that_stand_there(arrays_of_npz),
    aware=(change_npz,),
    command=HDF5["command"],
)
def npz_compressed(path: Path) -> None:
    with path.open("wb") as stream:
        np.savez_compressed(stream, schema=json.dumps(NPZ_SCHEMA), **npz_arrays())


@a_format(
    "npy", read_data, values_that_stand_there(arrays_of_npy), aware=(change_npy,), command=HDF5["command"]
)
def npy(path: Path) -> None:
    path.write_bytes(_npy(numbers(2, 5, 7, 9)))


def read_pairs_file(path: Path) -> Any:
    from ginjax.data import read_pairs

    X, Y = read_pairs(path)[:2]
    return {
        f"{role}.{key}": np.asarray(block)
        for role, image in (("x", X), ("y", Y))
        for key, block in image.items()
    }


def arrays_of_safetensors(path: Path) -> list[np.ndarray]:
    return list(load(path.read_bytes()).values())


@a_format("pairs", read_pairs_file, same, judge_aware=values_that_stand_there(arrays_of_safetensors), **OWN)
def pairs(path: Path) -> None:
    from ginjax.data import write_pairs
    from ginjax.geometric import MultiImage

    X, Y = (
        MultiImage({(0, 0): numbers(3, 1, 4, 4), (1, 0): numbers(3, 1, 4, 4, 2, start=50)}, 2) for _ in "xy"
    )
    write_pairs(path, X, Y, force=True)
