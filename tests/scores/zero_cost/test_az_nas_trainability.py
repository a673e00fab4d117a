import pytest

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.blocks import BlockStatistics
from zoo_eval.scores.zero_cost.az_nas_trainability import az_nas_trainability


@pytest.mark.parametrize(
    ("gains", "expected"),
    [((1.0,), 0.0), ((2.0,), -0.5), ((0.5, 1.0), -0.25), ((0.0,), 2 - 1e6)],
)
def test_closed_form(gains, expected):
    found = az_nas_trainability(BlockStatistics((0.0,), gains))
    assert found == pytest.approx(expected, rel=1e-5, abs=3e-6)  # ε = 1e-6 beside σ


def test_a_network(small_blocks, batch):
    found = az_nas_trainability(model=small_blocks, probe_images=batch[0])
    assert -1e6 < found <= 2e-6
    assert az_nas_trainability(model=small_blocks, probe_images=batch[0]) == found


def test_no_block_with_a_gain():
    with pytest.raises(ScoreUndefinedError, match="None of the 3 blocks"):
        az_nas_trainability(BlockStatistics((0.0, 0.0, 0.0), ()))
