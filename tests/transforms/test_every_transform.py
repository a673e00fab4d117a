"""What every transform promises: zero level, no trace, a control that is as large."""

import numpy as np
import pytest
import torch

from zoo_eval.conformance.networks import NETWORKS, build, givens
from zoo_eval.conformance.trace import differences, snapshot
from zoo_eval.quantities.forward import forward_pass
from zoo_eval.transforms.codebook import CODEBOOK
from zoo_eval.transforms.jpeg import jpeg
from zoo_eval.transforms.lowpass import LOWPASS
from zoo_eval.transforms.noise import noise
from zoo_eval.transforms.pruning import PRUNING
from zoo_eval.transforms.rational import RATIONAL
from zoo_eval.transforms.shift import SHIFT
from zoo_eval.transforms.spiking import SPIKING

OF_WEIGHTS = {"codebook": CODEBOOK, "shift": SHIFT, "pruning": PRUNING, "noise": noise(0)}
TRANSFORMS = {**OF_WEIGHTS, "lowpass": LOWPASS, "rational": RATIONAL, "spiking": SPIKING}


def weights(model):
    return [p.detach().clone() for p in model.parameters()]


@pytest.mark.parametrize("name", ["pruning", "noise"])
def test_the_level_at_which_nothing_changes(name):
    # The bits of quantisers end below 32: there is no level to try.
    transform, model = TRANSFORMS[name], build("convolutions")
    before = weights(model)
    with transform.at(model, [], transform.none).transformed:
        assert all(map(torch.equal, before, model.parameters()))


def test_a_low_pass_that_lets_everything_through():
    batches = list(torch.randn(4, 3, 9, 8).split(2))
    with LOWPASS.at(build("convolutions"), batches, LOWPASS.none).transformed as changed:
        torch.testing.assert_close(list(changed), batches, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_everything_is_put_back_bit_for_bit(name, network, fails):
    model = build(network)
    given = givens(model)
    transform = TRANSFORMS[name]
    before = snapshot(given)
    if name == "spiking" and network in ("no_norms", "tokens"):
        pytest.skip("spikes stand for ReLU alone")
    for changed in transform.at(model, given["images"], transform.levels[-1]):
        if changed is None:
            continue
        try:
            with changed as images:
                forward_pass(model, images)
                if fails:
                    raise KeyError
        except KeyError:
            pass
        assert not differences(before, snapshot(given))


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_weights_are_changed_and_norms_and_biases_are_not(name):
    model = build("convolutions")
    before = dict(model.named_parameters())
    before = {key: value.detach().clone() for key, value in before.items()}
    with OF_WEIGHTS[name].at(model, [], OF_WEIGHTS[name].levels[-1]).transformed:
        for key, value in model.named_parameters():
            assert torch.equal(value, before[key]) == (value.ndim == 1)


@pytest.mark.parametrize("name", ["codebook", "shift"])
def test_the_control_is_as_large_in_every_tensor(name):
    transform, model = TRANSFORMS[name], build("tokens")
    before = weights(model)
    for level in transform.levels:
        sizes = []
        for changed in transform.at(model, [], level):
            with changed:
                sizes.append(
                    [
                        float((p.detach() - b).norm())
                        for p, b in zip(model.parameters(), before, strict=True)
                    ]
                )
        np.testing.assert_allclose(*sizes, rtol=1e-4)
        assert max(sizes[0]) > 0


@pytest.mark.parametrize("name", ["lowpass", "jpeg"])
def test_the_control_is_as_large_in_every_image(name):
    given = givens(build("convolutions"))
    transform = jpeg(given["altered_images"]) if name == "jpeg" else LOWPASS
    sizes = []
    for changed in transform.at(given["model"], given["images"], transform.levels[-1]):
        with changed as images:
            change = torch.cat(list(images)) - torch.cat(given["images"])
            sizes.append(change.flatten(1).norm(dim=1).numpy())
    np.testing.assert_allclose(*sizes, rtol=1e-4)
    assert sizes[0].min() > 0


def test_the_control_does_not_depend_on_the_size_of_batches():
    images, model = torch.randn(6, 3, 8, 8), build("convolutions")
    found = []
    for size in (1, 4):
        with LOWPASS.at(model, list(images.split(size)), 0.3).control as changed:
            found.append(torch.cat(list(changed)))
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)


def test_changed_images_keep_their_precision():
    class Half(list):
        precision = "bf16"

    for changed in LOWPASS.at(build("convolutions"), Half([torch.randn(1, 3, 8, 8)]), 0.5):
        with changed as images:
            assert images.precision == "bf16"
