from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.integrate import quad
from scipy.stats import norm

from zoo_eval.transforms.rational_fit import rational_like

X = np.linspace(-3, 3, 997)


def value(found, x):
    """By the formula."""
    above = sum(a * x**i for i, a in enumerate(found.numerator))
    return above / (1 + sum(abs(b) * np.abs(x) ** (j + 1) for j, b in enumerate(found.denominator)))


def error(function, degree):
    exact = function(torch.from_numpy(X)).numpy()
    return np.abs(value(rational_like(function, degree), X) - exact).max()


def test_swish_to_two_millionths_as_the_published_coefficients():
    assert error(F.silu, 5) < 2e-6


def test_gelu_to_four_thousandths_as_the_published_coefficients_of_the_kernel():
    assert error(F.gelu, 5) < 4e-3


@pytest.mark.parametrize(
    ("function", "exact", "tolerance"),
    [(F.silu, 2.8108, 2e-5), (F.gelu, 2.3517, 3e-3)],
    ids=["swish", "gelu"],
)
def test_the_gain_of_normal_inputs(function, exact, tolerance):
    # 1 / E[f(x)²] by quadrature; the published gains, 2.8178 and 2.3568, are off by 0.25 %.
    found = rational_like(function)
    square, _ = quad(lambda x: value(found, x) ** 2 * norm.pdf(x), -3, 3)

    def beyond(x):
        return float(function(torch.tensor([-x, x])).square().sum()) * norm.pdf(x)

    assert 1 / (square + quad(beyond, 3, 12)[0]) == pytest.approx(exact, rel=tolerance)


@pytest.mark.parametrize("function", [F.relu, F.gelu, F.silu, F.elu, F.tanh, F.mish])
def test_a_higher_degree_is_as_near_or_nearer(function):
    exact = function(torch.from_numpy(X)).numpy()
    squares = [np.mean((value(rational_like(function, m), X) - exact) ** 2) for m in range(1, 6)]
    assert all(b <= a * 1.01 for a, b in pairwise(squares))


def test_a_line_at_degree_1_is_that_of_least_squares():
    # On [−3, 3] ReLU is |x| / 2 + x / 2: the mean of |x| is 3/2, so the line is 3/4 + x/2.
    found = rational_like(F.relu, 1)
    assert found.denominator == ()
    np.testing.assert_allclose(found.numerator, (0.75, 0.5), rtol=0.01)  # a grid, not an integral


def test_a_rational_function_is_found_again():
    def function(x):
        return (0.5 - x + 0.25 * x**2 + x**3) / (1 + 0.5 * x.abs() + 0.125 * x**2)

    found = rational_like(function, 3)
    np.testing.assert_allclose(found.numerator, (0.5, -1, 0.25, 1), rtol=1e-5)
    np.testing.assert_allclose(found.denominator, (0.5, 0.125), rtol=1e-4)


def test_a_line_and_a_parabola_are_exact():
    assert error(lambda x: 2 * x, 5) < 1e-12
    assert error(lambda x: x * (x + 3) / 6, 5) < 1e-12
