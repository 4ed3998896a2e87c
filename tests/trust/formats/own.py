"""Our files with a checksum: models, banks of filters, states of a run, pairs."""

import contextlib
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from data.layouts import numbers
from helpers import FIXTURES
from raw_files import with_checksum
from safetensors.numpy import load, load_file, save
from trust.formats._format import a_format, same, values_that_stand_there
from trust.mutators import changed_json, json_text, near


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
