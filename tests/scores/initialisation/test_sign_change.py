import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.initialisation.sign_change import sign_change


def layer(rows):
    found = nn.Linear(len(rows[0]), len(rows))
    found.weight.data.copy_(torch.tensor(rows))
    return found


def test_by_counting():
    before = layer([[1.0, -2.0, 3.0], [0.0, 5.0, -6.0]])
    now = layer([[0.1, 2.0, 0.0], [7.0, -1.0, -9.0]])
    # 1, −2, 5 and −6 are zero neither now nor then; −2 and 5 changed.
    assert sign_change(now, before) == 2 / 4


def test_opposite_networks_and_the_same_one():
    before = nn.Conv2d(3, 4, 3)
    now = nn.Conv2d(3, 4, 3)
    now.weight.data.copy_(-before.weight)
    assert sign_change(now, before) == 1
    assert sign_change(before, before) == 0


def test_unrelated_networks_have_one_half():
    torch.manual_seed(0)
    found = sign_change(nn.Linear(300, 200), nn.Linear(300, 200))
    assert found == pytest.approx(0.5, abs=4 / np.sqrt(4 * 60_000))


def test_no_weight_to_compare():
    with pytest.raises(ScoreUndefinedError, match="not zero at the start and now"):
        sign_change(layer([[0.0, 1.0]]), layer([[1.0, 0.0]]))
