import pytest

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.blocks import BlockStatistics, block_statistics
from zoo_eval.scores.zero_cost.az_nas_progressivity import az_nas_progressivity


def test_the_least_growth():
    assert az_nas_progressivity(BlockStatistics((1.0, 3.0, 2.5, 4.0), ())) == -0.5


def test_a_network(small_blocks, batch):
    first, second = block_statistics(small_blocks, batch[0]).entropies
    found = az_nas_progressivity(model=small_blocks, probe_images=batch[0])
    assert found == pytest.approx(second - first, rel=1e-12)


def test_one_block():
    with pytest.raises(ScoreUndefinedError, match="needs two blocks, but there is one"):
        az_nas_progressivity(BlockStatistics((1.0,), (1.0,)))
