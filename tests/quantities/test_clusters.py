import numpy as np
import pytest
from sklearn.cluster import SpectralClustering
from sklearn.metrics import adjusted_rand_score

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities import belongs_to_dataset
from zoo_eval.quantities.clusters import image_clusters


def blobs(n_blobs, size, spread=1.0, seed=0):
    rng = np.random.default_rng(seed)
    blob = np.repeat(np.arange(n_blobs), size)
    return rng.normal(size=(n_blobs * size, 6)) + spread * rng.normal(size=(n_blobs, 6))[blob], blob


def test_computed_once_per_dataset():
    assert belongs_to_dataset("image_clusters")


@pytest.mark.parametrize("n_clusters", [4, 10])
@pytest.mark.parametrize("n", [20, 150])
def test_equals_scikit_learns_own_graph(n, n_clusters):
    pixels = np.random.default_rng(n).uniform(size=(n, 5))
    official = SpectralClustering(
        n_clusters, affinity="nearest_neighbors", assign_labels="cluster_qr", random_state=0
    ).fit_predict(pixels)
    found = image_clusters(pixels, n_clusters=n_clusters)
    assert adjusted_rand_score(official, found) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_same_clusters_from_any_dtype(dtype):
    pixels = np.random.default_rng(3).integers(0, 256, size=(60, 12))
    np.testing.assert_array_equal(image_clusters(pixels.astype(dtype)), image_clusters(pixels))


def test_parts_without_links_are_clusters():
    # Blobs so far apart that the graph falls into 5 parts: scikit-learn warns, we need not.
    pixels, blob = blobs(5, 30, spread=1000)
    found = image_clusters(pixels, n_clusters=5)
    assert adjusted_rand_score(blob, found) == 1
    finer = image_clusters(pixels)
    assert all(len(np.unique(blob[finer == cluster])) == 1 for cluster in np.unique(finer))


def test_ids_have_no_gaps():
    found = image_clusters(blobs(3, 25)[0])
    np.testing.assert_array_equal(np.unique(found), np.arange(found.max() + 1))
    assert found.dtype == np.int64


@pytest.mark.parametrize("n", [4, 5, 7, 11, 19])
def test_few_images_make_few_clusters(n):
    found = image_clusters(np.random.default_rng(n).normal(size=(n, 3)).cumsum(axis=0))
    assert found.shape == (n,)
    assert 1 <= found.max() + 1 <= n // 2


def test_two_pairs():
    found = image_clusters(np.array([[0.0], [100.0], [0.1], [100.1]]))
    np.testing.assert_array_equal(found == found[0], [True, False, True, False])


def test_more_parts_than_clusters_has_no_answer():
    with pytest.raises(ScoreUndefinedError, match=r"150 images falls into 5 parts.* 4 clusters"):
        image_clusters(blobs(5, 30, spread=1000)[0], n_clusters=4)


def test_too_few_images():
    with pytest.raises(ScoreUndefinedError, match="need 4 images, but there are 3"):
        image_clusters(np.zeros((3, 2)))
