import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import centred_svd
from zoo_eval.scores import rankme
from zoo_eval.scores.geometry._spectrum import exp_entropy

# 1. closed forms


@pytest.mark.parametrize("d", [1, 2, 7])
def test_flat_spectrum_uses_every_dimension(d):
    assert rankme(embeddings=3 * np.eye(10)[:, :d]) == pytest.approx(d, rel=1e-12)


def test_two_to_one():
    # p = (2/3, 1/3): e^H = 3 / 2^(2/3).
    assert rankme(embeddings=np.diag([2.0, 1.0])) == pytest.approx(3 / 2 ** (2 / 3), rel=1e-12)


def test_parallel_embeddings_use_one_dimension():
    z = np.outer(np.arange(1.0, 9.0), [1.0, -2.0, 0.5])
    assert rankme(embeddings=z) == pytest.approx(1, rel=1e-12)


# 2. independent values


# ε of each program; without one RankMe is the effective rank.
EPSILONS = [
    ("effective_rank/uncentred", 0),
    ("rankme/paper_eps1e-7", 1e-7),
    ("rankme/stable_pretraining", 1e-5),
]


@pytest.mark.parametrize(("reference", "epsilon"), EPSILONS)
def test_equals_the_reference(reference_embeddings, parity, case, reference, epsilon):
    z = reference_embeddings(case).embeddings
    parity.embeddings(case, reference, rankme(embeddings=z, epsilon=epsilon))


def test_the_papers_epsilon_hardly_matters(reference_embeddings, expected, case):
    # Ours is the limit for ε = 0 and so lies just below.
    z = reference_embeddings(case).embeddings
    paper = expected(case, "rankme/paper_eps1e-7")
    assert rankme(embeddings=z) < paper
    assert rankme(embeddings=z) == pytest.approx(paper, rel=1e-4)


def test_reptrix_takes_the_variances_of_centred_embeddings(reference_embeddings, expected, case):
    # Official code, but not RankMe: reproduced here from its parts, and far off.
    z = reference_embeddings(case).embeddings
    variances = centred_svd(z).singular_values ** 2
    theirs = exp_entropy(variances, 1e-7, min(z.shape))
    assert theirs == pytest.approx(expected(case, "rankme/reptrix"), rel=1e-9)
    assert not 0.8 < theirs / rankme(embeddings=z) < 1.25


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_equals_scipys_entropy(dtype):
    z = np.random.default_rng(0).normal(size=(20, 9)).astype(dtype)
    values = np.linalg.svd(z.astype(np.float64), compute_uv=False)
    assert rankme(embeddings=z) == pytest.approx(np.exp(entropy(values)), rel=1e-12)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-30, 30), n=st.integers(1, 12))
def test_unchanged_by_scale_rotation_and_order(seed, exponent, n):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 6))
    moved = (2.0**exponent * z @ np.linalg.qr(rng.normal(size=(6, 6)))[0])[rng.permutation(n)]
    value = rankme(embeddings=z)
    assert rankme(embeddings=moved) == pytest.approx(value, rel=1e-9)
    assert 1 <= value <= min(n, 6) + 1e-12


def test_a_mean_counts_as_a_direction():
    z = np.random.default_rng(0).normal(size=(50, 8))
    assert rankme(embeddings=z + 1000) < 1.1 < 7 < rankme(embeddings=z)


# 4. errors


def test_zero_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="but all 7 are zero"):
        rankme(embeddings=np.zeros((7, 3)))


@pytest.mark.parametrize("epsilon", [-1e-9, 1, float("nan")])
def test_epsilon_must_be_small_and_positive(epsilon):
    with pytest.raises(InputError, match=rf"must be in \[0, 1\), but is {epsilon}"):
        rankme(embeddings=np.eye(3), epsilon=epsilon)
