"""Filter banks: the fixed filters of a network, built from a recipe that holds in any dimension."""

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from ginjax.errors import ArgumentError

from ._basis import basis, carry, character_count
from ._group import Group, explicit_group, hyperoctahedral, reflections
from ._orbits import pixel_coordinates, pixel_unit
from ._recipe import BankRecipe
from ._scaling import limit_support, scale_filters

FilterKey = tuple[int, int]
"""Order and parity `(k, p)` of a filter."""

MAX_ENTRIES = 2**28
"""The largest number of entries of a block (2 GiB of float64)."""


@dataclass(frozen=True, order=True)
class FilterIdentity:
    """The name of a filter, which is the same in every dimension.

    **Arguments:**

    - `part`: one of `PARTS`.
    - `representative`: the coordinates of the representative pixel of its orbit, in descending order, without trailing
      coordinates of the smallest possible size (0 on odd sides, half a pixel on even sides). A shell of L1 radius `l` has
      the representative `(l,)`. On even sides coordinates count half-pixels.
    - `index`: the number of the filter among those of the same part on the same orbit.
    """

    part: str
    representative: tuple[int, ...]
    index: int

    @property
    def is_centre(self) -> bool:
        """Whether the orbit is the innermost one: on odd sides the central pixel alone."""
        return self.representative == ()

    @property
    def name(self) -> str:
        """A readable form such as `(1,1)`, `trace (2)` or `diagonal (2,1) #1`."""
        place = "centre" if self.is_centre else "(" + ",".join(str(c) for c in self.representative) + ")"
        return (f"{self.part} " if self.part else "") + place + (f" #{self.index}" if self.index else "")


@dataclass(frozen=True, eq=False)
class FilterBlock:
    """The filters of one order and parity.

    **Arguments:**

    - `filters`: float64, `(n, *(M,)*D, *(D,)*k)`, read-only.
    - `identities`: the name of each filter, in the same order.
    - `flipped`: for each filter, whether it is the negative of the filter that its name stands for; empty if none is.
    """

    filters: np.ndarray
    identities: tuple[FilterIdentity, ...]
    flipped: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        if self.filters.flags.writeable:
            object.__setattr__(self, "filters", self.filters.view())
            self.filters.setflags(write=False)

    def __reduce__(self) -> tuple[type["FilterBlock"], tuple[object, ...]]:
        # Built anew, because a pickle of NumPy does not keep that an array is read-only.
        return type(self), (self.filters, self.identities, self.flipped)

    @property
    def signs(self) -> np.ndarray:
        """`(n,)`: -1 for a flipped filter, else 1. Rules that go by names multiply weights by these signs."""
        return np.where(self.flipped, -1.0, 1.0) if self.flipped else np.ones(len(self))

    def __len__(self) -> int:
        return len(self.filters)


@dataclass(frozen=True, eq=False)
class FilterBank:
    """The filters that a network uses in one dimension.

    Banks are immutable. Two banks are equal if their recipes, filters and identities are equal.

    **Arguments:**

    - `D`: the dimension.
    - `side`: the side of the filters in pixels.
    - `recipe`: how to build the same bank in another dimension; `None` for arrays that match no recipe.
    - `blocks`: a `FilterBlock` for each `(order, parity)`; a block may be empty.
    """

    D: int
    side: int
    recipe: BankRecipe | None
    blocks: Mapping[FilterKey, FilterBlock] = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", MappingProxyType(dict(sorted(self.blocks.items()))))

    def __reduce__(self) -> tuple[type["FilterBank"], tuple[object, ...]]:
        # A mapping proxy can be neither copied nor pickled; the dictionary below it can.
        return type(self), (self.D, self.side, self.recipe, dict(self.blocks))

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of the filters and their identities, in hexadecimal."""
        sha = hashlib.sha256()
        for (k, p), block in sorted(self.blocks.items()):
            sha.update(repr((self.D, self.side, k, p, block.identities)).encode())
            sha.update(np.ascontiguousarray(block.filters).tobytes())
        return sha.hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FilterBank) and (self.recipe, self.digest) == (other.recipe, other.digest)

    @property
    def keys(self) -> tuple[FilterKey, ...]:
        """The `(order, parity)` of each block, in ascending order."""
        return tuple(sorted(self.blocks))

    def in_dimension(self, D: int) -> "FilterBank":
        """Build the bank of the same recipe in another dimension."""
        if self.recipe is None:
            raise ArgumentError(
                "filter bank",
                got="arrays that match no known recipe",
                expected="a bank built from a recipe",
                hint=f"Hand in the filters for dimension {D} as well.",
            )
        return make_bank(D, self.recipe, self.keys)


def make_bank(D: int, recipe: BankRecipe, keys: Iterable[FilterKey]) -> FilterBank:
    """Build the bank of a recipe in dimension `D` for the given orders and parities.

    **Arguments:**

    - `D`: the dimension, 1 or more.
    - `recipe`: side, scaling, support and group of the filters.
    - `keys`: the `(order, parity)` of each block.

    **Returns:** the bank; the same arguments give the same bytes.

    **Raises:** `ArgumentError` for a dimension below 1, a negative order, or a block with more than `MAX_ENTRIES` entries.
    """
    blocks = {(k, p % 2): make_block(D, recipe, k, p % 2) for k, p in keys}
    return FilterBank(D, recipe.side, recipe, blocks)


@functools.lru_cache(maxsize=512)
def make_block(D: int, recipe: BankRecipe, k: int, p: int) -> FilterBlock:
    """Build the filters of one order and parity, as a read-only block.

    **Raises:** `ArgumentError` for a dimension below 1, a negative order, or a block with more than `MAX_ENTRIES` entries.
    """
    _check_size(D, recipe.side, k)
    if recipe.support == "orthoplex" and k <= 2 and p == 0:
        return _shell_block(D, recipe, k)
    _check_total(character_count(D, recipe.side, k, p, group=recipe.group), D, recipe.side, k)
    group = hyperoctahedral(D) if recipe.group == "hyperoctahedral" else reflections(D)
    filters, identities = _family(group, recipe.side, k, p, recipe.split_k2)
    filters = scale_filters(filters, D, recipe.scaling)
    if recipe.support == "full":
        return freeze(filters, identities)
    unit = pixel_unit(recipe.side)
    radii = np.array([sum(i.representative) for i in identities]) * unit
    smallest = 0 if recipe.side % 2 else 1
    radii = radii + np.array([(D - len(i.representative)) * smallest for i in identities]) * unit
    limit = recipe.max_pixel_l1 or 0.0
    kept = np.flatnonzero(radii <= limit + 1e-9)
    if recipe.support != "summed":
        return freeze(filters[kept], [identities[i] for i in kept])
    shells = np.unique(radii[kept])
    return freeze(
        limit_support(filters, D, recipe.max_pixel_l1, combine=True),
        [FilterIdentity("", _shell_representative(r, D, recipe.side), 0) for r in shells],
    )


def basis_for_operators(
    D: int, side: int, k: int, p: int, operators: Sequence[np.ndarray], split_k2: bool = True
) -> np.ndarray:
    """Compute an unscaled basis of the filters that are invariant under a group of signed permutation matrices.

    **Arguments:**

    - `D`: the dimension.
    - `side`: the side of the filters in pixels.
    - `k`, `p`: tensor order and parity.
    - `operators`: all `(D, D)` matrices of the group.
    - `split_k2`: whether order 2 is split into trace, antisymmetric, symmetric and diagonal parts.

    **Returns:** `(n, *(side,)*D, *(D,)*k)`, float64.

    **Raises:** `ArgumentError` if the operators do not form a group of signed permutations.
    """
    _check_size(D, side, k)
    return _family(explicit_group(operators), side, k, p, split_k2)[0]


def _check_size(D: int, side: int, k: int) -> None:
    if isinstance(D, bool) or not isinstance(D, (int, np.integer)) or D < 1:
        raise ArgumentError("dimension", got=D, expected="a whole number, 1 or more")
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 0:
        raise ArgumentError("order of the filters", got=k, expected="a whole number, 0 or more")
    # The basis of the tensors at one pixel is found with a matrix over all D^k components.
    if D > 16 or k > 32 or max(side**D, D**k) * D**k > MAX_ENTRIES:
        raise ArgumentError(
            "filter bank",
            got=f"dimension {D}, side {side}, order {k}",
            expected=f"at most {MAX_ENTRIES} entries a filter",
        )


def _check_total(filters: int, D: int, side: int, k: int) -> None:
    """Refuse a block that is too large, before it is built."""
    if filters * side**D * D**k > MAX_ENTRIES:
        raise ArgumentError(
            "filter bank",
            got=f"{filters} filters of {side**D * D**k} entries",
            expected=f"at most {MAX_ENTRIES} entries",
            hint='Use a smaller side or order, or `support="orthoplex"`.',
        )


def _family(
    group: Group, side: int, k: int, p: int, split_k2: bool
) -> tuple[np.ndarray, list[FilterIdentity]]:
    """Return an unscaled basis `(n, *(M,)*D, *(D,)*k)` and the identities, in canonical order."""
    D = group.D
    members = basis(group, side, k, p, split_k2)
    _check_total(len(members), D, side, k)
    filters = np.zeros((len(members), side**D, D**k))
    rows_of: dict[int, list[int]] = {}
    for row, (orbit, *_) in enumerate(members):
        rows_of.setdefault(id(orbit), []).append(row)
    for rows in rows_of.values():
        orbit = members[rows[0]][0]
        tensors = np.stack([members[row][3] for row in rows])
        filters[np.array(rows)[:, None], orbit.positions] = carry(orbit, tensors, k, p)
    identities = [
        FilterIdentity(part, strip_representative(orbit.representative, side), index)
        for orbit, part, index, _ in members
    ]
    return filters.reshape(len(members), *(side,) * D, *(D,) * k), identities


def strip_representative(representative: Sequence[int], side: int) -> tuple[int, ...]:
    """Drop the trailing smallest coordinates, because their number depends on the dimension only."""
    smallest = 0 if side % 2 else 1
    kept = list(representative)
    while kept and abs(kept[-1]) == smallest:
        kept.pop()
    return tuple(kept)


def _shell_representative(radius: float, D: int, side: int) -> tuple[int, ...]:
    """Name the shell of L1 radius `l` by its outermost pixel on an axis, `(l,)`."""
    if side % 2:
        return strip_representative((round(radius),), side)
    return strip_representative((round(2 * radius) - (D - 1),), side)


def _shell_block(D: int, recipe: BankRecipe, k: int) -> FilterBlock:
    """Build the shell filters of support `"orthoplex"`: orders 0, 1, 2 of even parity, largest entry 1."""
    side = recipe.side
    limit = min(recipe.max_pixel_l1 or 0.0, D * (side - 1) / 2)
    shells = range(int(limit + 1e-9) + 1)
    _check_total(len(shells) * (2 if k == 2 and D > 1 else 1), D, side, k)
    x = pixel_coordinates(D, side).astype(np.float64)
    radius = np.abs(x).sum(axis=1)
    filters, identities = [], []

    def add(part: str, values: np.ndarray, shell: int) -> None:
        on_shell = values * (radius == shell)[:, None]
        largest = np.abs(on_shell).max()
        if largest > 0:
            filters.append(on_shell / largest)
            identities.append(FilterIdentity(part, (shell,) if shell else (), 0))

    ones = np.ones((len(x), 1))
    if k == 0:
        for shell in shells:
            add("", ones, shell)
    elif k == 1:
        for shell in shells:
            add("", x, shell)
    else:
        for shell in shells:
            add("trace", ones * np.eye(D).reshape(-1), shell)
        # In one dimension x_i x_j is a multiple of delta_ij on every shell.
        for shell in shells if D > 1 else ():
            add("radial", (x[:, :, None] * x[:, None, :]).reshape(len(x), -1), shell)
    stacked = np.array(filters).reshape(len(filters), *(side,) * D, *(D,) * k)
    return freeze(stacked, identities)


def freeze(
    filters: np.ndarray, identities: Iterable[FilterIdentity], flipped: tuple[bool, ...] = ()
) -> FilterBlock:
    """Make a block with a read-only copy of the filters."""
    filters = np.array(filters, dtype=np.float64, order="C")
    filters += 0.0  # no negative zeros: equal filters have equal bytes
    filters.setflags(write=False)
    identities = tuple(identities)
    if len(identities) != len(filters):
        raise ArgumentError(
            "identities", got=len(identities), expected=f"one for each of {len(filters)} filters"
        )
    return FilterBlock(filters, identities, flipped)
