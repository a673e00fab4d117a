import numpy as np
import pytest
import torch

import zoo_eval.scores.initialisation.meta_head_gain as module
from tests.scores.initialisation.data import clouds
from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import Estimate, meta_head_gain
from zoo_eval.scores.initialisation._prototypes import PrototypeHead
from zoo_eval.scores.initialisation._reptile import reptile

# 1. closed forms: Reptile


def quadratics(centres):
    """Tasks ‖w − c‖² / 2, the same in each round."""
    return lambda: lambda heads: ((heads - centres) ** 2).sum(dim=1) / 2


def test_reptile_on_quadratics_goes_to_the_mean_of_the_optima():
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn((6, 3), generator=generator, dtype=torch.float64)
    start = torch.randn((2, 3), generator=generator, dtype=torch.float64)
    means = centres.reshape(2, 3, 3).mean(dim=1)
    options = {"tasks": 3, "inner_rate": 0.2, "inner_steps": 4}
    after = reptile(start, quadratics(centres), rounds=5, **options)
    # Each round takes (1 − a)^N of what is left, whatever the single tasks do.
    torch.testing.assert_close(after, means + 0.8**20 * (start - means), rtol=1e-12, atol=1e-14)
    assert torch.equal(reptile(start, quadratics(centres), rounds=0, **options), start)


def test_reptile_on_one_task_goes_to_its_optimum():
    centre = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    start = torch.zeros((1, 2), dtype=torch.float64)
    found = reptile(start, quadratics(centre), tasks=1, rounds=50, inner_rate=0.5, inner_steps=10)
    torch.testing.assert_close(found, centre, rtol=1e-12, atol=0)


# 2. independent values: the head


def slow_loss(z):
    """Cross-entropy of 10 cosines, each shot left out of its own prototype."""
    losses = []
    for c, shots in enumerate(z):
        for i, shot in enumerate(shots):
            logits = []
            for other, of_class in enumerate(z):
                kept = np.delete(of_class, i, axis=0) if other == c else of_class
                mean = kept.mean(axis=0)
                logits.append(10 * shot @ mean / np.linalg.norm(shot) / np.linalg.norm(mean))
            losses.append(np.log(np.sum(np.exp(logits))) - logits[c])
    return np.mean(losses)


def test_losses_equal_the_slow_definition():
    head = PrototypeHead(6, 2)
    heads = head.new([np.random.default_rng(i) for i in range(2)])
    z = torch.randn((2, 3, 4, 6), generator=torch.Generator().manual_seed(0))
    expected = [slow_loss(one) for one in z.double().numpy()]  # U = 0 changes nothing
    assert head.losses(heads, z).tolist() == pytest.approx(expected, rel=1e-5)
    up, down = torch.randn((2, 12), generator=torch.Generator().manual_seed(1)).split(1)
    changed = z[:1] + z[:1] @ down.reshape(6, 2) @ up.reshape(2, 6)
    found = head.losses(torch.cat([up, down], dim=1), z[:1])
    assert found.tolist() == pytest.approx([slow_loss(changed[0].double().numpy())], rel=1e-4)


def test_logits_are_cosines_with_prototypes():
    head = PrototypeHead(5, 2)
    heads = head.new([np.random.default_rng(0)])
    shots, queries = torch.randn((2, 1, 3, 4, 5), generator=torch.Generator().manual_seed(0))
    found = head.logits(heads, shots, queries)
    means = shots[0].mean(dim=1)
    expected = 10 * torch.cosine_similarity(queries[0].reshape(12, 1, 5), means, dim=2)
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)


# 1. closed forms: the score


def test_no_rounds_are_no_gain(monkeypatch):
    monkeypatch.setattr(module, "_ROUNDS", 0)
    z, labels = clouds()
    for steps in (0, 5):
        found = meta_head_gain(embeddings=z, labels=labels, steps=steps, episodes=5)
        assert (found, found.low, found.high) == (0, 0, 0)


def test_gain_where_classes_differ_along_few_axes_in_much_noise():
    # What some classes teach, that only the last axes tell classes apart, serves the others.
    rng = np.random.default_rng(0)
    labels = np.arange(240) % 12
    z = rng.normal(size=(240, 20)) * np.r_[np.full(17, 3.0), np.full(3, 0.3)]
    z[:, 17:] += 1.5 * rng.normal(size=(12, 3))[labels]
    found = meta_head_gain(embeddings=z, labels=labels, ways=3, steps=0)
    assert isinstance(found, Estimate)
    assert found > 0.02


# 3. symmetries


def test_unchanged_by_scale_and_other_with_another_seed():
    z, labels = clouds()
    found = meta_head_gain(embeddings=z, labels=labels, episodes=5)
    assert meta_head_gain(embeddings=8 * z, labels=labels * 3 + 2, episodes=5) == found
    others = {meta_head_gain(embeddings=z, labels=labels, episodes=5, seed=s) for s in range(4)}
    assert len(others) > 1


# 4. errors


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [
        *(("ways", 1, 2), ("shots", 1, 2), ("queries", 0, 1), ("steps", -1, 0)),
        *(("rank", 0, 1), ("episodes", 0, 1), ("splits", 1, 2)),
    ],
)
def test_options_that_are_too_small(option, value, least):
    z, labels = clouds()
    with pytest.raises(InputError, match=f"{option} must be ≥ {least}, but is {value}"):
        meta_head_gain(embeddings=z, labels=labels, **{option: value})


def test_too_few_classes_are_undefined():
    z, labels = clouds(classes=5)
    with pytest.raises(ScoreUndefinedError, match=r"3 classes .* 3 others .* but 5 of 5 .* has 20"):
        meta_head_gain(embeddings=z, labels=labels, ways=3)
    with pytest.raises(ScoreUndefinedError, match=r"with 16 \+ 5 images, but 0 of 5 .* has 20"):
        meta_head_gain(embeddings=z, labels=labels, shots=16)
