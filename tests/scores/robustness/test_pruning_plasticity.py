import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import prune

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.robustness._plasticity import halves_of
from zoo_eval.scores.robustness.pruning_plasticity import pruning_plasticity


def accuracy(model, half):
    with torch.no_grad():
        return float((model(half.images).argmax(1) == half.labels).double().mean())


def by_hand(model, halves, share, steps, rate):
    """With torch's own pruning, which keeps masks by another parametrisation."""
    training, test = halves
    before = accuracy(model, test)
    model = copy.deepcopy(model)
    layers = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    n = sum(layer.weight.numel() for layer in layers)
    prune.global_unstructured(
        [(layer, "weight") for layer in layers], prune.L1Unstructured, amount=int(n * share) + 1
    )
    optimiser = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    rng, places = np.random.default_rng(0), []
    while len(places) < steps:
        order = rng.permutation(len(training.labels))
        places += [order[i : i + 32] for i in range(0, len(order), 32)]
    for chosen in places[:steps]:
        optimiser.zero_grad()
        F.cross_entropy(model(training.images[chosen]), training.labels[chosen]).backward()
        optimiser.step()
    return accuracy(model, test) - before


def test_torch_s_own_pruning_and_a_plain_loop(trained):
    given = trained.givens("head_labels")
    halves = halves_of(given["images"], given["head_labels"])
    found = pruning_plasticity(**given, share=0.8, steps=5)
    at_once = pruning_plasticity(**given, share=0.8, steps=0)
    # 50 images: sums in another order may move one of them.
    assert found == pytest.approx(by_hand(trained.model, halves, 0.8, 5, 0.003), abs=0.021)
    assert at_once == pytest.approx(by_hand(trained.model, halves, 0.8, 0, 0.003), abs=0.021)
    assert at_once < -0.05
    assert found > at_once


def test_nothing_pruned_and_no_steps_is_nothing_lost(trained):
    assert pruning_plasticity(**trained.givens("head_labels"), share=0.0, steps=0) == 0


def test_halves_have_every_other_image_of_a_class():
    labels = np.array([2, 0, 2, 0, 1, 1, 2, 0, 1, 2])
    images = torch.arange(10.0).view(10, 1, 1, 1)
    first, second = halves_of(list(images.split(3)), labels)
    for half in (first, second):
        values = half.images.flatten().long().numpy()
        np.testing.assert_array_equal(labels[values], half.labels.numpy())
        np.testing.assert_array_equal(np.bincount(half.labels)[:2] >= 1, True)
    both = torch.cat([first.images, second.images]).flatten()
    assert sorted(both.tolist()) == list(range(10))
    assert len(first.labels) == len(second.labels) == 5


def test_of_many_images_512_are_taken_of_each_class_in_proportion():
    labels = np.arange(2000) % 4 // 3  # three quarters are of class 0
    images = (torch.full((1, 1, 1, 1), float(place)) for place in range(2000))
    halves = halves_of(images, labels)
    assert [len(half.labels) for half in halves] == [256, 256]
    for half in halves:
        assert abs(int(half.labels.sum()) - 64) <= 1
        values = half.images.flatten().long().numpy()
        np.testing.assert_array_equal(labels[values], half.labels.numpy())


def test_what_cannot_be_is_refused(trained):
    given = trained.givens("head_labels")
    with pytest.raises(InputError, match=r"share must be at least 0 and less than 1, but is 1\.0"):
        pruning_plasticity(**given, share=1.0)
    with pytest.raises(InputError, match="steps must be 0 or more, but is -1"):
        pruning_plasticity(**given, steps=-1)
    with pytest.raises(ScoreUndefinedError, match="classes do not include the dataset's"):
        pruning_plasticity(**trained.givens())
    with pytest.raises(ScoreUndefinedError, match="there is 1 image"):
        pruning_plasticity(**{**given, "head_labels": given["head_labels"][:1]})
