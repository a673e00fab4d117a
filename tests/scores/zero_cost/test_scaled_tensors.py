"""Networks run on scaled tensors give what they give without, and what float64 cannot hold."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities.scaled_tensors import ScaledTensors
from zoo_eval.quantities.synaptic_flow import RULES

X = torch.tensor([[3.0, 0.5, 0.0, 7.0], [2.0, 9.0, 1.0, 0.25]], dtype=torch.float64)
W = torch.tensor([[1.0, 0.2, 3.0, 0.1], [0.3, 2.0, 0.5, 1.0]], dtype=torch.float64)


def image(x):
    return x.reshape(1, 2, 2, 2)


OPERATIONS = {
    "add": lambda x, w: x + w,
    "add number": lambda x, w: 1 + x + 2,
    "add alpha": lambda x, w: torch.add(x, w, alpha=3),
    "add in place": lambda x, w: (x * 1).add_(w),
    "subtract": lambda x, w: x - w,
    "number minus": lambda x, w: 5 - x,
    "multiply": lambda x, w: 2 * x * w,
    "divide": lambda x, w: x / (w + x) + 1 / (x + 1) + x / 3,
    "matmul": lambda x, w: x @ w.mT,
    "einsum": lambda x, w: torch.einsum("ij,kj->ik", x, w),
    "powers": lambda x, w: x**2 + x**3 + (x + w) ** 0.5 + x.square(),
    "roots": lambda x, w: (x + w).sqrt() + (x + w).rsqrt(),
    "variance": lambda x, w: x.var(dim=1) + x.std(dim=1),
    "cat": lambda x, w: torch.cat([x, w], dim=1),
    "stack": lambda x, w: torch.stack([x, w]),
    "where": lambda x, w: torch.where(x > w, x, w) + torch.where(x > 1, x, 0.5),
    "maximum": lambda x, w: torch.maximum(x, w) + torch.minimum(x, w) + x.max(dim=1).values[0],
    "max of two": lambda x, w: torch.max(x, w) + x.max(),
    "masked": lambda x, w: x.masked_fill(w > 1, 0.5),
    "pad": lambda x, w: F.pad(x, (1, 1)) + F.pad(x, (1, 1), value=2.0),
    "shapes": lambda x, w: x.T.reshape(-1)[2:].unflatten(0, (2, 3)).permute(1, 0).chunk(2)[0],
    "clamp": lambda x, w: x.clamp(min=1) + x.clamp(0.5, 4) + x.clip(max=2),
    "item assignment": lambda x, w: assigned(x, w),
    "comparison": lambda x, w: x * (x >= w),
    "linear": lambda x, w: F.linear(x, w, bias=W[:, 0]),
    "convolution": lambda x, w: F.conv2d(image(x), w.reshape(4, 2, 1, 1), W.flatten()[:4]),
    "transposed": lambda x, w: F.conv_transpose2d(image(x), image(w)[0, :, :, :, None], W[0, :2]),
    "pooling": lambda x, w: F.avg_pool2d(image(x), 2) + F.max_pool2d(image(x), 2),
    "layer norm": lambda x, w: F.layer_norm(x, (4,), w[0], w[1]),
    "layer norm eps": lambda x, w: F.layer_norm(x, (4,), eps=0.5),
    "rms norm": lambda x, w: F.rms_norm(x, (4,), w[0], 0.1),
    "group norm": lambda x, w: F.group_norm(image(x), 1, w[0, :2], w[1, :2], 0.1),
    "batch norm": lambda x, w: F.batch_norm(x, W[0], W[1], w[0], w[1]),
    "batch norm of the batch": lambda x, w: F.batch_norm(x, None, None, w[0], w[1], True, eps=0.1),
    "normalize": lambda x, w: F.normalize(x, dim=1, eps=1.0) + F.normalize(x * 0, dim=1),
    "bounded": lambda x, w: x.sigmoid() + x.tanh() + F.relu6(x) + F.hardsigmoid(x) + x.erf(),
    "gelu": lambda x, w: F.gelu(x) + F.gelu(-x) + F.gelu(x, approximate="tanh"),
    "gated": lambda x, w: F.silu(x) + F.silu(-x) + F.hardswish(x - 5) + F.mish(x),
    "gated in place": lambda x, w: F.silu(x * 1, inplace=True) + F.hardswish(x * 1, True),
    "hardtanh": lambda x, w: F.hardtanh(x, -1.0, 5.0, True),
    "relu": lambda x, w: F.relu(x - w) + F.leaky_relu(x - w, 0.1),
    "softmax": lambda x, w: (x / 3).softmax(dim=-1),
    "attention": lambda x, w: F.scaled_dot_product_attention(x, w, x, attn_mask=W[:, :2] * 3),
    "true values": lambda x, w: x.exp() + F.elu(x) + torch.logsumexp(x, dim=0),
    "single precision": lambda x, w: x.float().double() + x.to(torch.float32),
}


def assigned(x, w):
    target = torch.zeros_like(x)
    target[:, :2] = x[:, 2:]
    target[0, 3] = 1.5
    return target * w


@pytest.mark.parametrize("limit", [1.5, 5.0])
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation(name, limit):
    """Value and gradients, with exponents forced upon all inputs: 2⁸ of x, 2⁻⁴ of w."""
    operation = OPERATIONS[name]
    rel = 1e-6 if name == "single precision" else 1e-12
    for shift in (8, -8, 40):
        leaves = [X.clone().requires_grad_(), W.clone().requires_grad_()]
        expected = operation(leaves[0] * 2.0**8 / 2.0**8, leaves[1] * 1).sum()
        slopes = torch.autograd.grad(expected, leaves, materialize_grads=True)
        with ScaledTensors(RULES, limit) as scales:
            x = scales.noted(leaves[0] * 2.0**-shift, shift)
            w = scales.noted(leaves[1] * 2.0**4, -4)
            found = operation(x, w).sum()
            exponent = scales.exponent(found)
        found_slopes = torch.autograd.grad(found, leaves, materialize_grads=True)
        assert float(found.detach()) * 2.0**exponent == pytest.approx(
            float(expected.detach()), rel=rel
        )
        for slope, found_slope in zip(slopes, found_slopes, strict=True):
            torch.testing.assert_close(found_slope * 2.0**exponent, slope, rtol=rel, atol=1e-12)
        assert not scales.lost


TIMM = ("resnet", "convnext", "vit", "efficientnet", "byobnet", "nfnet")


@pytest.mark.parametrize("network", TIMM)
def test_small_networks_of_timm(network):
    ensure_torchvision()
    import timm

    torch.manual_seed(0)
    size = {"img_size": 32} if network == "vit" else {}
    model = timm.create_model(f"test_{network}", num_classes=5, **size).double().eval()
    parameters = list(model.parameters())
    images = torch.ones(1, 3, 32, 32, dtype=torch.float64)
    expected = model(images).square().sum()
    slopes = torch.autograd.grad(expected, parameters, materialize_grads=True)
    with ScaledTensors(RULES, 1.5) as scales:
        found = model(images).square().sum()
        factor = 2.0 ** scales.exponent(found)
    assert float(found.detach()) * factor == pytest.approx(float(expected.detach()), rel=1e-10)
    found_slopes = torch.autograd.grad(found, parameters, materialize_grads=True)
    for slope, found_slope in zip(slopes, found_slopes, strict=True):
        largest = float(slope.abs().max())
        torch.testing.assert_close(found_slope * factor, slope, rtol=1e-8, atol=1e-10 * largest)


def huge(scales, exponent=3000):
    return scales.noted(X.clone().requires_grad_() * 1, exponent)


def test_activations_beyond_float64_are_at_their_limits():
    positive = (X > 0).double()
    with ScaledTensors(RULES) as scales:
        x = huge(scales)
        gated = [
            gate(sign * x) for gate in (F.silu, F.gelu, F.hardswish, F.mish) for sign in (1, -1)
        ]
        bounded = [x.tanh(), F.relu6(x), x + 1e300]
        exponents = [scales.exponent(y) for y in (*gated, *bounded)]
        assert not scales.lost  # a constant
        _ = x + scales.noted(X.clone().requires_grad_() * 1, 0)
        assert scales.lost
    assert exponents == [3000] * 8 + [0, 0, 3000]
    for above, below in zip(gated[::2], gated[1::2], strict=True):
        assert torch.equal(above, X)
        assert torch.equal(below.abs(), 0 * X)
    for found, expected in zip(bounded, (positive, 6 * positive, X), strict=True):
        assert torch.equal(found, expected)


def test_softmax_beyond_float64_takes_the_largest():
    tied = X.clone()
    tied[1] = 1.0
    with ScaledTensors(RULES) as scales:
        found = huge(scales).softmax(dim=1)
        with pytest.raises(ScoreUndefinedError, match=r"about 2\^3000, but in 1 of 2 rows"):
            scales.noted(tied, 3000).softmax(dim=1)
        small = scales.noted(X * 1, -3).softmax(dim=1)
    assert torch.equal(found, torch.eye(4).double()[[3, 1]])
    torch.testing.assert_close(small, (X / 8).softmax(dim=1))


def test_norms_beyond_float64_do_not_see_epsilon():
    with ScaledTensors(RULES) as scales:
        x = huge(scales)
        found = F.layer_norm(x, (4,)), F.normalize(x)
    torch.testing.assert_close(found[0].detach(), F.layer_norm(X, (4,), eps=0.0))
    torch.testing.assert_close(found[1].detach(), F.normalize(X))


@pytest.mark.parametrize("function", [torch.exp, torch.log, F.elu, lambda x: x**1.5])
def test_what_has_no_rule_is_refused_beyond_float64(function):
    with (
        ScaledTensors(RULES) as scales,
        pytest.raises(ScoreUndefinedError, match=r"needs values as they are, .* reach 2\^3003"),
    ):
        function(huge(scales))


def test_assignment_into_a_tensor_of_small_values():
    with (
        ScaledTensors(RULES) as scales,
        pytest.raises(ScoreUndefinedError, match=r"__setitem__ needs .* reach 2\^3003, beyond"),
    ):
        torch.zeros(2, 4, dtype=torch.float64)[:] = huge(scales)


def test_what_was_overwritten_in_place_is_not_read_again():
    with ScaledTensors(RULES) as scales:
        small = X * 1
        view = small[:, :2]
        assert scales.exponent(small.add_(huge(scales))) == 3000
        with pytest.raises(
            ScoreUndefinedError, match=r"followed into mul: .* overwritten in place"
        ):
            view * 2
        x = huge(scales)
        F.silu(x, inplace=True)
        with pytest.raises(
            ScoreUndefinedError, match=r"followed into neg: .* overwritten in place"
        ):
            _ = -x


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, gradient):
        return 2 * gradient


def test_operations_outside_torchs_functions_are_refused():
    """Their result would lose its exponent without notice."""
    with ScaledTensors(RULES) as scales:
        doubled = Double.apply(huge(scales))
        with pytest.raises(ScoreUndefinedError, match=r"outside torch's functions \(Double"):
            doubled.sum()


def test_exponents_leave_no_trace_on_tensors():
    weight = nn.Parameter(torch.full((1, 1), 1e90, dtype=torch.float64))
    with ScaledTensors(RULES) as scales:
        y = torch.ones(1, 1, dtype=torch.float64) @ weight @ weight @ weight
    mantissa, exponent = float(y.detach()), scales.exponent(y)
    assert math.log10(mantissa) + exponent * math.log10(2) == pytest.approx(270, rel=1e-14)
    assert vars(weight) == {}
    assert float((y.detach() * 2)[0, 0]) == 2 * mantissa  # outside the block: plain tensors
