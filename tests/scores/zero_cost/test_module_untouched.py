"""Scores that run the network, on small networks of timm: its own layers, pads and caches.

The hand-made networks, exceptions in the middle of a pass included, are in
zoo_eval/conformance and tests/scores/test_conformance.py.
"""

import numpy as np
import pytest
import torch

from zoo_eval.conformance.trace import differences, snapshot
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.scores import SCORES

CALLS = [
    pytest.param(score, options, id="-".join([name, *options.values()]))
    for name, score in sorted(SCORES.items())
    if score.group == "zero_cost"
    for options in ({}, {"mode": "paper"})
    if options.keys() <= score.options.keys()
]
TIMM = ("resnet", "convnext", "vit", "efficientnet", "byobnet", "nfnet")
# Each score on every other network, by turns; on the others it is slow.
PAIRS = [
    pytest.param(*call.values, name, id=f"{call.id}-{name}", marks=marks)
    for i, call in enumerate(CALLS)
    for j, name in enumerate(TIMM)
    for marks in (pytest.mark.slow if (i + j) % 2 else (),)
]


@pytest.fixture(scope="module")
def timm_networks():
    ensure_torchvision()
    import timm

    models = {}
    for name in TIMM:
        torch.manual_seed(0)
        size = {"img_size": 64} if name == "vit" else {}
        models[name] = timm.create_model(f"test_{name}", num_classes=10, **size).eval()
    return models


@pytest.mark.parametrize(("score", "options", "network_name"), PAIRS)
def test_small_networks_of_timm(timm_networks, score, options, network_name):
    generator = torch.Generator().manual_seed(1)
    available = {
        "model": timm_networks[network_name],
        "input_shape": (3, 64, 64),
        "probe_images": torch.randn(4, 3, 64, 64, generator=generator),
        "probe_labels": torch.arange(4),
    }
    givens = {given: available[given] for given in score.givens()}
    before = snapshot(givens)
    try:
        assert np.isfinite(score(**givens, **options))
    except ScoreUndefinedError as error:
        assert len(str(error)) > 20  # noqa: PT017  # both outcomes are right, NaN is not
    assert not differences(before, snapshot(givens))
