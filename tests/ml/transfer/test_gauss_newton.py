"""Least squares by damped steps, where the answer is known."""

import numpy as np
import pytest

from ginjax.errors import NumericsError
from ginjax.ml.transfer._gauss_newton import gauss_newton as _gauss_newton

A = np.array([[2.0, 1.0], [1.0, 3.0], [0.0, 1.0]])
FAR = (-1e3, 1e3)


def gauss_newton(residuals, jacobian, *rest):
    """Of the residuals and their derivative themselves."""

    def quadratic(t):
        J = jacobian(t)
        return J.T @ J, J.T @ residuals(t)

    return _gauss_newton(lambda t: float(np.sum(np.square(residuals(t)))), quadratic, *rest)


def line(target):
    """Residuals of a linear problem whose solution is `target`."""
    return (lambda t: A @ (t - target)), (lambda t: A)


def test_a_linear_problem():
    wanted = np.array([0.4, 2.0])
    fit = gauss_newton(*line(wanted), np.ones(2), FAR, 20)
    np.testing.assert_allclose(fit.t, wanted, atol=1e-6)
    assert fit.loss < 1e-12 < fit.first == pytest.approx(np.sum((A @ (1 - wanted)) ** 2))


def test_a_curved_problem_needs_more_than_one_step():
    residuals = (
        (lambda t: np.array([10 * (t[1] - t[0] ** 2), 1 - t[0]])),
        (lambda t: np.array([[-20 * t[0], 10.0], [-1.0, 0.0]])),
    )
    fit = gauss_newton(*residuals, np.array([-1.2, 1.0]), FAR, 100)
    np.testing.assert_allclose(fit.t, 1.0, atol=1e-4)
    assert gauss_newton(*residuals, np.array([-1.2, 1.0]), FAR, 3).loss > 1e-3


def test_it_stays_in_the_box_and_counts():
    calls = []
    residuals, _ = line(np.array([7.0, 0.5]))

    def loss(t):
        calls.append(t)
        return float(np.sum(np.square(residuals(t))))

    fit = _gauss_newton(loss, lambda t: (A.T @ A, A.T @ residuals(t)), np.ones(2), (-1.0, 3.0), 6)
    assert fit.t[0] == 3.0 and fit.loss < fit.first
    assert len(calls) == fit.evaluations <= 6


def test_a_step_that_makes_it_worse_is_not_taken():
    wrong = np.eye(2)  # a derivative of the wrong sign: every step leads uphill
    fit = gauss_newton(lambda t: t, lambda t: -wrong, np.ones(2), FAR, 5)
    np.testing.assert_array_equal(fit.t, 1.0)
    assert fit.loss == fit.first == 2.0 and fit.evaluations == 5


def test_what_is_not_finite_is_refused():
    with pytest.raises(NumericsError, match="NaN or infinity"):
        gauss_newton(lambda t: np.full(2, np.nan), lambda t: np.eye(2), np.ones(2), FAR, 5)
