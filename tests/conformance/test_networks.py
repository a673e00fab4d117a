"""The checks of scores that run the network see what is left behind."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.conformance.bad_scores import as_score, failed, seen
from zoo_eval.conformance import examine
from zoo_eval.conformance.networks import NETWORKS, build, givens
from zoo_eval.quantities.module_state import in_mode

UNTOUCHED = {f"networks.{network}.untouched" for network in NETWORKS}
INTERRUPTED = {f"networks.{network}.interrupted" for network in NETWORKS}


def largest_logit(model, probe_images):
    with in_mode(model, "eval"), torch.no_grad():
        return float(model(probe_images).max())


def test_a_good_score_passes_all():
    assert not failed(examine(as_score(largest_logit)))


def test_a_copy_of_the_network_may_be_changed():
    def of_a_copy(model, probe_images):
        model = copy.deepcopy(model).eval()
        with torch.no_grad():
            return float(model(probe_images).max())

    assert not failed(examine(as_score(of_a_copy)))


def leaves_eval_mode(model, probe_images):
    with torch.no_grad():
        return float(model.eval()(probe_images).max())


def leaves_running_statistics(model, probe_images):
    flags = [module.training for module in model.modules()]
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        output = model.train()(probe_images)
    for module, flag in zip(model.modules(), flags, strict=True):
        module.training = flag
    return float((output[0] if isinstance(output, tuple) else output).max())


def leaves_gradients(model, probe_images):
    with in_mode(model, "eval"), torch.enable_grad():
        model(probe_images).max().backward()
    return 0.0


def leaves_the_gradient_mode(model):
    torch.set_grad_enabled(False)
    return 0.0


def thaws(model):
    model.requires_grad_(True)
    return 0.0


def leaves_a_forward(model):
    model.forward = model.forward
    return 0.0


def leaves_a_hook(model):
    model.head.register_forward_hook(lambda *_: None)
    return 0.0


def leaves_a_hook_on_a_weight(model):
    weight = model.head.weight
    weight.register_hook(lambda _: None) if weight.requires_grad else None
    return 0.0


def replaces_a_weight(model):
    model.head.weight = nn.Parameter(model.head.weight.detach().clone())
    return 0.0


def replaces_a_layer(model):
    model.head = copy.copy(model.head)
    return 0.0


def initialises(model):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        nn.init.normal_(model.head.bias)
    return 0.0


def sets_a_seed(model):
    torch.manual_seed(0)
    return 0.0


def centres_the_images(model, probe_images):
    probe_images -= probe_images.mean()
    return 0.0


BATCH_NORM = {"convolutions", "two_heads", "partly_frozen"}


@pytest.mark.parametrize(
    ("function", "networks", "what"),
    [
        (leaves_eval_mode, {"partly_frozen"}, "training flag of"),
        (leaves_running_statistics, BATCH_NORM, "buffer features.1.running_mean"),
        (leaves_gradients, set(NETWORKS), "gradient of "),
        (leaves_the_gradient_mode, set(NETWORKS), "torch.is_grad_enabled()"),
        (thaws, {"partly_frozen"}, "requires_grad of features.0.weight"),
        (leaves_a_forward, set(NETWORKS), "forward of the network"),
        (leaves_a_hook, set(NETWORKS), "hooks of head"),
        (leaves_a_hook_on_a_weight, set(NETWORKS), "hooks of head.weight"),
        (replaces_a_weight, set(NETWORKS), "parameter head.weight"),
        (replaces_a_layer, set(NETWORKS), "module head"),
        (initialises, set(NETWORKS), "parameter head.bias"),
        (sets_a_seed, set(NETWORKS), "torch's random generator"),
        (centres_the_images, set(NETWORKS), "probe_images"),
    ],
)
def test_what_is_left_behind(function, networks, what):
    findings = examine(as_score(function), only="networks")
    assert torch.is_grad_enabled()  # the checks took it back
    untouched = {f"networks.{network}.untouched" for network in networks}
    assert failed(findings) & UNTOUCHED == untouched
    for name in untouched:
        assert seen(findings, name).startswith("changed: ")
    assert any(what in seen(findings, name) for name in untouched)


def forgets_the_hook_in_an_exception(model, probe_images):
    hook = model.head.register_forward_hook(lambda *_: None)
    value = largest_logit(model, probe_images)
    hook.remove()
    return value


def changes_a_weight_between_two_passes(model, probe_images):
    first = largest_logit(model, probe_images)
    with torch.no_grad():
        before = model.head.bias.clone()
        model.head.bias.zero_()
        second = largest_logit(model, probe_images)
        model.head.bias.copy_(before)
    return first - second


@pytest.mark.parametrize(
    ("function", "n"),
    [(forgets_the_hook_in_an_exception, 1), (changes_a_weight_between_two_passes, 2)],
)
def test_what_an_exception_leaves_behind(function, n):
    findings = examine(as_score(function))
    assert failed(findings) == INTERRUPTED
    for name in INTERRUPTED:
        assert f"after an exception in forward pass {n}: " in seen(findings, name)


def test_dropout_makes_a_score_unrepeatable():
    def in_train_mode(model, probe_images):
        with torch.random.fork_rng(), in_mode(model, "eval"), torch.no_grad():
            torch.seed()
            return float(model.train()(probe_images)[0].max())

    findings = examine(as_score(in_train_mode))
    assert failed(findings) == {"networks.partly_frozen.repeatable"}


def test_two_heads_and_missing_attributes():
    def of_one_head(model, probe_images):
        with in_mode(model, "train"), torch.no_grad():
            return float(model(probe_images).max())

    def of_a_resnet(model):
        return float(model.fc.weight.max())

    findings = examine(as_score(of_one_head), only="networks.two_heads")
    assert "AttributeError: 'tuple' object has no" in seen(findings, "networks.two_heads")
    findings = examine(as_score(of_a_resnet))
    assert {f"networks.{network}" for network in NETWORKS} < failed(findings)


def test_embeddings_and_the_network_together():
    def both(model, embeddings, labels):
        weight = model.head.weight.detach().numpy()
        return float(np.abs(embeddings @ weight.T).sum()) + len(labels)

    findings = examine(as_score(both))
    assert not failed(findings)
    assert {f"networks.{network}" for network in NETWORKS} < {f.name for f in findings}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_networks(name):
    model = build(name)
    given = givens(model)
    images = given["probe_images"]
    model.eval()
    features = model.forward_features(images)
    assert model.forward_head(features, pre_logits=True).shape == (8, model.num_features)
    torch.testing.assert_close(model.forward_head(features), model(images))
    assert isinstance(model.train()(images), tuple) == (name == "two_heads")
    weights = [p.detach() for p in build(name).parameters()]
    assert all(map(torch.equal, weights, [p.detach() for p in build(name).parameters()]))
