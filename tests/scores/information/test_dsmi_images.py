import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.clusters import image_clusters
from zoo_eval.scores import dsmi, dsmi_images


def test_tight_distant_clusters_give_what_a_subset_of_two_gives():
    # Five pairs: DSE within a pair is 0, of two random images 1 bit unless they are a pair.
    pair = np.arange(10) // 2
    distances = 1e5 * (pair[:, None] != pair)
    value = dsmi_images(distances, 4, pair, repeats=4000)
    assert value == pytest.approx(8 / 9, abs=0.02)  # a mean over 4000 draws, ± 0.005


def test_equals_the_official_code_with_its_clusters(reference_embeddings, expected, case):
    z = reference_embeddings(case).embeddings
    clusters = expected(case, "spectral_cluster_labels")
    value = expected(case, "dsmi/spectral_logits/sigma_sqrtD")
    assert dsmi_images(embeddings=z, image_clusters=clusters) == pytest.approx(value, rel=1e-9)


def test_our_clusters_are_the_official_ones(reference_embeddings, expected, case):
    _, labels, logits = reference_embeddings(case)
    clusters = image_clusters(logits, n_clusters=len(np.unique(labels)))
    assert adjusted_rand_score(clusters, expected(case, "spectral_cluster_labels")) == 1


def test_equals_the_installed_official_package():
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    rng = np.random.default_rng(8)
    pixels = rng.uniform(size=(80, 12))
    z = np.tanh(pixels @ rng.normal(size=(12, 5)))
    value, _ = official.diffusion_spectral_mutual_information(z, pixels, gaussian_kernel_sigma=0.7)
    assert dsmi_images(embeddings=z, pixels=pixels, bandwidth=0.7) == pytest.approx(value, rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1))
def test_is_dsmi_with_clusters_for_classes(seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(20, 3))
    clusters = rng.permutation(np.arange(20) % 3)
    options = {"bandwidth": "median", "t": 2, "repeats": 2, "seed": 3}
    renamed = np.array([7, 1, 40])[clusters]
    assert dsmi_images(embeddings=z, image_clusters=renamed, **options) == pytest.approx(
        dsmi(embeddings=z, labels=clusters, **options), rel=1e-12, abs=1e-14
    )


def test_one_cluster_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more clusters, but all 6 images"):
        dsmi_images(np.zeros((6, 6)), 3, np.zeros(6, dtype=np.int64))


@pytest.mark.parametrize(
    ("option", "message"),
    [({"repeats": 0}, "≥ 1, but is 0"), ({"t": -1}, "but is -1"), ({"bandwidth": 0}, "but is 0")],
)
def test_options_are_checked(option, message):
    with pytest.raises(InputError, match=message):
        dsmi_images(np.zeros((4, 4)), 3, np.array([0, 0, 1, 1]), **option)


def test_median_of_equal_images_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="between the 4 images is 0"):
        dsmi_images(np.zeros((4, 4)), 3, np.array([0, 0, 1, 1]), bandwidth="median")
