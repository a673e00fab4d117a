"""Networks for the tests of zero-cost scores."""

import runpy
from pathlib import Path

import pytest
import torch
from torch import nn

REFERENCE = runpy.run_path(
    str(Path(__file__).parents[2] / "reference" / "reference_networks.py"), run_name="reference"
)


@pytest.fixture(
    params=[(n, d) for n in REFERENCE["NETWORKS"] for d in (torch.float32, torch.float64)],
    ids=lambda p: f"{p[0]}-{str(p[1])[6:]}",
)
def case(request):
    """Each reference network in each precision, with the scores of the published programs."""
    return REFERENCE["load"](*request.param)


@pytest.fixture(scope="session")
def small_cnn():
    """Factory of a float64 network with batch norm, in-place activations and 4 classes."""

    def make(batch_norm=True, activation=nn.ReLU):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            model = nn.Sequential(
                nn.Conv2d(3, 5, 3, padding=1),
                nn.BatchNorm2d(5) if batch_norm else nn.Identity(),
                activation(inplace=True),
                nn.Conv2d(5, 6, 3, stride=2, bias=False),
                activation(inplace=True),
                nn.AdaptiveAvgPool2d(2),
                nn.Flatten(),
                nn.Linear(24, 4),
            ).double()
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.running_mean.uniform_(-0.2, 0.2)
                    module.running_var.uniform_(0.5, 2)
        return model.eval()

    return make


class _Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 1))

    def forward(self, x):
        return x + self.body(x)


@pytest.fixture(scope="session")
def small_blocks():
    """A float64 network of two residual blocks of 6 channels."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        chain = nn.Sequential(_Residual(), _Residual())
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
        return nn.Sequential(nn.Conv2d(3, 6, 1), chain, head).double().eval()


@pytest.fixture(scope="session")
def batch():
    """Six float64 images of 3×8×8 and their labels of four classes."""
    generator = torch.Generator().manual_seed(5)
    images = torch.randn(6, 3, 8, 8, generator=generator, dtype=torch.float64)
    return images, torch.tensor([0, 1, 2, 3, 1, 0])


class Layer(nn.Module):
    """A linear layer on the flattened image, for sums that can be done by hand."""

    def __init__(self, weight, bias=None):
        super().__init__()
        weight = torch.tensor(weight, dtype=torch.float64)
        self.fc = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None).double()
        self.fc.weight = nn.Parameter(weight)
        if bias is not None:
            self.fc.bias = nn.Parameter(torch.tensor(bias, dtype=torch.float64))

    def forward(self, images):
        return self.fc(images.flatten(1))


@pytest.fixture(scope="session")
def layer():
    return Layer


@pytest.fixture(scope="session")
def as_images():
    """Rows of numbers as images of one pixel with many channels."""

    def make(rows):
        return torch.tensor(rows, dtype=torch.float64)[:, :, None, None]

    return make
