import pytest
import torch
from torch import nn

from zoo_eval.transforms.removal import removable_blocks, removal, without


class Block(nn.Module):
    def __init__(self, n_in, n_out=None, factor=1.0):
        super().__init__()
        n_out = n_out or n_in
        self.body = nn.Sequential(nn.Conv2d(n_in, n_in, 1), nn.Conv2d(n_in, n_out, 1))
        self.skip = nn.Identity() if n_in == n_out else nn.Conv2d(n_in, n_out, 1)
        self.factor = factor

    def forward(self, x):
        return self.skip(x) + self.factor * self.body(x)


def network():
    torch.manual_seed(0)
    chain = nn.Sequential(Block(3), Block(3, 5), Block(5), Block(5, factor=0.0))
    return nn.Sequential(chain, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4)).eval()


IMAGES = [torch.randn(4, 3, 6, 6)]


def test_blocks_with_a_projection_cannot_be_removed():
    model = network()
    chain = model[0]
    assert removable_blocks(model, IMAGES) == [chain[0], chain[2], chain[3]]
    assert removable_blocks(nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU()), IMAGES) == []


def test_without_a_block_its_input_goes_on():
    model = network()
    chain, x = model[0], IMAGES[0]
    expected = model[3](model[2](model[1](chain[3](chain[1](chain[0](x))))))
    with without([chain[2]], IMAGES) as images:
        assert images is IMAGES
        assert torch.equal(model(x), expected)
    assert not torch.equal(model(x), expected)


def test_a_branch_that_adds_nothing_is_not_missed():
    model = network()
    before = model(IMAGES[0])
    with without([model[0][3]], IMAGES):
        torch.testing.assert_close(model(IMAGES[0]), before)


def test_a_forward_of_its_own_is_put_back():
    block = Block(3)
    block.forward = own = lambda x: 2 * x
    with without([block], IMAGES):
        assert torch.equal(block(IMAGES[0]), IMAGES[0])
    assert vars(block)["forward"] is own

    def fail():
        with without([block], IMAGES):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert vars(block)["forward"] is own


def test_one_more_at_every_level_up_to_half():
    order = [Block(3) for _ in range(7)]
    transform = removal(order)
    assert transform.levels == (0.0, 1.0, 2.0, 3.0)
    chosen = []
    for level in transform.levels:
        for changed in transform.at(nn.Identity(), IMAGES, level):
            with changed:
                chosen.append([place for place, b in enumerate(order) if "forward" in vars(b)])
    assert chosen[::2] == [[], [0], [0, 1], [0, 1, 2]]
    assert [len(places) for places in chosen[1::2]] == [0, 1, 2, 3]
    assert removal(order[:1]).levels == (0.0, 1.0)
