import pytest
import torch

from zoo_eval import scores
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities.parts import part_of, smaller_parts

SIZES: list[int] = []


@pytest.fixture
def network() -> torch.nn.Module:
    ensure_torchvision()
    import timm

    torch.manual_seed(0)
    model = timm.create_model("test_vit", num_classes=10).eval()
    SIZES.clear()
    model.register_forward_pre_hook(lambda _, inputs: SIZES.append(len(inputs[0])))
    return model


def test_parts_are_as_usual_outside_and_never_empty():
    assert part_of(16) == 16
    with smaller_parts(2):
        assert part_of(16) == 8
        with smaller_parts(100):
            assert part_of(16) == 1
        assert part_of(16) == 8
    assert part_of(16) == 16


@pytest.mark.parametrize(
    ("score", "usual", "sizes"),
    [
        ("grad_norm", {16}, {2}),
        ("jacob_cov", {16}, {2}),
        ("gradsign", {1, 4}, {1}),
    ],
)
def test_the_same_value_from_smaller_parts(network, score, usual, sizes):
    given = {
        "model": network,
        "probe_images": torch.randn(16, 3, 160, 160, generator=torch.Generator().manual_seed(1)),
        "probe_labels": torch.arange(16) % 10,
    }
    value = getattr(scores, score)(**given)
    assert set(SIZES) == usual
    SIZES.clear()
    with smaller_parts(8):
        smaller = getattr(scores, score)(**given)
    assert set(SIZES) == sizes
    assert smaller == pytest.approx(value, rel=1e-4)
