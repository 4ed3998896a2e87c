"""Grids whose spacing differs along the axes: they can be read, but a network cannot take them."""

from __future__ import annotations

from ginjax.errors import ArgumentError


def spacings_in_words(spacings: tuple[float, ...]) -> str:
    """Write spacings as `0.5 along x, 0.25 along y`."""
    return ", ".join(f"{step:g} along {axis}" for step, axis in zip(spacings, "xyz", strict=False))


def common_spacing(
    spatial: tuple[int, ...], spacings: tuple[float, ...], is_torus: tuple[bool, ...]
) -> float | None:
    """The largest spacing, not below the coarsest one, that the grid can be brought to along all axes; None if there is none.

    Along a periodic axis of `n` points at distance `h`, a new spacing divides `n h`. Along any other axis it is a multiple of
    `h`, so that blocks of points divide the axis evenly.

    **Arguments:**

    - `spatial`, `spacings`, `is_torus`: for each axis, the number of points, their distance and whether it is periodic.
    """
    coarsest = max(range(len(spacings)), key=lambda axis: spacings[axis])
    n, step = spatial[coarsest], spacings[coarsest]
    parts = range(n, 1, -1) if is_torus[coarsest] else (n // k for k in range(1, n // 2 + 1) if n % k == 0)
    for count in parts:
        wanted = n * step / count
        if all(_reached(*each, wanted) for each in zip(spatial, spacings, is_torus, strict=True)):
            return float(f"{wanted:.7g}")
    return None


def refuse_unequal(
    where: str, spatial: tuple[int, ...], spacings: tuple[float, ...], is_torus: tuple[bool, ...]
) -> None:
    """Refuse a spacing that differs along the axes, and say how to make it equal.

    **Raises:** `ArgumentError`.
    """
    common = common_spacing(spatial, spacings, is_torus)
    raise ArgumentError(
        f"{where}: spacing of the grid",
        got=spacings_in_words(spacings),
        expected="one number: a network that does not change when axes are exchanged sees equal distances along all of them",
        hint="No grid of equal spacing has the same lengths: interpolate the data."
        if common is None
        else f"'ginjax data convert' makes them equal, with `spacing={common:.7g}`.",
    )


def _reached(n: int, step: float, periodic: bool, wanted: float) -> bool:
    ratio = wanted / step
    if not 1e-9 < ratio < 1e9:  # no grid changes that much, and a file may hold any number
        return False
    if periodic:
        after = round(n / ratio)
        return after >= 2 and abs(after * ratio - n) <= 1e-3 * n
    size = round(ratio)
    return size >= 1 and abs(size - ratio) <= 1e-3 * ratio and n % size == 0 and n // size >= 2
