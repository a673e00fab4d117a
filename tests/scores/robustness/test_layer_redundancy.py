import copy

import numpy as np
import pytest
from torch import nn

from tests.scores.robustness.by_hand import cka, embeddings, without_branch, without_projection
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.robustness.layer_redundancy import layer_redundancy


def test_equals_switching_branches_off(deep):
    model = deep.model
    names = without_projection(model)
    before = embeddings(model, deep.batch)
    expected = [cka(before, embeddings(without_branch(model, n), deep.batch)) for n in names]
    assert len(names) == 4
    assert layer_redundancy(**deep.givens()) == pytest.approx(np.mean(expected), rel=1e-4)


def test_branches_that_add_nothing_are_redundant(deep):
    given = deep.givens()
    given["model"] = copy.deepcopy(given["model"])
    for block in given["model"].modules():
        if hasattr(block, "bn2"):
            nn.init.zeros_(block.bn2.weight)
            nn.init.zeros_(block.bn2.bias)
    assert layer_redundancy(**given) == pytest.approx(1, abs=1e-9)


def test_no_block(deep):
    class Plain(nn.Module):
        def forward(self, x):
            return self.forward_head(self.forward_features(x))

        def forward_features(self, x):
            return x.mean(dim=(2, 3))

        def forward_head(self, x, pre_logits=False):
            return x

    with pytest.raises(ScoreUndefinedError, match="Plain has no block that can be removed"):
        layer_redundancy(model=Plain(), images=deep.images)
