"""Weights of a mixture against expectation maximisation and SLSQP; its corners."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from zoo_eval.ensembles.mixture import log_loss, mixture_weights


def drawn(seed: int, n: int, members: int) -> np.ndarray:
    """What members of unequal worth give to the right class."""
    rng = np.random.default_rng(seed)
    return rng.beta(np.linspace(1, 3, members), 1.5, (n, members))


def expectation_maximisation(p: np.ndarray, steps: int = 20_000) -> np.ndarray:
    alpha = np.full(p.shape[1], 1 / p.shape[1])
    for _ in range(steps):
        alpha = (alpha * p / (p @ alpha)[:, None]).mean(axis=0)
    return alpha


def by_slsqp(p: np.ndarray) -> np.ndarray:
    k = p.shape[1]
    found = minimize(
        lambda alpha: -np.log(p @ alpha).mean(),
        np.full(k, 1 / k),
        jac=lambda alpha: -(p / (p @ alpha)[:, None]).mean(axis=0),
        bounds=[(0, 1)] * k,
        constraints=[{"type": "eq", "fun": lambda alpha: alpha.sum() - 1}],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert found.success
    return found.x


@pytest.mark.parametrize(("seed", "members"), [(0, 2), (1, 3), (2, 8)])
def test_the_same_as_expectation_maximisation_and_slsqp(seed, members):
    p = drawn(seed, 400, members)
    alpha = mixture_weights(p)
    # The loss is flat at its minimum: weights agree to the root of what losses agree to.
    np.testing.assert_allclose(alpha, expectation_maximisation(p), atol=2e-4)
    np.testing.assert_allclose(alpha, by_slsqp(p), atol=2e-4)
    least = log_loss(p @ by_slsqp(p))
    assert log_loss(p @ alpha) == pytest.approx(least, abs=1e-7)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_no_other_weights_are_better(seed, members):
    p = drawn(seed, 60, members)
    alpha = mixture_weights(p)
    assert alpha.sum() == pytest.approx(1)
    assert (alpha >= 0).all()
    others = np.random.default_rng(seed).dirichlet(np.ones(members), 50)
    corners = np.eye(members)
    assert all(log_loss(p @ alpha) <= log_loss(p @ other) + 1e-7 for other in (*others, *corners))


def test_a_member_that_is_always_right_takes_all():
    p = np.column_stack([np.full(50, 0.5), np.full(50, 1 - 1e-9), np.full(50, 0.7)])
    assert mixture_weights(p)[1] > 0.999


def test_members_that_agree_share_alike():
    p = drawn(0, 50, 3)
    p[:, 1] = p[:, 0]
    alpha = mixture_weights(p)
    assert alpha[0] == pytest.approx(alpha[1], rel=1e-6)
    np.testing.assert_allclose(mixture_weights(np.repeat(p[:, :1], 4, axis=1)), np.full(4, 0.25))


def test_an_image_that_all_think_impossible_decides_nothing():
    p = np.array([[0.0, 0.0], [0.9, 0.1], [0.9, 0.1]])
    np.testing.assert_allclose(mixture_weights(p), mixture_weights(p[1:]), atol=1e-3)
