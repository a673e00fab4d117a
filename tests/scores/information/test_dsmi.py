import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import dse, dsmi
from zoo_eval.scores.information import _diffusion


def data(n=60, d=5, seed=0, classes=4):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + 0.8 * rng.normal(size=(classes, d))[labels], labels


def slow_dsmi(z, labels, bandwidth, t=1, repeats=5, seed=0):
    """The definition: one DSE per class and per random subset, from the embeddings."""
    total = 0.0
    for c in np.unique(labels):
        of_class = labels == c
        size = int(of_class.sum())
        generator = random.Random(seed)
        subsets = [generator.sample(range(len(z)), k=size) for _ in range(repeats)]
        reference = [dse(embeddings=z[subset], bandwidth=bandwidth, t=t) for subset in subsets]
        own = dse(embeddings=z[of_class], bandwidth=bandwidth, t=t)
        total += size / len(z) * (np.mean(reference) - own)
    return total


# 1. closed forms


@pytest.mark.parametrize("classes", [2, 4, 7])
def test_tight_distant_classes_give_the_entropy_of_the_subsets(classes):
    # Within a class DSE is 0; of a random subset it is log₂ of the classes that occur in it.
    labels = np.repeat(np.arange(classes), 6)
    distances = 1e5 * (labels[:, None] != labels)
    generator = random.Random(0)
    occurring = [len(set(labels[generator.sample(range(len(labels)), 6)])) for _ in range(5)]
    assert dsmi(distances, 4, labels) == pytest.approx(np.mean(np.log2(occurring)), abs=1e-12)


@pytest.mark.parametrize("distance", [0.0, 1e5])
def test_classes_like_random_images_give_zero(distance):
    labels = np.arange(20) % 3
    distances = distance * (1 - np.eye(20))
    assert dsmi(distances, 4, labels) == pytest.approx(0, abs=1e-12)


def test_a_class_of_one_image_adds_nothing():
    assert dsmi(1e5 * (1 - np.eye(3)), 4, np.array([0, 1, 2])) == 0


# 2. independent values


@pytest.mark.parametrize("t", [1, 2])
def test_sigma_10_equals_the_official_code(reference_embeddings, expected, case, t):
    z, labels, _ = reference_embeddings(case)
    value = expected(case, f"dsmi/y/sigma_10/t{t}")
    assert dsmi(embeddings=z, labels=labels, bandwidth=10, t=t) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("t", [1, 2])
def test_default_sigma_equals_the_official_code(reference_embeddings, expected, case, t):
    z, labels, _ = reference_embeddings(case)
    value = expected(case, f"dsmi/y/sigma_sqrtD/t{t}")
    assert dsmi(embeddings=z, labels=labels, t=t) == pytest.approx(value, rel=1e-9)


def test_equals_the_installed_official_package():
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    z, labels = data(seed=4)
    value, _ = official.diffusion_spectral_mutual_information(
        z, labels, gaussian_kernel_sigma=1.3, t=2, num_repetitions=3, random_seed=11
    )
    ours = dsmi(embeddings=z, labels=labels, bandwidth=1.3, t=2, repeats=3, seed=11)
    assert ours == pytest.approx(value, rel=1e-11)


@pytest.mark.parametrize("seed", [0, 1, 99])
@pytest.mark.parametrize("repeats", [1, 4])
def test_equals_the_slow_definition_with_unequal_classes(seed, repeats):
    z, labels = data(classes=3)
    labels[labels == 2] = np.where(np.arange(20) < 13, 1, 2)
    ours = dsmi(embeddings=z, labels=labels, bandwidth=1.5, t=2, repeats=repeats, seed=seed)
    assert ours == pytest.approx(slow_dsmi(z, labels, 1.5, 2, repeats, seed), rel=1e-9)


def test_median_is_of_all_images():
    z, labels = data()
    pairs = np.sum((z[:, None] - z) ** 2, axis=-1)[np.triu_indices(len(z), 1)]
    sigma = float(np.sqrt(np.median(pairs) / 2))
    value = dsmi(embeddings=z, labels=labels, bandwidth="median")
    assert value == pytest.approx(slow_dsmi(z, labels, sigma), rel=1e-9)


@pytest.mark.parametrize("entries", [1, 500, 10**6])
def test_the_size_of_a_batch_changes_nothing(entries, monkeypatch):
    z, labels = data()
    value = dsmi(embeddings=z, labels=labels)
    monkeypatch.setattr(_diffusion, "_ENTRIES_PER_BATCH", entries)
    assert dsmi(embeddings=z, labels=labels) == pytest.approx(value, rel=1e-13)


def test_the_global_random_generator_does_not_matter():
    z, labels = data()
    values = set()
    for state in (1, 2):
        random.seed(state)
        values.add(dsmi(embeddings=z, labels=labels))
    assert len(values) == 1


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1))
def test_unchanged_by_rotation_translation_and_class_names(seed):
    rng = np.random.default_rng(seed)
    z, labels = data(24, 4, seed)
    moved = z @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + rng.normal(size=4)
    renamed = rng.choice(1000, size=4, replace=False)[labels]
    assert dsmi(embeddings=moved, labels=renamed) == pytest.approx(
        dsmi(embeddings=z, labels=labels), rel=1e-9, abs=1e-12
    )


def test_another_order_changes_the_draw_only():
    # 400 subsets of 15 of 60 images; the standard error of the mean is below 0.01 bits.
    z, labels = data()
    order = np.random.default_rng(1).permutation(60)
    values = [dsmi(embeddings=z[o], labels=labels[o], repeats=400) for o in (np.arange(60), order)]
    assert values[0] != values[1]
    assert values[0] == pytest.approx(values[1], abs=0.04)


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 7 images"):
        dsmi(np.zeros((7, 7)), 3, np.zeros(7, dtype=np.int64))


@pytest.mark.parametrize("repeats", [0, -2])
def test_repeats_must_be_positive(repeats):
    with pytest.raises(InputError, match=f"≥ 1, but is {repeats}"):
        dsmi(np.zeros((4, 4)), 3, np.array([0, 0, 1, 1]), repeats=repeats)


@pytest.mark.parametrize("option", [{"bandwidth": "mean"}, {"t": 0}])
def test_options_of_dse_are_checked_here_too(option):
    with pytest.raises(InputError, match=r"'mean'|but is 0"):
        dsmi(np.zeros((4, 4)), 3, np.array([0, 0, 1, 1]), **option)


def test_median_of_equal_images_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="between the 4 images is 0"):
        dsmi(np.zeros((4, 4)), 3, np.array([0, 0, 1, 1]), bandwidth="median")
