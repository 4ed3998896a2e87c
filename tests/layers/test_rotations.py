import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import on_processor

from ginjax.layers._rotations import entry_by_entry, in_a_loop, rotations

pytestmark = pytest.mark.gpu

WAYS = {"rotations": rotations, "in a loop": in_a_loop, "entry by entry": entry_by_entry}


def symmetric(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Five matrices and their eigenvalues, over eight orders of magnitude, the first all equal and the second in part."""
    rng = np.random.default_rng(n)
    basis = np.linalg.qr(rng.normal(size=(5, n, n)))[0]
    values = 10.0 ** rng.uniform(-8, 0, size=(5, n))
    values[0] = 0.3
    values[1, 1:] = 0.7
    return np.einsum("bij,bj,bkj->bik", basis, values, basis), values


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("way", ["in a loop", "entry by entry"])
def test_they_diagonalise(way, n):
    with jax.enable_x64(True):
        matrices, values = symmetric(n)
        found, vectors = jax.jit(WAYS[way])(matrices)
        least = 1e-15 if on_processor() else 4e-15
        np.testing.assert_allclose(np.sort(found), np.sort(values), rtol=1e-12, atol=least)
        rebuilt = np.einsum("bij,bj,bkj->bik", vectors, found, vectors)
        np.testing.assert_allclose(rebuilt, matrices, atol=least)
        np.testing.assert_allclose(
            np.einsum("bji,bjk->bik", vectors, vectors), np.eye(n)[None].repeat(5, 0), atol=1e-14
        )


@pytest.mark.parametrize("n", [2, 3])
def test_both_ways_turn_alike(n):
    def both(matrices):
        return (jax.jit(WAYS[way])(matrices) for way in ("in a loop", "entry by entry"))

    matrices = symmetric(n)[0]
    (values, _), (others, _) = both(matrices.astype(np.float32))
    np.testing.assert_allclose(values, others, atol=4e-7 if on_processor() else 2e-6)
    with jax.enable_x64(True):
        (_, vectors), (_, columns) = both(matrices)
        # Eigenvectors of equal eigenvalues are any basis of their plane.
        np.testing.assert_allclose(vectors[2:], columns[2:], atol=1e-7)


@pytest.mark.parametrize("way", ["in a loop", "entry by entry"])
def test_an_axis_without_coupling_is_left_alone(way):
    matrices = np.asarray(symmetric(3)[0], np.float32)
    matrices[:, 1, [0, 2]] = matrices[:, [0, 2], 1] = 0
    values, vectors = jax.jit(WAYS[way])(matrices)
    np.testing.assert_array_equal(values[:, 1], matrices[:, 1, 1])
    for row in (vectors[:, 1], vectors[:, :, 1]):
        # A cosine of 1 is a quotient and a root; the zeros are exact everywhere.
        np.testing.assert_array_equal(row[:, [0, 2]], 0)
        np.testing.assert_allclose(row[:, 1], 1, rtol=0 if on_processor() else 1e-6)
    assert np.all(np.asarray(jax.jit(WAYS[way])(np.asarray(symmetric(3)[0], np.float32))[1][2:, 1]) != 0)


def test_a_program_for_a_device_has_no_loop():
    def text(platform: str) -> str:
        traced = jax.jit(rotations).trace(jax.ShapeDtypeStruct((2, 3, 3), jnp.float32))
        return traced.lower(lowering_platforms=(platform,)).as_text()

    assert "stablehlo.while" in text("cpu") and "stablehlo.while" not in text("cuda")


def test_they_map_over_batches():
    matrices = np.asarray(symmetric(3)[0], np.float32)
    mapped = jax.vmap(rotations, in_axes=1, out_axes=1)(matrices[None])
    for found, wanted in zip(mapped, rotations(matrices), strict=True):
        np.testing.assert_allclose(found[0], wanted, atol=1e-6)
