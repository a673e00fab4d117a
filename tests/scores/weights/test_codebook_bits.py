import pytest
import torch
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.weights.codebook_bits import codebook_bits
from zoo_eval.transforms.codebook import codebook


@pytest.mark.parametrize("k", [2, 4, 8, 16])
def test_bytes_that_are_really_needed(k):
    """Pack the places in the codebook to bits, and count."""
    import numpy as np

    layer = nn.Linear(40, 24)
    values = layer.weight.detach().flatten().numpy()
    entries = codebook(values, k).astype(np.float32)
    places = np.abs(values[:, None] - entries).argmin(axis=1).astype(np.uint8)
    bits = np.unpackbits(places[:, None], axis=1)[:, -int(np.log2(k)) :]
    n_bytes = np.packbits(bits).nbytes + entries.nbytes
    assert codebook_bits(layer, k=k) == 8 * n_bytes / len(values)


def test_small_tensors_stay_as_they_are():
    # 4 weights: 4 · 4 + 16 · 32 bits would be more than 4 · 32.
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(64, 32))
    assert codebook_bits(model) == (4 * 32 + 2048 * 4 + 512) / 2052


def test_a_number_that_is_no_power_of_two_is_rounded_up_to_bits():
    assert codebook_bits(nn.Linear(100, 100), k=5) == 3 + 5 * 32 / 10_000


def test_the_weights_do_not_matter():
    layer = nn.Linear(50, 50)
    before = codebook_bits(layer)
    layer.weight.data = torch.zeros(50, 50)
    assert codebook_bits(layer) == before


def test_refusals():
    with pytest.raises(InputError, match="k must be a whole number from 1 up, but is -1"):
        codebook_bits(nn.Linear(2, 2), k=-1)
    with pytest.raises(ScoreUndefinedError, match="Flatten has no convolution"):
        codebook_bits(nn.Flatten())
