import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from zoo_eval.errors import InputError
from zoo_eval.scores.robustness._plasticity import halves_of, prune
from zoo_eval.scores.robustness.pruning_plasticity import pruning_plasticity
from zoo_eval.scores.robustness.regrow_gain import regrow_gain


@pytest.fixture(scope="module")
def halves(trained):
    given = trained.givens("head_labels")
    return halves_of(given["images"], given["head_labels"])


def weights_of(model):
    return [m.weight for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def masks_of(model, halves, share, regrown):
    model = copy.deepcopy(model)
    return prune(model, halves[0], share, regrown), weights_of(model)


def test_as_many_are_left_in_every_tensor(trained, halves):
    plain, _ = masks_of(trained.model, halves, 0.6, 0.0)
    grown, _ = masks_of(trained.model, halves, 0.6, 0.3)
    assert [int(m.sum()) for m in plain] == [int(m.sum()) for m in grown]
    assert any(not torch.equal(a, b) for a, b in zip(plain, grown, strict=True))


def test_those_that_come_back_have_the_largest_gradients_and_are_zero(trained, halves):
    left, _ = masks_of(trained.model, halves, 0.72, 0.0)  # 0.6 + 0.3 · 0.4
    grown, weights = masks_of(trained.model, halves, 0.6, 0.3)
    sparse = copy.deepcopy(trained.model).eval()
    for mask, weight in zip(left, weights_of(sparse), strict=True):
        weight.data *= mask
    F.cross_entropy(sparse(halves[0].images), halves[0].labels).backward()
    for kept, after, weight, own in zip(left, grown, weights, weights_of(sparse), strict=True):
        new = after & ~kept
        assert (after & kept).sum() == kept.sum()
        assert not weight[new].any()
        assert torch.equal(weight[kept], own[kept])
        if new.any():
            slack = 1e-5 * float(own.grad.abs().max())  # sums in another order
            assert own.grad[new].abs().min() >= own.grad[~after].abs().max() - slack


def test_the_difference_of_two_plasticities(trained):
    given = trained.givens("head_labels")
    assert regrow_gain(**given, regrown=0.0, steps=2) == 0
    # At a learning rate of 0 what came back stays zero: as if more had been pruned.
    found = regrow_gain(**given, share=0.6, regrown=0.3, rate=0.0, steps=1)
    more, less = (pruning_plasticity(**given, share=p, steps=0) for p in (0.72, 0.6))
    assert found == pytest.approx(more - less)


def test_a_share_is_a_share(trained):
    with pytest.raises(
        InputError, match=r"regrown must be at least 0 and less than 1, but is 1\.5"
    ):
        regrow_gain(**trained.givens("head_labels"), regrown=1.5)
