import numpy as np
import pytest

from zoo_eval.scores.initialisation.representation_alignment import representation_alignment

RNG = np.random.default_rng(0)
H, H0 = RNG.gamma(1.0, size=(12, 5)), RNG.gamma(1.0, size=(12, 30))


def by_definition(h, h0, centred):
    if centred:
        h, h0 = h - h.mean(axis=0), h0 - h0.mean(axis=0)
    k, k0 = h @ h.T, h0 @ h0.T
    return np.sum(k * k0) / np.sqrt(np.sum(k * k) * np.sum(k0 * k0))


@pytest.mark.parametrize("centred", [False, True])
def test_cosine_of_kernels(centred):
    for pair in ((H, H0), (H0, H), (H0, 1 + H0**2)):
        found = representation_alignment(*pair, centred=centred)
        assert found == pytest.approx(by_definition(*pair, centred), rel=1e-12)


@pytest.mark.parametrize("centred", [False, True])
def test_unchanged_by_rotation_scale_and_the_order_of_images(centred):
    rotation = np.linalg.qr(RNG.normal(size=(30, 30)))[0]
    order = RNG.permutation(12)
    found = representation_alignment(H[order], 1e200 * (H0 @ rotation)[order], centred=centred)
    assert found == pytest.approx(representation_alignment(H, H0, centred=centred), rel=1e-9)
    assert representation_alignment(H0 @ rotation, H0, centred=centred) == pytest.approx(1)


def test_a_common_direction_hides_differences_unless_it_is_taken_off():
    assert representation_alignment(H + 100, H0 + 100) > 0.999
    assert representation_alignment(H + 100, H0 + 100, centred=True) < 0.9


def test_orthogonal_kernels():
    first, second = np.eye(4)[:, :2], np.eye(4)[:, 2:]
    assert representation_alignment(first, second) == 0
    assert representation_alignment(np.zeros((4, 2)), second) == 0
