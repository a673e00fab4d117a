import numpy as np
import pytest

from zoo_eval import threads
from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.distances import ImageDistances
from zoo_eval.scores.information import _kernel_strips
from zoo_eval.scores.information._diffusion import diffusion_kernel, kernel_variance
from zoo_eval.scores.information._kernel_strips import KernelStrips


@pytest.fixture(autouse=True)
def short_strips(monkeypatch):
    monkeypatch.setattr(_kernel_strips, "_STRIP", 7)
    monkeypatch.setattr(threads, "_ENTRIES_AT_A_TIME", 80)


def data(n=31, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def dense(z, bandwidth="sqrt_dim"):
    """K less its known eigenvector, the vector, and the eigenvalues of K."""
    distances = ImageDistances(z).matrix
    variance = kernel_variance(distances, z.shape[1], bandwidth, "raw")
    degrees = np.exp(-distances / (2 * variance)).sum(axis=1)
    top = np.sqrt(degrees / degrees.sum())
    kernel = diffusion_kernel(distances[None], variance)[0]
    return kernel - np.outer(top, top), top, np.linalg.eigvalsh(kernel)


@pytest.mark.parametrize("n", [1, 6, 7, 8, 14, 31])
@pytest.mark.parametrize("bandwidth", ["sqrt_dim", 1, 0.3])
def test_is_the_dense_kernel_less_its_largest_eigenvector(n, bandwidth):
    z = data(n)
    kernel, (rest, top, eigenvalues) = (
        KernelStrips(ImageDistances(z), bandwidth, "raw"),
        dense(z, bandwidth),
    )
    # Float32 throughout.
    np.testing.assert_allclose(kernel @ np.eye(n, dtype=np.float32), rest, atol=3e-7)
    np.testing.assert_allclose(kernel.top, top, atol=3e-7)
    assert kernel.trace == pytest.approx(eigenvalues.sum() - 1, abs=1e-6 * n)
    assert kernel.square_norm == pytest.approx(np.sum(eigenvalues**2) - 1, abs=1e-6 * n)


@pytest.mark.parametrize("n", [6, 31, 64])  # 1, 5 and 10 strips
@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_a_product_shared_between_threads(n, n_threads, monkeypatch):
    monkeypatch.setattr("torch.get_num_threads", lambda: n_threads)
    z, vectors = data(n), data(n, 4, seed=1).astype(np.float32)
    product = KernelStrips(ImageDistances(z), "sqrt_dim", "raw") @ vectors
    np.testing.assert_allclose(product, dense(z)[0] @ vectors, atol=1e-6)


def test_the_known_eigenvector_is_one():
    z = data()
    distances = ImageDistances(z).matrix
    kernel = diffusion_kernel(distances[None], 5.0)[0]
    _, top, eigenvalues = dense(z)
    np.testing.assert_allclose(kernel @ top, top, atol=1e-14)
    assert eigenvalues[-1] == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("n", [2, 3, 20, 31])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_median_bandwidth(n, scale):
    z = scale * data(n)
    kernel = KernelStrips(ImageDistances(z), "median", "raw")
    np.testing.assert_allclose(
        kernel @ np.eye(n, dtype=np.float32), dense(z, "median")[0], atol=2e-6
    )


@pytest.mark.parametrize(
    "places",
    [
        (0, 1, 3, 7),  # 6 pairs, the middle ones 3 and 4 apart
        (0, 0, 0, 5),  # 3 of 6 are 0
        (0, 1, 1000, 2000.5),  # the far pairs say little of the near
        (0, 0, 1, 1, 1e4),
    ],
)
def test_median_of_few_pairs_is_the_mean_of_the_two_in_the_middle(places):
    z = np.array(places, dtype=float)[:, None]
    kernel = KernelStrips(ImageDistances(z), "median", "raw")
    np.testing.assert_allclose(
        kernel @ np.eye(len(z), dtype=np.float32), dense(z, "median")[0], atol=2e-6
    )


def test_a_median_that_is_small_against_the_lengths_is_taken_again_in_float64():
    # 29 images near each other and one far away: float32 would give their distances no digit.
    z = 1e-4 * data(30)
    z[-1] += 100
    kernel = KernelStrips(ImageDistances(z), "median", "raw")
    np.testing.assert_allclose(
        kernel @ np.eye(30, dtype=np.float32), dense(z, "median")[0], atol=2e-6
    )
    z[:-1] = 0.1
    with pytest.raises(ScoreUndefinedError, match="between the 30 images is 0"):
        KernelStrips(ImageDistances(z), "median", "raw")


@pytest.mark.parametrize("n", [1, 20])
def test_median_of_equal_images_is_undefined(n):
    with pytest.raises(ScoreUndefinedError, match=f"between the {n} images is 0"):
        KernelStrips(ImageDistances(np.full((n, 3), 0.1)), "median", "raw")


def test_other_bandwidths_are_refused():
    with pytest.raises(InputError, match="positive number, but is 'mean'"):
        KernelStrips(ImageDistances(data()), "mean", "raw")


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_large_embeddings_keep_the_digits_of_small_distances(offset):
    # Pairs at distance σ, the pairs 2,000 σ apart: in float32 alone d² would be off by 0.5 σ².
    z = np.repeat(2000 * data(10), 3, axis=0) + data(30, seed=1) + offset
    kernel = KernelStrips(ImageDistances(z), 1, "raw")
    np.testing.assert_allclose(kernel @ np.eye(30, dtype=np.float32), dense(z, 1)[0], atol=1e-6)


@pytest.mark.parametrize("scale", [0.0, 1e-200, 1e100])
def test_equal_and_infinitely_distant_images(scale):
    z = scale * data(20)
    kernel = KernelStrips(ImageDistances(z), 1, "raw")
    assert kernel.trace == pytest.approx(19 if scale > 1 else 0, abs=1e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_embeddings_are_left_alone(dtype):
    z = data().astype(dtype)
    before = z.copy()
    KernelStrips(ImageDistances(z), "median", "raw")
    np.testing.assert_array_equal(z, before)
