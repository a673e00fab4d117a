import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import entropy

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import cse, csmi


def data(n=60, d=3, seed=0, classes=3):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + rng.normal(size=(classes, d))[labels], labels


def slow_csmi(z, labels, bins=2, repeats=5, seed=0):
    """The definition: one CSE per class and per random subset."""
    total = 0.0
    for c in np.unique(labels):
        of_class = labels == c
        size = int(of_class.sum())
        generator = random.Random(seed)
        subsets = [generator.sample(range(len(z)), k=size) for _ in range(repeats)]
        reference = [cse(z[subset], bins=bins) for subset in subsets]
        total += size / len(z) * (np.mean(reference) - cse(z[of_class], bins=bins))
    return total


# 1. closed forms


def test_one_value_per_class_gives_the_entropy_of_the_subsets():
    # Each class is one cell; a subset of two fills two cells unless its images are of one class.
    labels = np.repeat([0, 1, 2], 2)
    generator = random.Random(0)
    pairs = [labels[generator.sample(range(6), 2)] for _ in range(5)]
    value = csmi(np.array([0.0, 5, 9])[labels][:, None], labels)
    assert value == pytest.approx(np.mean([a != b for a, b in pairs]), abs=1e-12)


@pytest.mark.parametrize("z", [np.zeros((9, 2)), np.eye(9)])
def test_equal_images_and_images_with_a_cell_each_give_zero(z):
    assert csmi(z, np.arange(9) % 3) == pytest.approx(0, abs=1e-12)


def test_a_class_of_one_image_adds_nothing():
    assert csmi(np.array([[0.0], [3], [4]]), np.array([0, 1, 2])) == 0


def test_saturates_at_zero_even_where_the_nearest_mean_is_always_right():
    labels = np.arange(60) % 2
    rng = np.random.default_rng(0)
    z = rng.normal(size=(60, 40)) + rng.normal(size=(2, 40))[labels]
    means = np.stack([z[labels == c].mean(axis=0) for c in (0, 1)])
    assert (cdist(z, means).argmin(axis=1) == labels).all()
    assert csmi(z, labels) == pytest.approx(0, abs=1e-12)


def test_far_below_zero_where_every_feature_tells_the_classes_apart():
    # A subset of both classes fills two cells, a class alone 30 of the 2^40.
    labels = np.arange(60) % 2
    z = np.random.default_rng(0).normal(size=(60, 40)) + 100 * labels[:, None]
    generator = random.Random(0)
    drawn = [labels[generator.sample(range(60), 30)] for _ in range(5)]
    subsets = np.mean([entropy(np.bincount(classes), base=2) for classes in drawn])
    assert csmi(z, labels) == pytest.approx(subsets - np.log2(30), rel=1e-9)


# 2. independent values


def test_equals_the_official_code(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    parity.embeddings(case, "csmi/y/bins2/first6", csmi(z[:, :6], labels), rel=1e-9)


@pytest.mark.parametrize("bins", [2, 3])
def test_equals_the_installed_official_package(parity, bins):
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    z, labels = data(seed=4)
    value, _ = official.diffusion_spectral_mutual_information(
        *(z, labels),
        **{"classic_shannon_entropy": True, "num_bins_per_dim": bins},
        **{"num_repetitions": 3, "random_seed": 11},
    )
    ours = csmi(z, labels, bins=bins, repeats=3, seed=11)
    metric = f"diffusion_spectral_mutual_information, {bins} bins"
    parity.compare(metric, "dse-dsmi 1.1", "Gaussian classes 60 × 3", ours, value, 1e-9)


@pytest.mark.parametrize("seed", [0, 99])
@pytest.mark.parametrize("bins", [2, 5])
def test_equals_the_slow_definition_with_unequal_classes(seed, bins):
    z, labels = data()
    labels[labels == 2] = np.where(np.arange(20) < 13, 1, 2)
    ours = csmi(z, labels, bins=bins, repeats=3, seed=seed)
    assert ours == pytest.approx(slow_csmi(z, labels, bins, 3, seed), rel=1e-9)


def test_the_global_random_generator_does_not_matter():
    z, labels = data()
    values = set()
    for state in (1, 2):
        random.seed(state)
        values.add(csmi(z, labels))
    assert len(values) == 1


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-40, 40))
def test_unchanged_by_scale_order_of_features_and_class_names(seed, exponent):
    rng = np.random.default_rng(seed)
    z, labels = data(21, 3, seed)
    moved = z[:, rng.permutation(3)] * 2.0**exponent
    renamed = rng.choice(1000, size=3, replace=False)[labels]
    assert csmi(moved, renamed) == pytest.approx(csmi(z, labels), abs=1e-12)


def test_another_order_changes_the_draw_only():
    # 400 subsets of 20 of 60 images; the standard error of the mean is below 0.02 bits.
    z, labels = data()
    order = np.random.default_rng(1).permutation(60)
    values = [csmi(z[o], labels[o], repeats=400) for o in (np.arange(60), order)]
    assert values[0] != values[1]
    assert values[0] == pytest.approx(values[1], abs=0.08)


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 7 images"):
        csmi(np.eye(7), np.zeros(7, dtype=np.int64))


@pytest.mark.parametrize(
    ("option", "message"),
    [({"bins": 1}, "must be ≥ 2, but is 1"), ({"repeats": 0}, "must be ≥ 1, but is 0")],
)
def test_options_are_checked(option, message):
    with pytest.raises(InputError, match=message):
        csmi(np.eye(4), np.array([0, 0, 1, 1]), **option)
