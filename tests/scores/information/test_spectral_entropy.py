"""DSE by Lanczos against the sum over all eigenvalues, in cases that are hard for one reason each.

Sizes are near the smallest that Lanczos takes, so that the exact value costs little.
"""

import numpy as np
import pytest
from scipy.stats import entropy

from zoo_eval.quantities.distances import ImageDistances
from zoo_eval.scores.information import _control_variates, _spectral_entropy
from zoo_eval.scores.information._diffusion import diffusion_kernel
from zoo_eval.scores.information._kernel_strips import KernelStrips
from zoo_eval.scores.information._lanczos import KrylovSpace

N, D = 900, 48
SIGMA = np.sqrt(D)


def network(scale, n=N, d=D, n_classes=20):
    """Classes whose features fade as those of a trained network do."""
    rng = np.random.default_rng(0)
    widths = np.arange(1, d + 1) ** -0.5
    z = (rng.normal(size=(n_classes, d)) * widths)[np.arange(n) % n_classes]
    z += 0.7 * rng.normal(size=(n, d)) * widths
    return z * scale * np.sqrt(d / np.mean(np.sum(z**2, axis=1)))


def clusters(n_clusters, noise):
    rng = np.random.default_rng(0)
    means = 3 * rng.normal(size=(n_clusters, D))
    return means[rng.integers(n_clusters, size=N)] + noise * rng.normal(size=(N, D))


def plane(extent):
    z = np.zeros((N, D))
    z[:, :2] = extent * SIGMA * np.random.default_rng(0).uniform(size=(N, 2))
    return z


def lengths():
    rng = np.random.default_rng(0)
    return rng.normal(size=(N, D)) * np.exp(rng.normal(size=(N, 1)))


CASES = {
    "network, small": network(0.7),
    "network": network(2.0),
    "network, large": network(3.5),
    "two clusters": clusters(2, 0.1),
    # More eigenvalues near 1 than the Krylov spaces can hold.
    "many clusters": clusters(400, 0.1),
    "overlapping clusters": clusters(100, 0.8),
    # Eigenvalues of all sizes down to rounding.
    "plane": plane(3),
    "wide plane": plane(30),
    "lengths": lengths(),
    "copies": np.repeat(2 * np.random.default_rng(0).normal(size=(N // 10, D)), 10, axis=0),
    # One eigenvalue, n − 1 times: the Krylov space ends after one step.
    "far apart": 100 * np.random.default_rng(0).normal(size=(N, D)),
    "nearly equal": 0.05 * np.random.default_rng(0).normal(size=(N, D)),
    "equal": np.full((N, D), 0.1),
}


def exact(z, t=1):
    kernel = diffusion_kernel(ImageDistances(z).matrix[None], float(D))[0]
    return entropy(np.abs(np.linalg.eigvalsh(kernel)) ** t, base=2)


def strips(z):
    return KernelStrips(ImageDistances(z), "sqrt_dim", "raw")


@pytest.mark.parametrize("case", CASES)
def test_within_2_thousandths_of_a_bit_and_near_its_interval(case):
    value, found = exact(CASES[case]), _spectral_entropy.entropy_estimate(strips(CASES[case]), 1)
    assert found == pytest.approx(value, abs=2e-3)
    # At 95 %, so one case in twenty may be outside; by half its width would be chance of 1 in 500.
    reach = 1.5 * (found.high - found)
    assert found.low - reach / 3 <= value <= found + reach


@pytest.mark.parametrize("t", [1.5, 2, 4])
@pytest.mark.parametrize("case", ["network", "many clusters", "plane"])
def test_more_steps(case, t):
    value, found = exact(CASES[case], t), _spectral_entropy.entropy_estimate(strips(CASES[case]), t)
    assert found == pytest.approx(value, abs=2e-3)


def test_the_interval_covers_the_value_about_19_times_in_20():
    z = network(2.0)
    kernel, value = strips(z), exact(z)
    found = [_spectral_entropy.entropy_estimate(kernel, 1, seed) for seed in range(40)]
    covered = sum(estimate.low <= value <= estimate.high for estimate in found)
    assert covered >= 34  # 33 or fewer of 40 have a chance of 1 in 250 at 95 %
    # And it is not covered for being wide: the errors fill it.
    errors = np.array(found) - value
    widths = np.array([estimate.high - estimate for estimate in found])
    assert np.sqrt(np.mean(errors**2)) > 0.25 * widths.mean()


def test_every_control_variate_has_the_mean_zero_whatever_its_coefficients():
    # The same estimate of tr f(K') must come out of control variates that fit badly.
    kernel = strips(network(2.0, n=300, d=D))
    dense = kernel @ np.eye(300, dtype=np.float32)
    eigenvalues = np.maximum(np.linalg.eigvalsh(dense.astype(np.float64)), 0)
    function = _spectral_entropy._power(1.5)
    trace = np.sum(function.value(eigenvalues))
    generator = np.random.default_rng(0)

    def space(width):
        signs = generator.choice([-1.0, 1.0], size=(300, width)).astype(np.float32)
        signs -= np.outer(kernel.top, kernel.top @ signs)
        krylov = KrylovSpace(signs, 300 // width)
        for _ in range(3):
            krylov.extend(kernel @ krylov.newest)
        return krylov

    own, other = space(100), space(10)
    bad = _control_variates.Controls(
        np.array([0.01, -0.5, 2.0]), np.linspace(-0.5, 0.5, 30), other.ritz(3).coordinates
    )
    plain = _control_variates.Controls(np.zeros(3), np.zeros(0), np.zeros((30, 0)))
    with pytest.MonkeyPatch.context() as patch:
        for controls in (bad, plain):
            patch.setattr(_control_variates, "_controls", lambda *_, found=controls: found)
            values = _control_variates.controlled_estimates(kernel, function, own, other)
            error = np.std(values, ddof=1) / 10
            assert abs(values.mean() - trace) < 3.5 * error


def test_control_variates_take_off_most_of_the_scatter():
    kernel = strips(network(2.0))
    samples, _ = _spectral_entropy._round(
        kernel,
        (_spectral_entropy._power(1), _spectral_entropy._entropy(1)),
        np.random.default_rng(0),
    )
    controlled = samples[1].std()
    with pytest.MonkeyPatch.context() as patch:
        none = _control_variates.Controls(np.zeros(3), np.zeros(0), np.zeros((1, 0)))
        patch.setattr(_control_variates, "_controls", lambda *_: none)
        samples, _ = _spectral_entropy._round(
            kernel,
            (_spectral_entropy._power(1), _spectral_entropy._entropy(1)),
            np.random.default_rng(0),
        )
    assert samples[1].std() > 20 * controlled


def test_the_same_seed_gives_the_same_number():
    kernel = strips(network(2.0))
    one, two = (_spectral_entropy.entropy_estimate(kernel, 1) for _ in range(2))
    assert (one, one.low, one.high) == (two, two.low, two.high)
