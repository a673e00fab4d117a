import pytest

from zoo_eval.quantities.blocks import BlockStatistics
from zoo_eval.scores.zero_cost.az_nas_expressivity import az_nas_expressivity


def test_the_sum_of_the_entropies():
    assert az_nas_expressivity(BlockStatistics((0.5, 1.25, 0.0), ())) == 1.75


def test_a_network(small_blocks, batch):
    found = az_nas_expressivity(model=small_blocks, probe_images=batch[0])
    flipped = az_nas_expressivity(model=small_blocks, probe_images=batch[0].flip(0))
    assert found == pytest.approx(flipped, rel=1e-12)
    assert 0 < found < 2 * 1.7917594692280550  # two blocks of 6 channels: at most 2 ln 6
