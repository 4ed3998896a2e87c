"""One change of what an HDF5 file says, made by its own library, so that the file is sound and means something else."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np


def change_hdf5(path: Path, rng: np.random.Generator) -> None:
    """Change one object or attribute of a file."""
    with h5py.File(path, "r+") as file:
        objects: list[Any] = [file]
        file.visititems(lambda name, node: objects.append(node))
        node = objects[int(rng.integers(len(objects)))]
        changes = [_attribute, _attribute, _attribute, _remove, _link]
        if isinstance(node, h5py.Dataset):
            changes = [*changes, _shape, _shape, _storage, _type, _values]
        changes[int(rng.integers(len(changes)))](node, rng)


def _attribute(node: Any, rng: np.random.Generator) -> None:
    known = ("_FillValue", "scale_factor", "units", "DIMENSION_LIST", "DIMENSION_LABELS", "field_names", "é")
    names = [*node.attrs, *known]
    name = names[int(rng.integers(len(names)))]
    if name in node.attrs and rng.integers(5) == 0:
        del node.attrs[name]
        return
    values = (
        0, 1, -1, 2**31, 2.5, np.nan, np.inf, True, False, "", "x", "odd", "\x1b[2J", "x" * 60_000, b"\xff\xfe",
        h5py.Empty("f4"), np.zeros(3), np.zeros((2, 2, 2)), np.zeros(0), np.arange(5000), ["x", "y"], ["x"] * 70,
        node.ref, [node.ref, node.ref], 1 + 2j, np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
        np.array(["NaN", "a"], h5py.string_dtype()), np.int8(-1), np.uint64(2**64 - 1),
    )  # fmt: skip
    value = values[int(rng.integers(len(values)))]
    node.attrs.create(name, value, dtype=h5py.ref_dtype if isinstance(value, h5py.Reference) else None)


def _remove(node: Any, rng: np.random.Generator) -> None:
    if node.name not in (None, "/"):
        del node.file[node.name]


def _link(node: Any, rng: np.random.Generator) -> None:
    """Something else stands in the place of an object."""
    file, name = node.file, node.name if node.name not in (None, "/") else "/new"
    if name in file:
        del file[name]
    kind = int(rng.integers(5))
    if kind == 0:
        file[name] = h5py.SoftLink("/")
    elif kind == 1:
        file[name] = h5py.ExternalLink("/etc/passwd", "/")
    elif kind == 2:
        file[name] = file["/"]
    elif kind == 3:
        file.create_group(name)
    else:
        file[name] = np.dtype("f8")


def _shape(node: Any, rng: np.random.Generator) -> None:
    """The same name, with sides that nothing stands behind."""
    sides = [*node.shape]
    choices = [0, 1, 2, 3, 100, 2**16, 2**28, 2**40]
    for _ in range(int(rng.integers(1, 3))):
        if sides:
            sides[int(rng.integers(len(sides)))] = choices[int(rng.integers(len(choices)))]
    if rng.integers(4) == 0:
        sides.insert(int(rng.integers(len(sides) + 1)), int(rng.integers(1, 4)))
    if sides and rng.integers(4) == 0:
        sides.pop()
    chunks = bool(rng.integers(2)) and sides and 0 not in sides
    _again(node, tuple(sides), node.dtype, chunks=True if chunks else None)


def _storage(node: Any, rng: np.random.Generator) -> None:
    """The same values, stored in another way: half of them not at all."""
    if not node.shape or 0 in node.shape:
        return
    values = node[()]
    ways: tuple[dict[str, Any], ...] = (
        {"chunks": True, "compression": "gzip"},
        {"chunks": True, "compression": "lzf", "shuffle": True},
        {"chunks": True, "fletcher32": True},
        {"chunks": tuple(1 for _ in node.shape)} if values.size < 500 else {"chunks": True},
        {"chunks": True, "scaleoffset": 3},
        {"external": [("outside.bin", 0, h5py.h5f.UNLIMITED)]},
    )
    made = _again(node, node.shape, node.dtype, **ways[int(rng.integers(len(ways)))])
    if made is not None and not made.external:
        made[: len(values) // int(rng.integers(1, 3))] = values[: len(values) // int(rng.integers(1, 3))][:1]


def _type(node: Any, rng: np.random.Generator) -> None:
    kinds = (
        "f2",
        "f8",
        ">f4",
        "i1",
        "u8",
        "c8",
        "S3",
        "b1",
        h5py.string_dtype(),
        h5py.ref_dtype,
        [("a", "f4")],
    )
    _again(node, node.shape, kinds[int(rng.integers(len(kinds)))])


def _values(node: Any, rng: np.random.Generator) -> None:
    if node.size and node.dtype.kind in "fiu":
        values = node[()].reshape(-1) if node.shape else node[()].reshape(1)
        at = int(rng.integers(values.size))
        extremes = (np.nan, np.inf, -1, 0, 1e30) if node.dtype.kind == "f" else (0, 1, 100)
        values[at:] = extremes[int(rng.integers(len(extremes)))]
        node[()] = values.reshape(node.shape)


def _again(node: Any, shape: tuple[int, ...], dtype: Any, **storage: Any) -> Any:
    """A dataset in place of another, with its attributes."""
    file, name, attributes = node.file, node.name, dict(node.attrs)
    del file[name]
    try:
        made = file.create_dataset(name, shape, dtype, **storage)
    except (ValueError, TypeError, OSError):
        return None  # what its own library does not write cannot be read either
    for key, value in attributes.items():
        made.attrs[key] = value
    return made
