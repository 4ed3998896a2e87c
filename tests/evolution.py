"""States moved in time and by symmetries, for the tests of solvers."""

import itertools

import numpy as np

from ginjax.data.sources._simulated import rollout


def advance(pde, D, start, steps=1, side=8):
    """The frames that follow `start`, `(steps, components, *solver grid)`, in the precision of `start`."""
    frames = rollout(pde.solver(D, side), start, steps, pde.sub_steps)
    return np.asarray(frames)[1:]


def rotate(state, g, turn=True):
    """`(g.u)(x) = g u(g^-1 x)` of a vector field on a periodic grid with a point at the origin, pixel by pixel."""
    D, side = len(g), state.shape[-1]
    result = np.empty_like(state)
    for x in itertools.product(range(side), repeat=D):
        value = state[(slice(None), *(g.T @ x % side))]
        result[(slice(None), *x)] = g @ value if turn else value
    return result


def moved(pde, state, g, turn=True):
    """`rotate` of every field of an equation; its scalars do not turn."""
    parts, D, offset = [], len(g), 0
    for field in pde.fields:
        block = state[offset : offset + D**field.k]
        parts.append(rotate(block, g, turn=turn and field.k == 1))
        offset += len(block)
    return np.concatenate(parts)


def coordinates(pde, D, side):
    """Where the points of the solver's grid lie, `(D, *solver grid)`."""
    line = np.arange(side * pde.refinement) * pde.spacing / pde.refinement
    return np.stack(np.meshgrid(*[line] * D, indexing="ij"))


def derivative(values, axis, length):
    """Along one spatial axis of a periodic `(*grid)`, in waves."""
    n = values.shape[axis]
    waves = 2j * np.pi / length * np.where(2 * np.abs(k := np.fft.fftfreq(n, 1 / n)) == n, 0, k)
    shape = [-1 if each == axis else 1 for each in range(values.ndim)]
    return np.fft.ifft(waves.reshape(shape) * np.fft.fft(values, axis=axis), axis=axis).real


def divergence(velocity, length):
    """Of a vector field `(D, *grid)`."""
    return sum(derivative(each, axis, length) for axis, each in enumerate(velocity))


def laplacian(values, length):
    """Of a scalar field."""
    return sum(derivative(derivative(values, a, length), a, length) for a in range(values.ndim))


def on_finer_grid(state, points):
    """The same waves on a grid of more points."""
    D, before = state.ndim - 1, state.shape[-1]
    spectrum = np.zeros((len(state), *(points,) * D), complex)
    whole = np.rint(np.fft.fftfreq(before, 1 / before)).astype(int) % points
    spectrum[np.ix_(range(len(state)), *[whole] * D)] = np.fft.fftn(state, axes=range(1, D + 1))
    return np.fft.ifftn(spectrum, axes=range(1, D + 1)).real * (points / before) ** D
