"""Networks of other libraries, and those of ours that were converted for them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from helpers import FIXTURES
from other_networks import PATTERNS, modules, parameters, write
from safetensors.numpy import load, load_file, save
from trust.formats._format import a_format, same
from trust.formats.own import change_layout
from trust.mutators import changed_json, json_text


def read_network(path: Path) -> Any:
    from ginjax.state_dict import read_record, read_state_dict

    state = read_state_dict(path)
    record = read_record(state)
    return {
        "arrays": dict(state.arrays),
        "record": record,
        "claims": record is not None and not record.is_stale(state.arrays),
    }


def weights_of_the_file(path: Path, sound: Any, found: Any) -> bool:
    """Weights are those in the file, bit for bit; a certificate stands only beside what it was made of."""
    if found["claims"] and not (
        found["record"] == sound["record"] and same(path, sound["arrays"], found["arrays"])
    ):
        return False
    return same(path, load(path.read_bytes()), found["arrays"])


def change_record(path: Path, rng: np.random.Generator) -> None:
    """What a converted network says of its conversion."""
    from ginjax.state_dict import RECORD_KEY

    content, arrays = path.read_bytes(), load_file(path)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = dict(header["__metadata__"])
    changed = changed_json(json.loads(metadata[RECORD_KEY]), rng)
    metadata[RECORD_KEY] = json_text(changed, rng).encode("utf-8", "replace").decode()
    path.write_bytes(save(arrays, metadata))


NETWORK: dict[str, Any] = {
    "read": read_network,
    "judge": weights_of_the_file,
    "command": ("inspect", "{}", "--json"),
}


@a_format("state dict", aware=(change_layout,), **NETWORK)
def state_dict(path: Path) -> None:
    write(path, parameters())


@a_format("state dict, converted", aware=(change_layout, change_record), **NETWORK)
def converted_state_dict(path: Path) -> None:
    from ginjax.state_dict import Description, convert_state_dict, read_state_dict, write_state_dict

    source = path.with_name("source")
    write(source, parameters())
    found = convert_state_dict(read_state_dict(source), 3, "tile", Description(**PATTERNS))
    write_state_dict(path, found.after)


def read_modules_file(path: Path) -> Any:
    from ginjax.state_dict import read_modules

    return [[each.name, list(each.kinds), dict(each.settings)] for each in read_modules(path)]


def modules_that_stand_there(path: Path, sound: Any, found: Any) -> bool:
    rows = json.loads(path.read_text(encoding="utf-8"))["modules"]
    return found == [[row["name"], row["kinds"], row["settings"]] for row in rows]


def change_modules(path: Path, rng: np.random.Generator) -> None:
    text = json_text(changed_json(json.loads(path.read_text()), rng), rng)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


@a_format("modules", read_modules_file, modules_that_stand_there, aware=(change_modules,))
def modules_file(path: Path) -> None:
    rows = [{"name": m.name, "kinds": list(m.kinds), "settings": dict(m.settings)} for m in modules()]
    path.write_text(json.dumps({"modules": rows}))


def read_checkpoint(path: Path) -> Any:
    from ginjax.checkpoint import read_eqx

    file = read_eqx(path)
    return {str(number): array for number, array in enumerate(file.arrays)} | {"further": file.further}


def records_that_stand_there(path: Path, sound: Any, found: Any) -> bool:
    """NumPy reads the same arrays, one after the other."""
    arrays = [each for name, each in found.items() if name != "further"]
    with path.open("rb") as stream:
        if found["further"] is not None and json.loads(stream.readline()) != found["further"]:
            return False
        there = [np.load(stream, allow_pickle=False) for _ in arrays]
        return not stream.read(1) and all(
            a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
            for a, b in zip(there, arrays, strict=True)
        )


@a_format("eqx", read_checkpoint, records_that_stand_there, command=("inspect", "{}"))
def eqx(path: Path) -> None:
    stored = (FIXTURES / "golden" / "series_2d_sv.eqx").read_bytes()
    path.write_bytes(b'{"channels": 4, "name": "a series"}\n' + stored)
