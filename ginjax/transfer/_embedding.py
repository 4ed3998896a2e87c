r"""The embedding `E: D -> D+n`: constant along the added axes, tensor components zero-padded.

A converted network `f'` is *compatible* with `f` if `f'(E x) = E f(x)` for every field `x`. This is what dimension transfer
preserves. The added axes come last.
"""

import numpy as np

from ginjax.errors import ArgumentError


def embed_field(
    array: np.ndarray, D: int, k: int, added: tuple[int, ...], lifted: bool = False
) -> np.ndarray:
    """Embed a field `(..., *spatial, D, ..., D)` of order `k`.

    **Arguments:**

    - `array`: the field, with any number of leading axes.
    - `D`, `k`: its dimension and order.
    - `added`: number of pixels along each added axis.
    - `lifted`: whether the field gains an index along the single added axis, see `lift_key`.

    **Returns:** `(..., *spatial, *added, D+n, ..., D+n)`, of order `k`, or `k + 1` if lifted.
    """
    if lifted:
        if len(added) != 1:
            raise ArgumentError("parity lift", got=f"{len(added)} added axes", expected="one")
        plain = embed_field(array, D, k, added)
        result = np.zeros((*plain.shape, D + 1), plain.dtype)
        result[..., D] = plain
        return result
    if array.ndim < D + k:
        raise ArgumentError("field", got=f"{array.ndim} axes", expected=f"at least {D} + {k} (space, tensor)")
    leading = array.ndim - D - k
    n = len(added)
    widths = [(0, 0)] * (leading + D) + [(0, n)] * k
    padded = np.pad(array, widths)
    place = leading + D
    padded = padded.reshape(*padded.shape[:place], *(1,) * n, *padded.shape[place:])
    return np.ascontiguousarray(
        np.broadcast_to(padded, (*padded.shape[:place], *added, *padded.shape[place + n :]))
    )


def restrict_field(array: np.ndarray, D: int, k: int, n: int) -> np.ndarray:
    """The inverse of `embed_field` on its image: the first slice of the last `n` axes, old components only.

    **Arguments:**

    - `array`: the field `(..., *spatial, D, ..., D)` in dimension `D`.

    **Returns:** the field in dimension `D - n`.
    """
    if array.ndim < D + k:
        raise ArgumentError("field", got=f"{array.ndim} axes", expected=f"at least {D} + {k} (space, tensor)")
    if not 0 <= n < D:
        raise ArgumentError("number of axes to drop", got=n, expected=f"fewer than all {D}")
    leading = array.ndim - D - k
    index = (
        *(slice(None),) * (leading + D - n),
        *(0,) * n,
        *(slice(0, D - n),) * k,
    )
    return np.ascontiguousarray(array[index])


def embedded_components(D_old: int, D_new: int, k: int, lifted: bool) -> np.ndarray:
    """Row-major positions in dimension `D_new` of the components of an embedded field of order `k`.

    Zero-padding keeps the tensor order. With `lifted`, the field gains an index, fixed to the (single) added axis: the
    *parity lift*, see `lift_key`.
    """
    positions = old_components(D_old, D_new, k)
    return positions * D_new + D_old if lifted else positions


def lift_key(key: tuple[int, int]) -> tuple[int, int]:
    r"""The key of a field after a parity lift: odd scalars become odd vectors, everything else stays.

    An odd scalar `w` in `D` dimensions (such as the vorticity of a plane flow) is the component of an odd vector along
    the added axis, `w e_{D+1}`. The two transform in the same way. An element of `B_D` multiplies both by its determinant.
    The reflection of the added axis multiplies the odd vector by `det = -1` and its last component by
    another `-1`, so this component stays the same. With this embedding, condition (C) has solutions in cases where it has none
    with zero-padding. Vector neurons, whitening and pooling by norm have one non-zero component in both dimensions and
    treat it in the same way, so whole networks lift exactly.
    """
    return (1, 1) if key == (0, 1) else key


def old_components(D_old: int, D_new: int, k: int) -> np.ndarray:
    """Row-major positions, among the `D_new^k` components, of the `D_old^k` components that involve old axes only."""
    positions = np.zeros(1, dtype=np.int64)
    for _ in range(k):
        positions = (positions[:, None] * D_new + np.arange(D_old)).reshape(-1)
    return positions
