import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import logme


def data(n=30, d=6, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_logme(z, labels):
    """Maximum over α, β of ln N(y; 0, ZZᵀ/α + I/β), straight from the normal distribution."""
    n = len(z)
    evidence = []
    for c in np.unique(labels):
        y = (labels == c).astype(np.float64)

        def loss(logs, y=y):
            covariance = z @ z.T / np.exp(logs[0]) + np.eye(n) / np.exp(logs[1])
            return -multivariate_normal(np.zeros(n), covariance).logpdf(y)

        starts = [(a, b) for a in (-2.0, 2.0, 6.0) for b in (0.0, 3.0)]
        evidence.append(
            -min(
                minimize(loss, s, method="Nelder-Mead", bounds=BOUNDS, options=TIGHT).fun
                for s in starts
            )
        )
    return np.mean(evidence) / n


# Beyond e^±20 the evidence is at its limit, for a maximum at α or β = ∞.
BOUNDS = [(-20, 20), (-20, 20)]
TIGHT = {"xatol": 1e-7, "fatol": 1e-12, "maxiter": 2000}


# 1. closed forms


@pytest.mark.parametrize("n_of_class", [12, 18])
def test_flat_spectrum(n_of_class):
    # With k equal singular values and p = Σ xᵢ², w = 1 / (1 + t / σ²) of the best t solves
    # n p (1 − w) = k (n_c − p w), so w = (n p − k n_c) / (p (n − k)), if that is positive.
    n, k = 30, 4
    y = (np.arange(n) < n_of_class).astype(np.int64)
    noise = np.random.default_rng(0).normal(size=(n, k))
    z = 5 * np.linalg.qr(np.column_stack([y + 0.2 * noise[:, 0], noise[:, 1:]]))[0]
    evidence = 0.0
    for indicator in (y, 1 - y):
        size = indicator.sum()
        p = np.sum((z.T @ indicator / 5) ** 2)
        w = max(0.0, (n * p - k * size) / (p * (n - k)))
        evidence += n / 2 * np.log(n / (2 * np.pi * np.e * (size - p * w))) + k / 2 * np.log(1 - w)
    assert logme(embeddings=z, labels=y) == pytest.approx(evidence / (2 * n), rel=1e-12)


def test_embeddings_that_say_nothing():
    # No direction correlates with a class: α → ∞ and y is white noise of variance n_c / n.
    z = np.array([[1.0], [-1.0], [1.0], [-1.0], [1.0], [-1.0]])
    labels = np.array([0, 0, 1, 1, 1, 1])
    sizes = np.array([2, 4])
    value = np.mean(-np.log(2 * np.pi * np.e * sizes / 6) / 2)
    assert logme(embeddings=z, labels=labels) == pytest.approx(value, rel=1e-10)


# 2. independent values


def test_equals_the_converged_reference(reference_embeddings, expected, case):
    z, labels, _ = reference_embeddings(case)
    value = expected(case, "logme/converged")
    assert logme(embeddings=z, labels=labels) == pytest.approx(value, rel=1e-9)


def test_official_stop_equals_the_corrected_reference(reference_embeddings, expected, case):
    z, labels, _ = reference_embeddings(case)
    value = expected(case, "logme/corrected")
    ours = logme(embeddings=z, labels=labels, iterations="official")
    assert ours == pytest.approx(value, rel=1e-9)


def test_near_the_official_first_version(reference_embeddings, expected, case):
    # It has the right formula for every n and d but stops early: at most 11 steps or a change of
    # 1 %. The maximum can only be above, by 0.016 where n < d and else by at most 0.002.
    z, labels, _ = reference_embeddings(case)
    gain = logme(embeddings=z, labels=labels) - expected(case, "logme/thuml_icml")
    assert -1e-3 < gain < 0.02


@pytest.mark.parametrize(("n", "d"), [(30, 6), (15, 40), (20, 20)])
@pytest.mark.parametrize("signal", [0.3, 1.5])
def test_equals_the_slow_definition(n, d, signal):
    z, labels = data(n, d, signal=signal)
    # The bounds of the slow search leave an error of about 1e-8 in the evidence, which may be 0.
    assert logme(embeddings=z, labels=labels) == pytest.approx(slow_logme(z, labels), abs=1e-7)


def test_the_maximum_is_never_below_the_official_stop(reference_embeddings, case):
    z, labels, _ = reference_embeddings(case)
    official = logme(embeddings=z, labels=labels, iterations="official")
    assert logme(embeddings=z, labels=labels) >= official - 1e-12


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_unchanged_by_rotation_scale_order_and_class_names(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] * 2.0**exponent)[order]
    renamed = np.array([50, 3, 4])[labels][order]
    assert logme(embeddings=moved, labels=renamed) == pytest.approx(
        logme(embeddings=z, labels=labels), rel=1e-9, abs=1e-10
    )


@given(seed=st.integers(0, 2**32 - 1))
def test_official_stop_does_not_depend_on_class_names(seed):
    z, labels = data(20, 5, 4, seed)
    renamed = np.array([2, 0, 3, 1])[labels]
    assert logme(embeddings=z, labels=renamed, iterations="official") == pytest.approx(
        logme(embeddings=z, labels=labels, iterations="official"), rel=1e-12
    )


def test_features_that_are_always_zero_change_nothing():
    # The official fixed-point code changes by nats here.
    z, labels = data()
    padded = np.hstack([z, np.zeros((30, 40))])
    for iterations in ("converged", "official"):
        value = logme(embeddings=z, labels=labels, iterations=iterations)
        assert logme(embeddings=padded, labels=labels, iterations=iterations) == pytest.approx(
            value, rel=1e-11
        )


def test_higher_with_more_signal():
    values = [logme(embeddings=z, labels=y) for z, y in (data(signal=s) for s in (0, 1, 3))]
    assert values == sorted(values)


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 5 images"):
        logme(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_zero_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="non-zero embeddings, but all 4 are zero"):
        logme(embeddings=np.zeros((4, 3)), labels=np.array([0, 1, 0, 1]))


def test_exactly_linear_classes_have_no_maximum():
    labels = np.arange(12) % 3
    with pytest.raises(ScoreUndefinedError, match=r"class 0 .* only 3 directions for 12 images"):
        logme(embeddings=np.eye(3)[labels], labels=labels)


def test_as_many_directions_as_images_have_a_maximum():
    # y is exactly linear in Z here too, but so is every y: the evidence stays bounded.
    z, labels = data(8, 20)
    assert np.isfinite(logme(embeddings=z, labels=labels))


def test_unknown_iterations():
    with pytest.raises(InputError, match="'converged' or 'official', but is 'exact'"):
        logme(embeddings=np.eye(4), labels=np.array([0, 1, 0, 1]), iterations="exact")
