"""The heads' laboratory: gradient descent, noise and draws against closed forms."""

import numpy as np
import pytest
import torch

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd, centred_svd
from zoo_eval.scores.initialisation._heads import (
    AnnealedNoise,
    accuracies,
    coordinates,
    cross_entropies,
    descend,
    few_labels,
    parts,
)


def quadratic(centres, curvature):
    return lambda heads: curvature / 2 * ((heads - centres) ** 2).sum(dim=1)


def generators(n, seed=0):
    return [np.random.default_rng([seed, head]) for head in range(n)]


def test_descent_on_quadratics():
    # w_t = c + (1 − a h)^t (w_0 − c), each head towards its own centre.
    centres = torch.tensor([[1.0, -2.0], [3.0, 0.5]], dtype=torch.float64)
    start = torch.tensor([[5.0, 5.0], [0.0, -1.0]], dtype=torch.float64)
    ends = descend(start, quadratic(centres, 2.0), rate=0.1, steps=7)
    torch.testing.assert_close(ends, centres + 0.8**7 * (start - centres), rtol=1e-12, atol=0)
    assert torch.equal(descend(start, quadratic(centres, 2.0), rate=0.1, steps=0), start)


def test_long_gradients_are_shortened_and_short_ones_are_not():
    centres = torch.zeros((2, 2), dtype=torch.float64)
    start = torch.tensor([[30.0, 40.0], [0.3, 0.4]], dtype=torch.float64)  # lengths 50 and ½
    ends = descend(start, quadratic(centres, 1.0), rate=1.0, steps=1, longest=10.0)
    expected = torch.tensor([[24.0, 32.0], [0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(ends, expected)


def test_noise_is_annealed():
    noise = AnnealedNoise(0.3, generators(2))
    assert noise.deviation(0) ** 2 == pytest.approx(0.3, rel=1e-12)
    assert noise.deviation(31) ** 2 == pytest.approx(0.3 / 32**0.55, rel=1e-12)
    drawn = noise.draw(31, 100_000)
    assert drawn.std(dim=1).tolist() == pytest.approx([noise.deviation(31)] * 2, rel=0.01)
    assert not torch.equal(drawn[0], drawn[1])


def test_variance_on_a_quadratic_follows_its_recursion():
    # Var_{t+1} = (1 − a h)² Var_t + a² s_t², over 4,000 weights of 2 heads.
    start, steps = torch.zeros((2, 4000)), 20
    noise = AnnealedNoise(0.3, generators(2))
    ends = descend(start, quadratic(start, 0.7), rate=0.4, steps=steps, noise=noise)
    variance = 0.0
    for step in range(steps):
        variance = (1 - 0.4 * 0.7) ** 2 * variance + 0.4**2 * 0.3 / (1 + step) ** 0.55
    assert float(ends.var()) == pytest.approx(variance, rel=0.06)  # 4 standard errors


def test_no_variance_is_no_noise_to_the_bit():
    start = torch.randn((3, 5), generator=torch.Generator().manual_seed(0))
    losses = quadratic(torch.ones((3, 5)), 1.0)
    plain = descend(start, losses, rate=0.3, steps=9)
    with_none = AnnealedNoise(0.0, generators(3))
    assert torch.equal(descend(start, losses, rate=0.3, steps=9, noise=with_none), plain)


def test_a_heads_noise_does_not_depend_on_the_others():
    two, three = (AnnealedNoise(1.0, generators(n)) for n in (2, 3))
    assert torch.equal(two.draw(0, 4), three.draw(0, 4)[:2])


def test_parts_are_views_in_order():
    heads = torch.arange(20.0).reshape(2, 10)
    weight, bias = parts(heads, [(2, 3), (4,)])
    assert weight[1].tolist() == [[10, 11, 12], [13, 14, 15]]
    assert bias[0].tolist() == [6, 7, 8, 9]
    assert weight.data_ptr() == heads.data_ptr()


def test_losses_and_accuracies_equal_torchs():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((3, 20, 4), generator=generator)
    ids = torch.randint(4, (3, 20), generator=generator)
    for head in range(3):
        loss = torch.nn.functional.cross_entropy(logits[head], ids[head])
        assert float(cross_entropies(logits, ids)[head]) == pytest.approx(float(loss), rel=1e-5)
        right = float((logits[head].argmax(dim=1) == ids[head]).double().mean())
        assert accuracies(logits, ids)[head] == pytest.approx(right, rel=1e-12)


def test_ties_share_and_overflow_is_wrong():
    logits = torch.tensor([[[1.0, 1.0, 0.0]], [[float("nan")] * 3]])
    assert accuracies(logits, torch.zeros((2, 1), dtype=torch.int64)).tolist() == [0.5, 0]


def test_few_labels_are_balanced_and_apart():
    labels = np.repeat([7, 3, 9, 5], [12, 4, 30, 5])
    few = few_labels(labels, "It", shots=4, heads=3, seed=0)
    assert few.n_classes == 3  # the class of 4 has none left to be judged by
    assert few.kept.tolist() == [i for i in range(51) if labels[i] != 3]
    for train, test in zip(few.train, few.test, strict=True):
        assert np.bincount(few.ids[train]).tolist() == [4, 4, 4]
        assert sorted([*train, *test]) == list(range(47))
    assert set(few.train[0]) != set(few.train[1])
    assert len(np.unique(np.stack([few.ids, labels[few.kept]], axis=1), axis=0)) == 3


@pytest.mark.parametrize(("name", "value", "least"), [("shots", 0, 1), ("heads", 1, 2)])
def test_options_that_are_too_small(name, value, least):
    options = {"shots": 2, "heads": 2, name: value}
    with pytest.raises(InputError, match=f"{name} must be ≥ {least}, but is {value}"):
        few_labels(np.arange(20) % 2, "It", seed=0, **options)


def test_too_small_classes_are_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"1 of 2 classes have more than 4; .* has 6"):
        few_labels(np.repeat([0, 1], [6, 4]), "It", shots=4, heads=2, seed=0)


def test_coordinates_are_principal_axes_with_largest_variance_1():
    z = np.random.default_rng(0).normal(size=(50, 6)) * np.arange(1, 7) + 3
    found = coordinates(centred_svd(z), 4)
    values = np.linalg.eigvalsh(np.cov(z.T, ddof=0))[::-1]
    np.testing.assert_allclose(
        found.T @ found / 50, np.diag(values[:4] / values[0]), rtol=1e-5, atol=1e-6
    )


def test_equal_embeddings_have_no_coordinates():
    svd = ThinSvd(np.zeros((5, 0)), np.zeros(0), 3)
    with pytest.raises(ScoreUndefinedError, match="All 5 embeddings are equal"):
        coordinates(svd, 4)
