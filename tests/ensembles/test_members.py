"""Halves, temperatures, and who may be a member."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from zoo_eval.ensembles.halves import halves
from zoo_eval.ensembles.members import Members
from zoo_eval.ensembles.temperature import temperature
from zoo_eval.errors import InputError


@given(st.lists(st.integers(0, 4), min_size=2, max_size=60), st.integers(0, 99))
def test_halves_have_each_image_once_and_each_class_alike(classes, seed):
    labels = np.array(classes)
    choosing, judging = halves(labels, seed)
    assert sorted([*choosing, *judging]) == list(range(len(labels)))
    assert 0 <= len(choosing) - len(judging) <= 1
    counts = [np.bincount(labels[half], minlength=5) for half in (choosing, judging)]
    assert np.abs(counts[0] - counts[1]).max() <= 1


def test_halves_are_the_same_every_time_and_depend_on_the_seed():
    labels = np.arange(40) % 4
    assert halves(labels).choosing.tolist() == halves(labels).choosing.tolist()
    assert halves(labels).choosing.tolist() != halves(labels, 1).choosing.tolist()
    with pytest.raises(InputError, match="but there are 1"):
        halves(np.zeros(1, np.int64))


@pytest.mark.parametrize("true", [0.25, 1.0, 3.0])
def test_the_temperature_of_labels_drawn_at_it(true):
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((20_000, 5)) * 3
    cumulated = softmax(logits / true, axis=1).cumsum(axis=1)
    labels = (rng.random((20_000, 1)) > cumulated).sum(axis=1).clip(max=4)
    found = temperature(logits, labels)
    assert found == pytest.approx(true, rel=0.05)
    # On a grid none is more likely.
    losses = [
        -log_softmax(logits / t, axis=1)[np.arange(len(labels)), labels].mean()
        for t in (found, *np.geomspace(0.1, 8, 40))
    ]
    assert losses[0] <= min(losses[1:]) + 1e-6


def test_members_are_calibrated_on_the_choosing_half_alone():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 4
    logits = {name: 5 * rng.standard_normal((200, 4)) for name in "ab"}
    members = Members.of(logits, labels)
    other = {name: z.copy() for name, z in logits.items()}
    for z in other.values():
        z[members.halves.judging] *= -3
    assert Members.of(other, labels).temperatures == members.temperatures
    for name, z in logits.items():
        np.testing.assert_allclose(
            members.calibrated[name], softmax(z / members.temperatures[name], axis=1), rtol=1e-6
        )
        np.testing.assert_allclose(members.plain[name], softmax(z, axis=1), rtol=1e-6)


def test_who_is_no_member():
    z = np.zeros((4, 3))
    with pytest.raises(InputError, match="two networks, but there are 1"):
        Members.of({"a": z}, np.zeros(4, np.int64))
    with pytest.raises(InputError, match=r"a has \(4, 3\) and b \(4, 2\)"):
        Members.of({"a": z, "b": z[:, :2]}, np.zeros(4, np.int64))
    with pytest.raises(InputError, match="there are 5 labels"):
        Members.of({"a": z, "b": z}, np.zeros(5, np.int64))
