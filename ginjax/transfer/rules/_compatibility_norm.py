"""`compatibility-norm`: the older variant on tensor norms, kept for comparison."""

from dataclasses import dataclass

import numpy as np

from ginjax.errors import ArgumentError
from ginjax.filters import FilterBlock, pixel_coordinates
from ginjax.transfer._system import FilterPair

from ._named_rule import NamedRule
from ._rule import by_name


@dataclass(frozen=True)
class CompatibilityNorm:
    r"""Matches the tensor norm of the collapsed filter at the outermost pixel of each L1 shell, from the outside inwards.

    `a'_z = (2 s_z - c_z) / |C_z|`, where `s_z` is the old scaled norm filter and `c_z` the collapsed new one, both at the pixel
    `z e_1`; in `c_z` the weights beyond `z` are already set, and weight `z` still has its old value. If the norms of the
    two filters agree at that pixel, this is the compatible weight. Only for orthoplex banks, with one filter per shell.
    """

    name = "compatibility-norm"
    promises_compatibility = False

    def __call__(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray:
        return by_name(weights, pair, self._apply)

    def _apply(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray:
        old_norms, new_norms = _shell_norms(pair.old, pair.D_old), _shell_norms(pair.new, pair.D_new)
        if len(old_norms) != len(new_norms):
            raise _not_orthoplex()
        shells = len(old_norms)
        side = pair.side
        centre = side // 2
        collapsed = new_norms.reshape(shells, *(side,) * pair.D_old, -1).sum(axis=-1)
        row = (slice(None), *(centre,) * (pair.D_old - 1))
        old_line = np.moveaxis(old_norms, 1, -1)[row][..., centre:]
        new_line = np.moveaxis(collapsed, 1, -1)[row][..., centre:]
        shell_of = [int(np.flatnonzero(line).max()) for line in old_line]
        own = np.moveaxis(new_norms, 1, -1)[(slice(None), *(centre,) * (pair.D_new - 1))][..., centre:]
        result = weights.copy()
        for l in np.argsort(shell_of)[::-1]:
            z = shell_of[l]
            scaled_old = weights[..., l] * old_line[l, z]
            collapsed_new = result @ np.array(
                [new_line[m, z] if shell_of[m] >= z else 0.0 for m in range(shells)]
            )
            result[..., l] = (2 * scaled_old - collapsed_new) / own[l, z]
        return result


COMPATIBILITY_NORM = NamedRule(CompatibilityNorm(), "matches tensor norms")


def _shell_norms(block: FilterBlock, D: int) -> np.ndarray:
    """Pixelwise tensor norms `(n, *(M,)*D)`, after a check that each filter fills its own L1 shell."""
    shape = block.filters.shape
    side, n = shape[1], len(block)
    norms = np.linalg.norm(block.filters.reshape(n, side**D, int(np.prod(shape[D + 1 :]))), axis=-1)
    radius = np.abs(pixel_coordinates(D, side)).sum(axis=1)
    shells = [np.unique(radius[row > 0]) for row in norms]
    if side % 2 == 0 or any(len(s) != 1 for s in shells) or len({int(s[0]) for s in shells}) != n:
        raise _not_orthoplex()
    if any(np.any(row[radius == s[0]] == 0) for row, s in zip(norms, shells, strict=True)):
        raise _not_orthoplex()
    return norms.reshape(n, *(side,) * D)


def _not_orthoplex() -> ArgumentError:
    return ArgumentError(
        "rule 'compatibility-norm'",
        got="a bank that is not one filter for each L1 shell",
        expected="an orthoplex bank of scalars or vectors on an odd side",
        hint="Use the rule 'compatibility', which is exact for every bank.",
    )
