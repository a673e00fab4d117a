import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.neighbors import kneighbors_graph

from tests.scores.information.exact_spectrum import exact_eigenvalues
from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import ase, asmi, dsmi


def data(n=60, d=5, seed=0, classes=3, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_asmi(z, labels, repeats=5, seed=0, **options):
    """The definition: one ASE per class and per random subset, from the embeddings."""
    total = 0.0
    for c in np.unique(labels):
        of_class = labels == c
        size = int(of_class.sum())
        generator = random.Random(seed)
        subsets = [generator.sample(range(len(z)), k=size) for _ in range(repeats)]
        reference = [ase(embeddings=z[subset], **options) for subset in subsets]
        own = ase(embeddings=z[of_class], **options)
        total += size / len(z) * (np.mean(reference) - own)
    return total


# 1. closed forms


def test_tight_distant_classes_give_the_entropy_of_the_subsets():
    # Within a class ASE is 0; of two random images 1 bit unless they are of one class.
    labels = np.repeat([0, 1, 2], 2)
    generator = random.Random(0)
    pairs = [labels[generator.sample(range(6), 2)] for _ in range(5)]
    value = asmi(embeddings=1e3 * np.eye(3)[labels], labels=labels)
    assert value == pytest.approx(np.mean([a != b for a, b in pairs]), abs=1e-12)


@pytest.mark.parametrize("distance", [0.0, 1e3])
@pytest.mark.parametrize("graph", ["gaussian", "anisotropic", "knn"])
def test_classes_like_random_images_give_zero(distance, graph):
    z, labels = distance * np.eye(20), np.arange(20) % 3
    value = asmi(embeddings=z, labels=labels, graph=graph, k=2)
    assert value == pytest.approx(0, abs=1e-12)


def test_a_class_of_one_image_adds_nothing():
    assert asmi(embeddings=1e3 * np.eye(3), labels=np.array([0, 1, 2])) == 0


# 2. independent values


@pytest.mark.parametrize("graph", ["gaussian", "anisotropic"])
def test_equals_the_official_code(reference_embeddings, parity, case, graph):
    z, labels, _ = reference_embeddings(case)
    value = asmi(embeddings=z, labels=labels, graph=graph)
    parity.embeddings(case, f"asmi_{graph}/y/sigma_sqrtD", value, rel=1e-9)


def test_neighbours_equal_the_official_code_or_do_without_its_error(
    reference_embeddings, expectations, parity, case
):
    z, labels, _ = reference_embeddings(case)
    value = asmi(embeddings=z, labels=labels, graph="knn")
    entry = expectations["cases"][case]["values"]["asmi_knn/y/k10"]
    if "error" not in entry:
        # The official eigenvalues are not exact; see `ase` and the next test.
        parity.embeddings(case, "asmi_knn/y/k10", value, rel=1e-5)
        return
    # Classes of 9 and 5, or of 3 images: np.partition has no 10th. Their graphs are complete
    # whatever the embeddings, as those of 10 images, and add nothing; the others count.
    assert entry["error"].startswith("ValueError: kth(=9) out of bounds")
    large = [c for c in np.unique(labels) if np.sum(labels == c) > 10]
    total = 0.0
    for c in large:
        size = int(np.sum(labels == c))
        generator = random.Random(0)
        subsets = [generator.sample(range(len(z)), k=size) for _ in range(5)]
        reference = [ase(embeddings=z[subset], graph="knn") for subset in subsets]
        gain = np.mean(reference) - ase(embeddings=z[labels == c], graph="knn")
        total += size / len(z) * gain
    assert value == pytest.approx(total, rel=1e-9)


def test_neighbours_are_nearer_to_the_exact_value_than_the_official_code(
    reference_embeddings, expected
):
    z, labels, _ = reference_embeddings("n_lt_d")

    def exact_ase(subset):
        graph = kneighbors_graph(z[subset], 10, include_self=True).toarray()
        return entropy(exact_eigenvalues(graph), base=2)

    generator = random.Random(0)
    subsets = [generator.sample(range(110), k=22) for _ in range(5)]
    classes = [np.flatnonzero(labels == c) for c in range(5)]
    exact = np.mean([exact_ase(s) for s in subsets]) - np.mean([exact_ase(c) for c in classes])
    assert asmi(embeddings=z, labels=labels, graph="knn") == pytest.approx(exact, rel=1e-9)
    assert expected("n_lt_d", "asmi_knn/y/k10") != pytest.approx(exact, rel=4e-6)


@pytest.mark.parametrize(
    ("graph", "options"),
    [("gaussian", {}), ("anisotropic", {"anisotropic": True}), ("knn", {"use_knn": True})],
)
def test_equals_the_installed_official_package(parity, graph, options):
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    z, labels = data(seed=4)
    value, _ = official.adjacency_spectral_mutual_information(
        *(z, labels),
        **{"gaussian_kernel_sigma": 1.3, "num_repetitions": 3, "random_seed": 11, **options},
    )
    ours = asmi(
        **{"embeddings": z, "labels": labels, "graph": graph},
        **{"bandwidth": 1.3, "repeats": 3, "seed": 11},
    )
    metric = f"adjacency_spectral_mutual_information, {graph}"
    rel = 1e-3 if graph == "knn" else 1e-9  # its eigenvalues are not exact
    parity.compare(metric, "dse-dsmi 1.1", "Gaussian classes 60 × 5", ours, value, rel)


@pytest.mark.parametrize("seed", [0, 99])
@pytest.mark.parametrize(
    "options", [{"graph": "knn", "k": 4}, {"bandwidth": 0.4, "features": "l2"}]
)
def test_equals_the_slow_definition_with_unequal_classes(seed, options):
    z, labels = data()
    labels[labels == 2] = np.where(np.arange(20) < 13, 1, 2)
    options = {"repeats": 3, "seed": seed, **options}
    ours = asmi(embeddings=z, labels=labels, **options)
    assert ours == pytest.approx(slow_asmi(z, labels, **options), rel=1e-9)


def test_median_and_zscore_are_of_all_images():
    z, labels = data()
    pairs = np.sum((z[:, None] - z) ** 2, axis=-1)[np.triu_indices(len(z), 1)]
    sigma = float(np.sqrt(np.median(pairs) / 2))
    value = asmi(embeddings=z, labels=labels, bandwidth="median")
    assert value == pytest.approx(slow_asmi(z, labels, bandwidth=sigma), rel=1e-9)
    by_hand = (z - z.mean(axis=0)) / z.std(axis=0)
    value = asmi(embeddings=z * 40 + 3, labels=labels, features="zscore")
    assert value == pytest.approx(slow_asmi(by_hand, labels), rel=1e-9)


def test_distinct_classes_raise_gaussian_and_lower_knn():
    z, labels = data(120, 8, classes=4, signal=30.0)
    values = {g: asmi(embeddings=z, labels=labels, graph=g) for g in ("gaussian", "knn")}
    assert values["gaussian"] > 0.5
    assert values["knn"] < -0.5


def test_anisotropic_is_dsmi():
    z, labels = data()
    ours = asmi(embeddings=z, labels=labels, graph="anisotropic")
    assert ours == dsmi(embeddings=z, labels=labels)


# 3. symmetries


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), graph=st.sampled_from(["gaussian", "knn"]))
def test_unchanged_by_rotation_translation_and_class_names(seed, graph):
    rng = np.random.default_rng(seed)
    z, labels = data(24, 4, seed)
    moved = z @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + rng.normal(size=4)
    renamed = rng.choice(1000, size=3, replace=False)[labels]
    value = asmi(embeddings=z, labels=labels, graph=graph, k=3)
    found = asmi(embeddings=moved, labels=renamed, graph=graph, k=3)
    assert found == pytest.approx(value, rel=1e-9, abs=1e-12)


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 7 images"):
        asmi(embeddings=np.eye(7), labels=np.zeros(7, dtype=np.int64))


def test_neighbours_in_small_classes_are_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"Of 10 nearest .* graphs of 8 images"):
        asmi(embeddings=data(15)[0], labels=[0] * 8 + [1] * 7, graph="knn")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"graph": "cosine"}, "but is 'cosine'"),
        ({"graph": "knn", "k": 0}, "must be ≥ 2, but is 0"),
        ({"bandwidth": 0}, "positive number, but is 0"),
        ({"features": "l1"}, "but is 'l1'"),
        ({"features": "l2"}, r"'sqrt_dim', here 1\.73, says nothing"),
        ({"repeats": 0}, "must be ≥ 1, but is 0"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InputError, match=message):
        asmi(embeddings=np.ones((4, 3)), labels=[0, 0, 1, 1], **options)


def test_median_of_equal_images_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="between the 4 images is 0"):
        asmi(embeddings=np.zeros((4, 3)), labels=[0, 0, 1, 1], bandwidth="median")


def test_l2_of_a_zero_embedding_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="but 4 of 4 are zero"):
        asmi(embeddings=np.zeros((4, 3)), labels=[0, 0, 1, 1], features="l2", bandwidth=1)
