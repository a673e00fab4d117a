import pytest
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.weights.kernel_share import kernel_share

MODEL = nn.Sequential(
    nn.Conv2d(3, 8, 3),  # 216
    nn.BatchNorm2d(8),
    nn.Conv2d(8, 8, 5, groups=8),  # 200
    nn.Conv2d(8, 4, 1),  # 32
    nn.Conv2d(4, 4, (1, 7)),  # 112
    nn.Linear(4, 10),  # 40
)


@pytest.mark.parametrize(("size", "weights"), [(1, 72), (3, 216), (5, 200), (7, 112), (2, 0)])
def test_shares_by_hand(size, weights):
    assert kernel_share(MODEL, size=size) == weights / 600


def test_shares_add_up():
    assert sum(kernel_share(MODEL, size=size) for size in range(1, 8)) == pytest.approx(1)


def test_refusals():
    with pytest.raises(InputError, match="size must be a whole number from 1 up, but is 0"):
        kernel_share(MODEL, size=0)
    with pytest.raises(ScoreUndefinedError, match="BatchNorm2d has no convolution"):
        kernel_share(nn.BatchNorm2d(3))
