import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch import nn

from zoo_eval.errors import InputError, ModelError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities.forward import embed, forward_pass, source_probabilities


@pytest.fixture
def network() -> nn.Module:
    ensure_torchvision()
    import timm

    torch.manual_seed(0)
    return timm.create_model("test_resnet", num_classes=7).eval()


def test_one_pass_gives_timms_prelogits_and_logits(network):
    batches = [torch.randn(3, 3, 32, 32), torch.randn(2, 3, 32, 32)]
    result = forward_pass(network, batches)
    images = torch.cat(batches)
    with torch.no_grad():
        logits = network(images)
        embeddings = network.forward_head(network.forward_features(images), pre_logits=True)
    np.testing.assert_allclose(result.logits, logits, rtol=1e-4, atol=1e-5)  # batches of 3 and 2
    np.testing.assert_allclose(result.embeddings, embeddings, rtol=1e-4, atol=1e-5)
    assert result.embeddings.dtype == np.float32


def test_a_network_that_is_not_timms():
    with pytest.raises(ModelError, match="Linear has no forward_features"):
        embed(nn.Linear(2, 2), torch.zeros(1, 2))


def test_embeddings_must_be_vectors(network):
    network.forward_head = lambda features, pre_logits=False: features
    with pytest.raises(ModelError, match=r"embeddings of \w+ should be one vector .* \(2, "):
        embed(network, torch.zeros(2, 3, 32, 32))


def test_nan_is_an_error_that_counts(network):
    images = torch.randn(4, 3, 32, 32)
    images[1] = float("nan")
    with pytest.raises(InputError, match="embeddings of 1 of 4 images are NaN or infinite"):
        forward_pass(network, [images])


def test_probabilities_do_not_underflow():
    logits = np.array([[0.0, -300.0]], dtype=np.float32)
    result = source_probabilities(logits)
    np.testing.assert_allclose(result, softmax(logits.astype(np.float64), axis=1), rtol=1e-12)
    assert result[0, 1] > 0
