import numpy as np
import pytest
import torch

from zoo_eval.conformance.networks import FuseBlown, build, givens
from zoo_eval.quantities.forward import forward_pass
from zoo_eval.quantities.response import Response, response
from zoo_eval.quantities.sweep import sweep
from zoo_eval.quantities.sweeps import noise_sweep
from zoo_eval.transforms.noise import noise
from zoo_eval.transforms.pruning import PRUNING
from zoo_eval.transforms.weights import weight_transform

GIVEN = givens(build("convolutions"))
MODEL, IMAGES, LABELS = GIVEN["model"], GIVEN["images"], GIVEN["labels"]


def test_one_response_per_level_to_the_transform_and_to_its_control():
    before = forward_pass(MODEL, IMAGES)
    found = sweep(PRUNING, MODEL, IMAGES, before, LABELS)
    assert found.untouched == response(before, before, LABELS)
    assert found.transformed[0] == found.controls[0] == found.untouched  # nothing is pruned there
    for level, *pair in list(zip(PRUNING.levels, found.transformed, found.controls, strict=True))[
        1:
    ]:
        for changed, seen in zip(PRUNING.at(MODEL, IMAGES, level), pair, strict=True):
            with changed as images:
                after = forward_pass(MODEL, images)
            assert seen == response(before, after, LABELS)


def test_a_network_that_overflows_answers_nothing():
    def blow_up(weights, level):
        return [weight * level for weight in weights]

    transform = weight_transform(blow_up, (1.0, 1e38), 1.0, control=None)
    before = forward_pass(MODEL, IMAGES)
    found = sweep(transform, MODEL, IMAGES, before, None)
    assert found.transformed == (found.untouched, Response(0.0, 0.0, 0.0, None))
    assert found.controls == ()


def test_an_error_of_the_network_is_not_taken_for_an_answer():
    model = build("convolutions", blows_at=4)
    before = forward_pass(model, IMAGES)
    weights = [p.detach().clone() for p in model.parameters()]
    with pytest.raises(FuseBlown):
        sweep(PRUNING, model, IMAGES, before, None)
    assert all(map(torch.equal, weights, model.parameters()))


def test_noise_is_averaged_over_draws():
    before = forward_pass(MODEL, IMAGES)
    draws = [sweep(noise(seed), MODEL, IMAGES, before, LABELS) for seed in range(3)]
    found = noise_sweep(MODEL, IMAGES, before, LABELS)
    for name in ("agreement", "fidelity", "cka", "accuracy"):
        expected = np.mean([[getattr(r, name) for r in d.transformed] for d in draws], axis=0)
        np.testing.assert_allclose([getattr(r, name) for r in found.transformed], expected)
    assert noise_sweep(MODEL, IMAGES, before, None).transformed[0].accuracy is None
