import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.clusters import image_clusters
from zoo_eval.scores import dsmi, dsmi_images


def test_tight_distant_clusters_give_what_a_subset_of_two_gives():
    # Five pairs: DSE within a pair is 0, of two random images 1 bit unless they are a pair.
    pair = np.arange(10) // 2
    value = dsmi_images(embeddings=1e3 * np.eye(5)[pair], image_clusters=pair, repeats=4000)
    assert value == pytest.approx(8 / 9, abs=0.02)  # a mean over 4000 draws, ± 0.005


def test_equals_the_official_code_with_its_clusters(reference_embeddings, expected, parity, case):
    z = reference_embeddings(case).embeddings
    clusters = expected(case, "spectral_cluster_labels")
    value = dsmi_images(embeddings=z, image_clusters=clusters)
    parity.embeddings(case, "dsmi/spectral_logits/sigma_sqrtD", value, rel=1e-9)


def test_our_clusters_are_the_official_ones(reference_embeddings, expected, case):
    _, labels, logits = reference_embeddings(case)
    clusters = image_clusters(logits, n_clusters=len(np.unique(labels)))
    assert adjusted_rand_score(clusters, expected(case, "spectral_cluster_labels")) == 1


def test_equals_the_installed_official_package(parity):
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    rng = np.random.default_rng(8)
    pixels = rng.uniform(size=(80, 12))
    z = np.tanh(pixels @ rng.normal(size=(12, 5)))
    value, _ = official.diffusion_spectral_mutual_information(z, pixels, gaussian_kernel_sigma=0.7)
    ours = dsmi_images(embeddings=z, pixels=pixels, bandwidth=0.7)
    metric = "diffusion_spectral_mutual_information, pixels"
    parity.compare(metric, "dse-dsmi 1.1", "uniform pixels 80 × 12", ours, value, 1e-9)


@settings(max_examples=10)
@given(
    seed=st.integers(0, 2**32 - 1),
    features=st.sampled_from(["raw", "zscore", "l2"]),
    entropy=st.sampled_from([{"t": 2}, {"entropy": "matrix_entry"}]),
)
def test_is_dsmi_with_clusters_for_classes(seed, features, entropy):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(20, 3))
    clusters = rng.permutation(np.arange(20) % 3)
    options = {"bandwidth": "median", "features": features, "repeats": 2, "seed": 3, **entropy}
    renamed = np.array([7, 1, 40])[clusters]
    assert dsmi_images(embeddings=z, image_clusters=renamed, **options) == pytest.approx(
        dsmi(embeddings=z, labels=clusters, **options), rel=1e-12, abs=1e-14
    )


def test_one_cluster_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more clusters, but all 6 images"):
        dsmi_images(embeddings=np.eye(6), image_clusters=np.zeros(6, dtype=np.int64))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"repeats": 0}, "≥ 1, but is 0"),
        ({"t": -1}, "but is -1"),
        ({"bandwidth": 0}, "but is 0"),
        ({"features": "l2"}, r"'sqrt_dim', here 1\.73, says nothing"),
        ({"features": "l1"}, "but is 'l1'"),
        ({"entropy": "renyi"}, "but is 'renyi'"),
        ({"entropy": "matrix_entry", "t": 2}, "but t is 2"),
    ],
)
def test_options_are_checked(option, message):
    with pytest.raises(InputError, match=message):
        dsmi_images(embeddings=np.ones((4, 3)), image_clusters=[0, 0, 1, 1], **option)


def test_median_of_equal_images_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="between the 4 images is 0"):
        dsmi_images(embeddings=np.zeros((4, 3)), image_clusters=[0, 0, 1, 1], bandwidth="median")


def test_l2_of_a_zero_embedding_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="but 4 of 4 are zero"):
        dsmi_images(
            embeddings=np.zeros((4, 3)),
            image_clusters=[0, 0, 1, 1],
            features="l2",
            bandwidth=1,
        )
