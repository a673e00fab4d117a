"""Scores of robustness on small networks of timm: a value or a reason, and no trace."""

import numpy as np
import pytest
import torch

from zoo_eval.conformance.trace import differences, snapshot
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.scores import SCORES

NAMES = [name for name, score in sorted(SCORES.items()) if score.group == "robustness"]
# One score per sweep: the others read the same one.
READ = [name for name in NAMES if not name.endswith("_tolerance")]


@pytest.mark.parametrize(
    "network",
    [
        *("resnet", "vit"),  # batch norm; tokens
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("convnext", "efficientnet", "nfnet")),
    ],
)
def test_small_networks_of_timm(network):
    ensure_torchvision()
    import timm

    torch.manual_seed(0)
    size = {"img_size": 32} if network == "vit" else {}
    model = timm.create_model(f"test_{network}", num_classes=10, **size).eval()
    images = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    available = {
        "model": model,
        "images": [images[:4], images[4:]],
        "altered_images": lambda _: [images[:4].flip(-1), images[4:].flip(-1)],
        "probe_images": images,
        "sibling_model": None,
    }
    before = snapshot({"model": model, "probe_images": images})
    values = {}
    for name in READ:
        try:
            values[name] = SCORES[name](**{g: available[g] for g in SCORES[name].givens()})
        except ScoreUndefinedError as error:
            assert len(str(error)) > 20  # noqa: PT017  # both outcomes are right, NaN is not
    assert np.isfinite(list(values.values())).all()
    assert {"pruning_area", "jpeg_area", "gradient_centroid"} <= values.keys()
    assert not differences(before, snapshot({"model": model, "probe_images": images}))
