import numpy as np
import pytest
import torch

from tests.scores.initialisation.data import clouds
from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import gradient_noise_gain
from zoo_eval.scores.initialisation._deep_head import DeepHead
from zoo_eval.scores.initialisation._heads import AnnealedNoise, cross_entropies, descend


def fresh(n):
    return [np.random.default_rng(head) for head in range(n)]


# 1. closed forms: the head


def test_from_zero_nothing_moves_without_noise_and_something_with_it():
    head, ids = DeepHead(4, 6, 5, 6), torch.arange(20)[None].repeat(2, 1) % 5
    z = torch.randn((2, 20, 4), generator=torch.Generator().manual_seed(0))

    def losses(now):
        return cross_entropies(head(now, z), ids)

    start = head.new("zeros", fresh(2))
    assert not start.any()
    plain = descend(start, losses, rate=0.1, steps=50)
    # Balanced classes: the loss stays at ln C.
    assert losses(plain).tolist() == pytest.approx([np.log(5)] * 2, rel=1e-6)
    assert not plain[:, :-5].any()
    noise = AnnealedNoise(0.3, fresh(2))
    assert descend(start, losses, rate=0.1, steps=1, noise=noise).all()


@pytest.mark.parametrize(("start", "first", "deviation"), [("tiny", 0, 0.01), ("he", 1, 0.1)])
def test_starts(start, first, deviation):
    head = DeepHead(200, 200, 3, 3)
    found = head.new(start, fresh(1))[0, first * 40_000 :][:40_000]
    assert float(found.std()) == pytest.approx(deviation, rel=0.02)
    assert not head.new(start, fresh(1))[0, -403:].any()  # biases


# 2. independent values


def test_the_head_is_a_chain_of_torchs_layers():
    head = DeepHead(4, 6, 3, 3)
    heads = head.new("he", fresh(2)) + 0.1
    layers = [torch.nn.Linear(4, 6), torch.nn.Linear(6, 6), torch.nn.Linear(6, 3)]
    weights = heads[1].split([24, 36, 18, 6, 6, 3])
    z = torch.randn((2, 5, 4), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for layer, weight, bias in zip(layers, weights[:3], weights[3:], strict=True):
            layer.weight.copy_(weight.reshape(layer.in_features, -1).T)
            layer.bias.copy_(bias)
        expected = layers[2](torch.relu(layers[1](torch.relu(layers[0](z[1])))))
    torch.testing.assert_close(head(heads, z)[1], expected, rtol=1e-4, atol=1e-5)


# 1. closed forms: the score


def test_no_variance_is_no_gain():
    z, labels = clouds()
    options = {"eta": 0.0, "steps": 20, "measure": "accuracy", "layers": 4, "heads": 3}
    for start in ("zeros", "tiny", "he"):
        found = gradient_noise_gain(embeddings=z, labels=labels, start=start, **options)
        assert (found, found.low, found.high) == (0, 0, 0)


def test_noise_wakes_a_deep_head_that_starts_at_zero():
    z, labels = clouds(signal=3.0)
    options = {"layers": 4, "steps": 200, "heads": 3}
    assert gradient_noise_gain(embeddings=z, labels=labels, **options) > 0.5
    assert gradient_noise_gain(embeddings=z, labels=labels, measure="accuracy", **options) > 0.3
    # With one layer there is nothing to wake: it learns without.
    assert gradient_noise_gain(embeddings=z, labels=labels, layers=1, heads=3) == 0


# 3. symmetries


def test_unchanged_by_scale_and_class_names():
    z, labels = clouds()
    options = {"layers": 3, "steps": 30, "heads": 3, "measure": "accuracy"}
    found = gradient_noise_gain(embeddings=z, labels=labels, **options)
    assert gradient_noise_gain(embeddings=8 * z, labels=labels * 3 + 2, **options) == found
    assert gradient_noise_gain(embeddings=z, labels=labels, seed=1, **options) != found


# 4. errors


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [("layers", 0, 1), ("steps", -1, 0), ("eta", -0.1, 0), ("shots", 0, 1), ("heads", 1, 2)],
)
def test_options_that_are_too_small(option, value, least):
    z, labels = clouds()
    with pytest.raises(InputError, match=f"{option} must be ≥ {least}, but is {value}"):
        gradient_noise_gain(embeddings=z, labels=labels, **{option: value})


@pytest.mark.parametrize(
    ("option", "known"), [("start", "zeros, tiny, he"), ("measure", "success, accuracy")]
)
def test_unknown_words(option, known):
    z, labels = clouds()
    with pytest.raises(InputError, match=f"{option} must be one of {known}, but is 'best'"):
        gradient_noise_gain(embeddings=z, labels=labels, **{option: "best"})


def test_small_classes_are_undefined():
    z, labels = clouds(per_class=10)
    with pytest.raises(ScoreUndefinedError, match=r"0 of 4 classes have more than 10; .* has 10"):
        gradient_noise_gain(embeddings=z, labels=labels)
