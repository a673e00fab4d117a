import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import centred_svd
from zoo_eval.scores import alpha_req
from zoo_eval.scores.geometry.alpha_req import decay


def power_law(alpha, d=120):
    """Embeddings whose covariance has the eigenvalues i^(−α), exactly."""
    return np.vstack([np.eye(d), -np.eye(d)]) * np.arange(1.0, d + 1) ** (-alpha / 2)


def slow_decay(z, first, last):
    """PCA by the covariance, and numpy's polynomial fit."""
    covariance = np.cov(z.astype(np.float64), rowvar=False)
    values = np.sort(np.linalg.eigvalsh(covariance))[::-1][first - 1 : last]
    ranks = np.arange(first, last + 1)
    # polyfit takes the roots of the weights.
    return -np.polyfit(np.log(ranks), np.log(values), 1, w=ranks**-0.5)[0]


# 1. closed forms


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.5])
def test_distance_from_one(alpha):
    value = alpha_req(embeddings=power_law(alpha))
    assert value == pytest.approx(-abs(alpha - 1), rel=1e-12, abs=1e-12)


def test_two_ranks_make_a_line():
    # Variances 9 : 4 : 1 at ranks 1, 2, 3.
    z = np.vstack([np.diag([3.0, 2.0, 1.0]), -np.diag([3.0, 2.0, 1.0])])
    value = alpha_req(embeddings=z, first=2, last=3)
    assert value == pytest.approx(-(np.log(4) / np.log(1.5) - 1), rel=1e-12)


# 2. independent values

RANGES = {"reptrix": (11, 100), "reptrix_5_40": (6, 40)}  # arange(10, 100) and arange(5, 40)
FITTED = [
    *[(case, "reptrix") for case in ("n_lt_d", "relu_unbalanced", "weak_powerlaw")],
    *[
        (case, "reptrix_5_40")
        for case in ("balanced_n_gt_d", "n_lt_d", "relu_unbalanced", "mean_offset", "weak_powerlaw")
    ],
]


@pytest.mark.parametrize(("case", "reference"), FITTED)
def test_equals_reptrix(reference_embeddings, parity, case, reference):
    # Within 1e-6: reptrix adds a small ridge to the normal equations.
    z = reference_embeddings(case).embeddings
    first, last = RANGES[reference]
    alpha = decay(centred_svd(z), first, last)
    parity.embeddings(case, f"alpha_req/{reference}", alpha)
    value = alpha_req(embeddings=z, first=first, last=last)
    assert value == pytest.approx(-abs(alpha - 1), rel=1e-12)


@pytest.mark.parametrize(
    ("case", "n_above"), [("balanced_n_gt_d", 48), ("mean_offset", 72), ("degenerate", 14)]
)
def test_reptrix_stops_where_features_are_too_few(
    reference_embeddings, expectations, case, n_above
):
    assert "IndexError" in expectations["cases"][case]["values"]["alpha_req/reptrix"]["error"]
    with pytest.raises(ScoreUndefinedError, match=f"only {n_above} are above the rounding"):
        alpha_req(embeddings=reference_embeddings(case).embeddings)


def test_reptrix_fits_the_rounding_of_float32(reference_embeddings, expected):
    # Rank 14: eigenvalues 15 to 40 are rounding, 1e-16 of the largest and below.
    z = reference_embeddings("degenerate").embeddings
    theirs = expected("degenerate", "alpha_req/reptrix_5_40")
    values = np.linalg.svd(z - z.mean(axis=0), compute_uv=False)[5:40] ** 2
    ranks = np.arange(6, 41)
    with_rounding = -np.polyfit(np.log(ranks), np.log(values), 1, w=ranks**-0.5)[0]
    assert theirs == pytest.approx(with_rounding, rel=1e-6)
    assert theirs > 26
    with pytest.raises(ScoreUndefinedError, match=r"ranks 6 to 40, but .* only 14 are above"):
        alpha_req(embeddings=z, first=6, last=40)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "last"), [((40, 12), 12), ((12, 40), 11)])
def test_equals_a_fit_to_the_covariance(dtype, shape, last):
    z = (np.random.default_rng(0).normal(size=shape) + 3).astype(dtype)
    slow = slow_decay(z, 3, last)
    # 1e-8: the eigenvalues of the covariance have lost digits.
    assert alpha_req(embeddings=z, first=3, last=last) == pytest.approx(-abs(slow - 1), rel=1e-8)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20))
def test_unchanged_by_scale_rotation_order_and_shift(seed, exponent):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(15, 8))
    moved = z @ np.linalg.qr(rng.normal(size=(8, 8)))[0] + rng.normal(size=8)
    moved = 2.0**exponent * moved[rng.permutation(15)]
    value = alpha_req(embeddings=z, first=2, last=8)
    assert alpha_req(embeddings=moved, first=2, last=8) == pytest.approx(value, rel=1e-8)
    assert value <= 0


# 4. errors


def test_too_few_images_are_undefined():
    z = np.random.default_rng(0).normal(size=(60, 200))
    with pytest.raises(ScoreUndefinedError, match="of 60 embeddings of 200 features only 59"):
        alpha_req(embeddings=z)


def test_equal_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="but all 120 are equal"):
        alpha_req(embeddings=np.full((120, 110), 0.1))


@pytest.mark.parametrize(("first", "last"), [(0, 5), (5, 5), (9, 3)])
def test_ranks_must_ascend(first, last):
    with pytest.raises(InputError, match=f"but are first={first} and last={last}"):
        alpha_req(embeddings=power_law(1.0, d=12), first=first, last=last)
