"""Filter banks in a file: one per dimension, with the recipe they were built from."""

import os
from collections.abc import Iterable

import numpy as np

from ginjax.errors import ArgumentError, FileError
from ginjax.filters import BankRecipe, FilterBank, FilterBlock, FilterKey, make_bank

from ._expect import expect
from ._file import read_file, write_file

_TOLERANCE = 1e-9  # float64 banks differ between machines by rounding only


def write_banks(path: str | os.PathLike[str], banks: Iterable[FilterBank], *, force: bool = False) -> str:
    """Write banks of one recipe, each for a different dimension, to a file of kind `filters`.

    Arrays are named `d2.k1p0`; a block without filters is listed in the header only.

    **Returns:** the SHA-256 of the file, in hexadecimal.

    **Raises:** `ArgumentError` if the banks have no common recipe; `FileError` as `write_file` does.
    """
    by_dimension = {bank.D: bank for bank in banks}
    recipes = {bank.recipe for bank in by_dimension.values()}
    recipe = recipes.pop() if len(recipes) == 1 else None
    if recipe is None:
        raise ArgumentError(
            "banks of one file", got="banks of different or unknown recipes", expected="one recipe for all"
        )
    arrays = {
        f"d{D}.{key_name(key)}": block.filters
        for D, bank in by_dimension.items()
        for key, block in bank.blocks.items()
        if len(block)
    }
    header = {
        "kind": "filters",
        "recipe": recipe.to_json(),
        "banks": {str(D): _description(bank) for D, bank in by_dimension.items()},
    }
    return write_file(path, arrays, header, force=force)


def read_banks(path: str | os.PathLike[str]) -> dict[int, FilterBank]:
    """Read the banks of a file of kind `filters`, by dimension.

    The function builds the banks again from the recipe and compares them with the arrays in the file, so the result is certain
    to be invariant.

    **Raises:** `FileError` if the file cannot be read or its arrays are not those of its recipe.
    """
    content = read_file(path, kind="filters")
    listed = expect(content.header, "banks", dict, where=path)
    try:
        recipe = BankRecipe.from_json(expect(content.header, "recipe", dict, where=path))
        keys = {D: [_key_of(name) for name in expect(listed[D], "blocks", dict, where=path)] for D in listed}
        _check_shapes(path, content.arrays, recipe, {int(D): keys[D] for D in keys})
        banks = {int(D): make_bank(int(D), recipe, keys[D]) for D in sorted(keys, key=int)}
    except (ArgumentError, ValueError, TypeError) as error:
        reason = error.problem if isinstance(error, ArgumentError) else "names or values of the wrong form"
        raise FileError(f"{path}: the filter banks are not described properly: {reason}") from error
    for D, bank in banks.items():
        for key, block in bank.blocks.items():
            stored = content.arrays.get(f"d{D}.{key_name(key)}", np.zeros((0, *block.filters.shape[1:])))
            if stored.shape != block.filters.shape or not _close(stored, block.filters):
                raise FileError(
                    f"{path}: array 'd{D}.{key_name(key)}' does not hold the filters of the file's recipe",
                    hint="Write the file again with 'ginjax build-filters'.",
                )
    return banks


def key_name(key: FilterKey) -> str:
    """Order and parity in the form used in files, such as `k1p0`."""
    return f"k{key[0]}p{key[1]}"


def _key_of(name: str) -> FilterKey:
    order, _, parity = name.removeprefix("k").partition("p")
    key = int(order), int(parity)
    if key_name(key) != name or parity not in ("0", "1"):
        raise ValueError(name)
    return key


def _description(bank: FilterBank) -> dict[str, object]:
    return {
        "digest": bank.digest,
        "blocks": {key_name(key): _block_description(block) for key, block in bank.blocks.items()},
    }


def _block_description(block: FilterBlock) -> dict[str, object]:
    return {"filters": len(block), "identities": [identity.name for identity in block.identities]}


def _check_shapes(
    path: object, arrays: dict[str, np.ndarray], recipe: BankRecipe, keys: dict[int, list[FilterKey]]
) -> None:
    """Check that every array fits its name before any bank is built, so that the size of the file bounds the work."""
    expected = {f"d{D}.{key_name(key)}": (D, key[0]) for D in keys for key in keys[D]}
    for name, array in arrays.items():
        if name not in expected:
            raise FileError(f"{path}: array {name!r} is in none of the banks", hint="The file is corrupt.")
        D, k = expected[name]
        if array.ndim != 1 + D + k or array.shape[1:] != (recipe.side,) * D + (D,) * k:
            raise FileError(
                f"{path}: array {name!r} has the wrong shape {array.shape}", hint="The file is corrupt."
            )


def _close(stored: np.ndarray, built: np.ndarray) -> bool:
    return stored.dtype == np.float64 and bool(np.allclose(stored, built, rtol=0, atol=_TOLERANCE))
