import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import label_cka
from zoo_eval.scores.transfer import label_cka as module


def data(n=30, d=6, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_cka(z, y, debiased):
    """The definition, with n × n matrices."""
    n = len(z)

    def centred(gram):
        if not debiased:
            h = np.eye(n) - 1 / n
            return h @ gram @ h
        gram = gram - np.diag(np.diag(gram))
        rows = gram.sum(axis=0) / (n - 2)
        gram = gram - rows - rows[:, None] + gram.sum() / ((n - 1) * (n - 2))
        return gram - np.diag(np.diag(gram))

    k, m = centred(z @ z.T), centred(y @ y.T)
    return np.sum(k * m) / np.sqrt(np.sum(k * k) * np.sum(m * m))


# 1. closed forms


@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize("sizes", [(3, 3), (2, 5, 4), (1, 1, 6)])
def test_one_hot_embeddings_give_one(debiased, sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    z = 7 * np.eye(len(sizes))[labels] + 3
    value = label_cka(embeddings=z, labels=labels, debiased=debiased)
    assert value == pytest.approx(1, rel=1e-9)


def test_independent_embeddings_give_zero():
    z = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    value = label_cka(embeddings=z, labels=np.array([0, 0, 1, 1]), debiased=False)
    assert value == pytest.approx(0, abs=1e-15)


def test_biased_of_a_signal_and_an_independent_feature():
    # Two orthogonal features of one length, of which the first is the class: 1 / √2.
    z = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    value = label_cka(embeddings=z, labels=np.array([0, 0, 1, 1]), debiased=False)
    assert value == pytest.approx(np.sqrt(0.5), rel=1e-12)


def test_noise_is_not_taken_for_knowledge_unless_biased():
    labels = np.arange(100) % 5
    z = np.random.default_rng(0).normal(size=(100, 1000))
    assert abs(label_cka(embeddings=z, labels=labels)) < 0.05
    assert label_cka(embeddings=z, labels=labels, debiased=False) == pytest.approx(0.19, abs=0.01)


# 2. independent values


def test_equals_the_official_debiased_code(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    value = label_cka(embeddings=z, labels=labels)
    parity.embeddings(case, "cka/linear_debiased/y", value)


@pytest.mark.parametrize("program", ["linear_biased", "ncti_utils_KA"])
def test_equals_the_official_biased_code(reference_embeddings, parity, case, program):
    z, labels, _ = reference_embeddings(case)
    value = label_cka(embeddings=z, labels=labels, debiased=False)
    parity.embeddings(case, f"cka/{program}/y", value)


def test_equals_the_official_code_with_logits_in_place_of_labels(
    reference_embeddings, parity, case
):
    # The same building block: squared norms of products, and lengths of the rows.
    z, _, logits = reference_embeddings(case)
    x, y = z - z.mean(axis=0), logits - logits.mean(axis=0)
    lengths = {"x": np.sum(x**2, axis=1), "y": np.sum(y**2, axis=1)}
    squares = {pair: np.sum((a.T @ b) ** 2) for pair, (a, b) in {
        ("x", "y"): (x, y), ("x", "x"): (x, x), ("y", "y"): (y, y)
    }.items()}  # fmt: skip
    biased = squares["x", "y"] / np.sqrt(squares["x", "x"] * squares["y", "y"])
    parity.embeddings(case, "cka/linear_biased/logits", biased)
    unbiased = {
        (a, b): module._unbiased_hsic(float(square), lengths[a], lengths[b])
        for (a, b), square in squares.items()
    }
    value = unbiased["x", "y"] / np.sqrt(unbiased["x", "x"] * unbiased["y", "y"])
    parity.embeddings(case, "cka/linear_debiased/logits", value)


@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize(("n", "d"), [(30, 6), (12, 40), (20, 20), (4, 1)])
def test_equals_the_slow_definition(n, d, debiased):
    z, labels = data(n, d)
    value = slow_cka(z, np.eye(3)[labels], debiased)
    assert label_cka(embeddings=z, labels=labels, debiased=debiased) == pytest.approx(
        value, rel=1e-9
    )


# 3. symmetries


@given(
    seed=st.integers(0, 2**32 - 1),
    exponent=st.integers(-20, 20),
    wide=st.booleans(),
    debiased=st.booleans(),
)
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, wide, debiased):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    assert label_cka(
        embeddings=moved[order], labels=renamed[order], debiased=debiased
    ) == pytest.approx(
        label_cka(embeddings=z, labels=labels, debiased=debiased), rel=1e-8, abs=1e-10
    )


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 100), d=st.integers(1, 30))
def test_at_most_one(seed, signal, d):
    z, labels = data(12, d, 4, seed, signal)
    assert -1 <= label_cka(embeddings=z, labels=labels) <= 1
    assert 0 <= label_cka(embeddings=z, labels=labels, debiased=False) <= 1


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"CKA .* but all 5 images"):
        label_cka(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_equal_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="vary, but all 6 are equal"):
        label_cka(embeddings=np.full((6, 3), 0.1), labels=np.arange(6) % 2)


def test_three_images_are_too_few():
    z, labels = np.array([[1.0], [2.0], [4.0]]), np.array([0, 0, 1])
    with pytest.raises(ScoreUndefinedError, match="4 or more images, but there are 3"):
        label_cka(embeddings=z, labels=labels)
    assert 0 < label_cka(embeddings=z, labels=labels, debiased=False) < 1


def test_equal_distances_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="embeddings of all 6 images are equally far"):
        label_cka(embeddings=np.eye(6), labels=np.arange(6) % 2)
    with pytest.raises(ScoreUndefinedError, match="classes of all 6 images are equally far"):
        label_cka(embeddings=data(6)[0], labels=np.arange(6))
