r"""Bases of the invariant filters, one orbit of pixels at a time.

A filter `C` on the `M^D` grid with values in the tensors of order `k` and parity `p` is invariant if
`det(g)^p g^{(x)k} C(g^{-1} x) = C(x)` for every `g`. Such a filter is determined by its value at one pixel `r` of each
orbit. That value may be any tensor that is invariant under the stabiliser of `r`. Signed permutations map each unit tensor
`e_I` to plus or minus another unit tensor, so the invariant tensors have a basis of *signed orbit sums*: one for each orbit
of indices on which no index is mapped to itself with a minus sign. The supports are disjoint and the first entry is 1, so
this basis is in reduced row echelon form already. No linear algebra is needed.

For `k = 2` each pixel's tensors are first split into four parts, each invariant under `B_D`: the trace
`delta_ij`, the antisymmetric, the off-diagonal symmetric and the traceless diagonal tensors.
"""

import math
from collections.abc import Iterator
from typing import get_args

import numpy as np

from ginjax._unknown_name import unknown_name

from ._group import Group, GroupName, signed_cycle_types, tensor_action
from ._orbits import Orbit, pixel_orbits

PARTS = ("", "trace", "antisymmetric", "symmetric", "diagonal", "radial")
"""The names of the parts in canonical order: `""` for orders that are not split, `"radial"` for `x_i x_j` shells."""


def invariant_tensors(orbit: Orbit, k: int, p: int, split_k2: bool) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the tensors `(D^k,)` that are invariant under the stabiliser of an orbit's representative, part by part."""
    perms, signs = orbit.stabiliser
    D = perms.shape[1]
    source, sign = tensor_action(perms, signs, k, p)
    if k != 2 or not split_k2:
        yield from (("", row) for row in signed_orbit_sums(source, sign, D**k))
        return
    first, second = np.triu_indices(D, 1)
    upper, lower = first * D + second, second * D + first
    rows = np.arange(len(upper))
    one_sided = np.zeros((len(upper), D * D))
    one_sided[rows, upper] = 1.0
    symmetric, antisymmetric = one_sided.copy(), one_sided
    symmetric[rows, lower], antisymmetric[rows, lower] = 1.0, -1.0
    diagonal = np.eye(D * D)[:: D + 1]
    diagonal_sums = _invariant_rows(diagonal, source, sign)
    trace = np.eye(D).reshape(-1)
    if all(np.array_equal(trace[g] * s, trace) for g, s in zip(source, sign, strict=True)):
        yield "trace", trace
    yield from (("antisymmetric", row) for row in _invariant_rows(antisymmetric, source, sign))
    yield from (("symmetric", row) for row in _invariant_rows(symmetric, source, sign))
    yield from (("diagonal", row) for row in _traceless(diagonal_sums, trace))


def signed_orbit_sums(source: np.ndarray, sign: np.ndarray, components: int) -> np.ndarray:
    """Return the invariant tensors `(n, components)`, with disjoint supports, of generators in the form of `tensor_action`."""
    return _invariant_rows(np.eye(components), source, sign)


def _invariant_rows(vectors: np.ndarray, source: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Signed orbit sums of `vectors` `(n, D^k)` with disjoint supports that generators map to +-1 times each other."""
    n = len(vectors)
    if n == 0:
        return vectors
    pivot = np.argmax(vectors != 0, axis=1)
    target, weight = [], []
    for s, e in zip(source, sign, strict=True):
        moved = vectors[:, s] * e
        overlap = moved @ vectors.T
        target.append(np.argmax(np.abs(overlap), axis=1))
        weight.append(np.sign(overlap[np.arange(n), target[-1]]))
    sums = []
    value = np.zeros(n)
    for start in np.argsort(pivot, kind="stable"):
        if value[start]:
            continue
        value[start], members, consistent = 1.0, [start], True
        for i in members:
            for t, w in zip(target, weight, strict=True):
                j = t[i]
                if value[j] == 0.0:
                    value[j] = value[i] * w[i]
                    members.append(j)
                elif value[j] != value[i] * w[i]:
                    consistent = False
        if consistent:
            sums.append(value[members] @ vectors[members])
    return np.array(sums).reshape(-1, vectors.shape[1])


def _traceless(rows: np.ndarray, trace: np.ndarray) -> np.ndarray:
    """Return the traceless combinations of disjoint diagonal sums, in reduced row echelon form."""
    traces = rows @ trace
    carriers = np.flatnonzero(traces)
    if len(carriers) == 0:
        return rows
    last = carriers[-1]
    combined = rows - np.outer(traces / traces[last], rows[last])
    return np.delete(combined, last, axis=0)


def carry(orbit: Orbit, tensors: np.ndarray, k: int, p: int) -> np.ndarray:
    """Carry tensors `(n, D^k)` from the representative to all pixels of its orbit, `(n, pixels, D^k)`."""
    source, sign = tensor_action(orbit.perms, orbit.signs, k, p)
    return tensors[:, source] * sign


def basis(
    group: Group, side: int, k: int, p: int, split_k2: bool = True
) -> list[tuple[Orbit, str, int, np.ndarray]]:
    """Compute a basis of the invariant filters, as `(orbit, part, index within the part, tensor at the representative)`.

    The order is canonical: by part, squared radius, representative, index.
    """
    found = []
    for orbit in pixel_orbits(group, side):
        counter: dict[str, int] = {}
        for part, tensor in invariant_tensors(orbit, k, p, split_k2):
            index = counter.get(part, 0)
            counter[part] = index + 1
            found.append((orbit, part, index, tensor))
    return sorted(found, key=lambda item: PARTS.index(item[1]))


def character_count(
    D: int, side: int, k: int, p: int, max_pixel_l1: float | None = None, group: str = "hyperoctahedral"
) -> int:
    r"""Compute the dimension of the space of invariant filters by characters, without building a basis.

    The formula is `(1/|G|) sum_g chi_pixels(g) det(g)^p tr(g)^k`, where `chi_pixels(g)` counts the pixels that `g` leaves in
    place. The sum goes over conjugacy classes. With `max_pixel_l1` only the pixels of that L1 ball count.

    **Arguments:**

    - `D`: the dimension.
    - `side`: the side of the filters in pixels.
    - `k`, `p`: tensor order and parity.
    - `max_pixel_l1`: the radius of the ball in pixels; None for all pixels.
    - `group`: "hyperoctahedral" or "reflections".
    """
    if group not in get_args(GroupName):
        raise unknown_name("group", group, get_args(GroupName))
    classes = (
        signed_cycle_types(D)
        if group == "hyperoctahedral"
        else (((1,) * (D - n), (1,) * n, math.comb(D, n)) for n in range(D + 1))
    )
    unit = 1.0 if side % 2 else 0.5
    limit = None if max_pixel_l1 is None else math.floor(max_pixel_l1 / unit + 1e-9)
    total = order = 0
    for positive, negative, size in classes:
        det = math.prod((-1) ** (c - 1) for c in positive) * math.prod((-1) ** c for c in negative)
        trace = positive.count(1) - negative.count(1)
        total += size * _fixed_pixels(positive, negative, side, limit) * det**p * trace**k
        order += size
    return total // order


def _fixed_pixels(positive: tuple[int, ...], negative: tuple[int, ...], side: int, limit: int | None) -> int:
    """Count the pixels left in place: their coordinates agree up to sign on a positive cycle and are 0 on a negative one."""
    if negative and side % 2 == 0:
        return 0
    if limit is None:
        return side ** len(positive)
    values = range(-(side // 2), side // 2 + 1) if side % 2 else range(-(side - 1), side, 2)
    radii = {0: 1}
    for length in positive:
        grown: dict[int, int] = {}
        for radius, count in radii.items():
            for value in values:
                reached = radius + length * abs(value)
                if reached <= limit:
                    grown[reached] = grown.get(reached, 0) + count
        radii = grown
    return sum(radii.values())
