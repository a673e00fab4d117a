from torch import nn

from zoo_eval.scores.zero_cost.macs import macs


def test_closed_form():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 4, 5))
    assert macs(model=model, input_shape=(3, 4, 4)) == 8 * 3 * 9 * 4 + 32 * 5


def test_grows_with_the_area():
    model = nn.Conv2d(3, 4, 1)
    small, large = (macs(model=model, input_shape=(3, s, s)) for s in (10, 30))
    assert large == 9 * small


def test_published_program(case, parity):
    """torch counts multiplications and additions apart."""
    found = macs(model=case.model, input_shape=(3, 16, 16))
    parity.network(case, "flops/torch", found, scale=0.5)
    assert found == case.expected("macs/own")[0] + case.expected("macs_attention/own")[0]


def test_fvcore_counts_norms_and_pooling_too(case, parity):
    found = macs(model=case.model, input_shape=(3, 16, 16))
    counted = case.expectations["values"]["macs/fvcore"]["extra"]["by_operator"]
    kinds = ("batch_norm", "layer_norm", "adaptive_avg_pool2d")
    others = sum(counted.get(kind, 0) for kind in kinds)
    parity.network(case, "macs/fvcore", found + others)
