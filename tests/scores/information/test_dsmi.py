import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo_eval import threads
from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities import distances
from zoo_eval.quantities.distances import ImageDistances
from zoo_eval.scores import dse, dsmi
from zoo_eval.scores.information import _subsets
from zoo_eval.scores.information._bins import equal_width_bins

SIGMA = {"sigma_10": 10, "sigma_sqrtD": "sqrt_dim"}


def data(n=60, d=5, seed=0, classes=4):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + 0.8 * rng.normal(size=(classes, d))[labels], labels


def slow_dsmi(z, labels, repeats=5, seed=0, **options):
    """The definition: one DSE per class and per random subset, from the embeddings."""
    total = 0.0
    for c in np.unique(labels):
        of_class = labels == c
        size = int(of_class.sum())
        generator = random.Random(seed)
        subsets = [generator.sample(range(len(z)), k=size) for _ in range(repeats)]
        reference = [dse(embeddings=z[subset], **options) for subset in subsets]
        own = dse(embeddings=z[of_class], **options)
        total += size / len(z) * (np.mean(reference) - own)
    return total


# 1. closed forms


@pytest.mark.parametrize("classes", [2, 4, 7])
def test_tight_distant_classes_give_the_entropy_of_the_subsets(classes):
    # Within a class DSE is 0; of a random subset it is log₂ of the classes that occur in it.
    labels = np.repeat(np.arange(classes), 6)
    generator = random.Random(0)
    occurring = [len(set(labels[generator.sample(range(len(labels)), 6)])) for _ in range(5)]
    value = dsmi(embeddings=1e3 * np.eye(classes)[labels], labels=labels)
    assert value == pytest.approx(np.mean(np.log2(occurring)), abs=1e-12)


@pytest.mark.parametrize("distance", [0.0, 1e3])
@pytest.mark.parametrize("entropy", ["spectral", "matrix_entry"])
def test_classes_like_random_images_give_zero(distance, entropy):
    z, labels = distance * np.eye(20), np.arange(20) % 3
    assert dsmi(embeddings=z, labels=labels, entropy=entropy) == pytest.approx(0, abs=1e-12)


def test_matrix_entry_reverses_the_sign():
    # A class of two equal images: 2 bits; a subset of two: 2 bits if equal, else 1.
    labels = np.repeat([0, 1, 2], 2)
    generator = random.Random(0)
    pairs = [labels[generator.sample(range(6), 2)] for _ in range(5)]
    value = dsmi(embeddings=1e3 * np.eye(3)[labels], labels=labels, entropy="matrix_entry")
    assert value == pytest.approx(-np.mean([a != b for a, b in pairs]), abs=1e-12)


def test_a_class_of_one_image_adds_nothing():
    assert dsmi(embeddings=1e3 * np.eye(3), labels=np.array([0, 1, 2])) == 0


# 2. independent values


@pytest.mark.parametrize("sigma", SIGMA)
@pytest.mark.parametrize("t", [1, 2])
def test_equals_the_official_code(reference_embeddings, parity, case, sigma, t):
    z, labels, _ = reference_embeddings(case)
    value = dsmi(embeddings=z, labels=labels, bandwidth=SIGMA[sigma], t=t)
    parity.embeddings(case, f"dsmi/y/{sigma}/t{t}", value, rel=1e-9)


@pytest.mark.parametrize("sigma", SIGMA)
def test_matrix_entry_equals_the_official_code(reference_embeddings, parity, case, sigma):
    z, labels, _ = reference_embeddings(case)
    value = dsmi(embeddings=z, labels=labels, bandwidth=SIGMA[sigma], entropy="matrix_entry")
    parity.embeddings(case, f"dsmi_matrix_entry/y/{sigma}", value, rel=1e-9)


def test_a_scalar_in_ten_bins_equals_the_official_code(reference_embeddings, parity, case):
    # The official code makes such classes itself, of any reference that is not of integer type.
    z, _, logits = reference_embeddings(case)
    value = dsmi(embeddings=z, labels=equal_width_bins(logits[:, :1], 10)[:, 0])
    parity.embeddings(case, "dsmi/scalar_logit0/sigma_sqrtD", value, rel=1e-9)


def test_the_official_code_merges_float_class_ids():
    # 12 classes in 10 bins: 0 … 11 in steps of 1.1, so that 0 and 1, and 10 and 11, are one.
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    z, labels = data(72, classes=12)
    merged, _ = official.diffusion_spectral_mutual_information(
        z, labels.astype(np.float64)[:, None], gaussian_kernel_sigma=1.3
    )
    bins = equal_width_bins(labels[:, None], 10)[:, 0]
    assert len(set(bins)) == 10
    assert dsmi(embeddings=z, labels=bins, bandwidth=1.3) == pytest.approx(merged, rel=1e-9)
    with pytest.raises(InputError, match="their type is float64"):
        dsmi(embeddings=z, labels=labels.astype(np.float64))


@pytest.mark.parametrize("matrix_entry", [False, True])
def test_equals_the_installed_official_package(parity, matrix_entry):
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    z, labels = data(seed=4)
    t = 1 if matrix_entry else 2
    value, _ = official.diffusion_spectral_mutual_information(
        *(z, labels),
        **{"gaussian_kernel_sigma": 1.3, "t": t, "num_repetitions": 3, "random_seed": 11},
        matrix_entry_entropy=matrix_entry,
    )
    entropy = "matrix_entry" if matrix_entry else "spectral"
    options = {"bandwidth": 1.3, "t": t, "entropy": entropy, "repeats": 3, "seed": 11}
    ours = dsmi(embeddings=z, labels=labels, **options)
    metric = f"diffusion_spectral_mutual_information, {entropy}"
    parity.compare(metric, "dse-dsmi 1.1", "Gaussian classes 60 × 5", ours, value, 1e-9)


@pytest.mark.parametrize(("seed", "repeats"), [(0, 1), (99, 3)])
@pytest.mark.parametrize("options", [{"t": 2}, {"entropy": "matrix_entry"}, {"features": "l2"}])
def test_equals_the_slow_definition_with_unequal_classes(seed, repeats, options):
    z, labels = data(classes=3)
    labels[labels == 2] = np.where(np.arange(20) < 13, 1, 2)
    options = {"bandwidth": 1.5, "repeats": repeats, "seed": seed, **options}
    ours = dsmi(embeddings=z, labels=labels, **options)
    assert ours == pytest.approx(slow_dsmi(z, labels, **options), rel=1e-9)


def test_median_and_zscore_are_of_all_images():
    z, labels = data()
    pairs = np.sum((z[:, None] - z) ** 2, axis=-1)[np.triu_indices(len(z), 1)]
    sigma = float(np.sqrt(np.median(pairs) / 2))
    value = dsmi(embeddings=z, labels=labels, bandwidth="median")
    assert value == pytest.approx(slow_dsmi(z, labels, bandwidth=sigma), rel=1e-9)
    by_hand = (z - z.mean(axis=0)) / z.std(axis=0)
    value = dsmi(embeddings=z * 40 + 3, labels=labels, features="zscore")
    assert value == pytest.approx(slow_dsmi(by_hand, labels), rel=1e-9)


@pytest.mark.parametrize("entries", [1, 500, 10**6])
def test_the_size_of_a_batch_changes_nothing(entries, monkeypatch):
    z, labels = data()
    value = dsmi(embeddings=z, labels=labels)
    monkeypatch.setattr(_subsets, "_ENTRIES_PER_BATCH", entries)
    assert dsmi(embeddings=z, labels=labels) == pytest.approx(value, rel=1e-13)


def test_the_global_random_generator_does_not_matter():
    z, labels = data()
    values = set()
    for state in (1, 2):
        random.seed(state)
        values.add(dsmi(embeddings=z, labels=labels))
    assert len(values) == 1


# 3. symmetries


@settings(max_examples=10)
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


# Ways of computing it


def test_of_many_images_only_the_distances_within_subsets_are_computed(monkeypatch):
    z, labels = data()
    options = [{}, {"features": "zscore"}, {"entropy": "matrix_entry"}]
    before = [dsmi(embeddings=z, labels=labels, **o) for o in options]
    monkeypatch.setattr(distances, "MATRIX_UP_TO", 59)
    monkeypatch.setattr(ImageDistances, "matrix", property(lambda _: pytest.fail("n² made")))
    after = [dsmi(embeddings=z, labels=labels, **o) for o in options]
    assert after == pytest.approx(before, rel=1e-12)


def test_threads_share_the_subsets_and_change_nothing(monkeypatch):
    z, labels = data()
    alone = dsmi(embeddings=z, labels=labels)
    monkeypatch.setattr(_subsets, "_ENTRIES_PER_BATCH", 500)
    in_batches = dsmi(embeddings=z, labels=labels)
    monkeypatch.setattr(_subsets.torch, "get_num_threads", lambda: 3)
    counts = set()
    plain = threads.ThreadPoolExecutor
    monkeypatch.setattr(
        threads,
        "ThreadPoolExecutor",
        lambda count, **options: counts.add(count) or plain(count, **options),
    )
    assert dsmi(embeddings=z, labels=labels) == in_batches == alone
    assert counts == {3}


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 7 images"):
        dsmi(embeddings=np.eye(7), labels=np.zeros(7, dtype=np.int64))


@pytest.mark.parametrize("repeats", [0, -2])
def test_repeats_must_be_positive(repeats):
    with pytest.raises(InputError, match=f"≥ 1, but is {repeats}"):
        dsmi(embeddings=np.zeros((4, 3)), labels=[0, 0, 1, 1], repeats=repeats)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bandwidth": "mean"}, "positive number, but is 'mean'"),
        ({"t": 0}, "must be positive, but is 0"),
        ({"features": "l1"}, "features must be .* but is 'l1'"),
        ({"features": "l2"}, r"'sqrt_dim', here 1\.73, says nothing"),
        ({"entropy": "renyi"}, "entropy must be .* but is 'renyi'"),
        ({"entropy": "matrix_entry", "t": 3}, "knows no t, but t is 3"),
    ],
)
def test_options_of_dse_are_checked_here_too(options, message):
    with pytest.raises(InputError, match=message):
        dsmi(embeddings=np.ones((4, 3)), labels=[0, 0, 1, 1], **options)


def test_median_of_equal_images_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="between the 4 images is 0"):
        dsmi(embeddings=np.zeros((4, 3)), labels=[0, 0, 1, 1], bandwidth="median")


def test_l2_of_a_zero_embedding_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="but 1 of 4 are zero"):
        dsmi(
            embeddings=np.arange(4.0)[:, None],
            labels=[0, 0, 1, 1],
            features="l2",
            bandwidth=1,
        )
