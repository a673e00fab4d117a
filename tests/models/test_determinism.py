import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.lines import line
from zoo_eval.models.build import build_model
from zoo_eval.models.determinism import switch_off_dropout
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities.batch_norm import calibrate_batch_norm

RATES = {
    "test_vit": '{"drop_rate": 0.3, "proj_drop_rate": 0.3, "attn_drop_rate": 0.3, '
    '"drop_path_rate": 0.5, "patch_drop_rate": 0.4, "pos_drop_rate": 0.2}',
    "test_resnet": '{"drop_rate": 0.5, "drop_path_rate": 0.5, "drop_block_rate": 0.5}',
    "test_efficientnet": '{"drop_rate": 0.5, "drop_path_rate": 0.5}',
    "test_byobnet": '{"drop_rate": 0.5, "drop_path_rate": 0.5}',
}
ONE_BY_ONE = [
    "drop_rate",
    "proj_drop_rate",
    "attn_drop_rate",
    "drop_path_rate",
    "patch_drop_rate",
    "pos_drop_rate",
]


def outputs_in_train_mode(model):
    images = torch.randn(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    model.train()
    with torch.no_grad():
        return [model(images) for _ in range(2)]


@pytest.mark.parametrize(
    ("architecture", "arguments"),
    [*RATES.items(), *(("test_vit", f'{{"{rate}": 0.5}}') for rate in ONE_BY_ONE)],
)
def test_train_mode_is_deterministic_without_dropout(architecture, arguments):
    own = line(f"{architecture}.x", arguments=arguments, image_size="64")
    model = build_model(own, "init-neutral", 0)
    first, second = outputs_in_train_mode(model)
    assert not torch.equal(first, second)
    switch_off_dropout(model)
    first, second = outputs_in_train_mode(model)
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", ["diff_attention", "torch_attention", "recurrent"])
def test_rates_that_layers_keep_as_plain_numbers(name):
    torch.manual_seed(0)
    layers = {
        "diff_attention": lambda: diff_attention(),
        "torch_attention": lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5),
        "recurrent": lambda: nn.LSTM(8, 8, num_layers=2, dropout=0.5),
    }
    layer = layers[name]().train()

    def run():
        out = layer(torch.ones(2, 5, 8))
        return out[0] if isinstance(out, tuple) else out

    assert not torch.equal(run(), run())
    switch_off_dropout(layer)
    assert torch.equal(run(), run())


def diff_attention():
    ensure_torchvision()
    from timm.layers import DiffAttention

    return DiffAttention(8, num_heads=2, attn_drop=0.5)


def test_only_rates_are_changed():
    model = nn.Sequential(nn.Dropout(0.3), nn.PReLU(), nn.MaxPool2d(2))
    model.dropped = True  # a truth value is no rate
    model.drop_note = "text"
    model.p = 0.7  # only a dropout layer's p is
    switch_off_dropout(model)
    assert (model[0].p, model.dropped, model.drop_note, model.p) == (0.0, True, "text", 0.7)


def cnn():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False),
        nn.BatchNorm2d(4, momentum=0.3),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Conv2d(4, 5, 3),
        nn.BatchNorm2d(5),
        nn.Flatten(),
        nn.Linear(5 * 16, 6),
        nn.BatchNorm1d(6, momentum=None),
    ).double()
    with torch.no_grad():
        model[1].weight.uniform_(0.5, 2)
        model[1].bias.uniform_(-1, 1)
    return model


def images():
    return torch.randn(7, 3, 8, 8, generator=torch.Generator().manual_seed(1)).double()


def moments(x):
    """Mean and unbiased variance of each channel, and x normalised by mean and biased variance."""
    axes = [axis for axis in range(x.ndim) if axis != 1]
    mean = x.mean(axes, keepdim=True)
    squares = (x - mean).square()
    count = x.numel() // x.shape[1]
    normal = (x - mean) / (squares.mean(axes, keepdim=True) + 1e-5).sqrt()
    return mean.flatten(), squares.sum(axes).flatten() / (count - 1), normal


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_statistics_are_those_of_the_batch_at_each_norm(mode):
    model = cnn().train(mode == "train")
    model[1].running_mean.fill_(100)  # what was there before is forgotten
    model[1].num_batches_tracked.fill_(3)
    calibrate_batch_norm(model, images())

    with torch.no_grad():
        mean_1, var_1, x = moments(F.conv2d(images(), model[0].weight))
        x = x * model[1].weight[:, None, None] + model[1].bias[:, None, None]
        x = F.conv2d(x.clamp(min=0), model[4].weight, model[4].bias)
        mean_2, var_2, x = moments(x)
        mean_3, var_3, _ = moments(x.flatten(1) @ model[7].weight.T + model[7].bias)
    expected = {1: (mean_1, var_1), 5: (mean_2, var_2), 8: (mean_3, var_3)}
    for place, (mean, var) in expected.items():
        torch.testing.assert_close(model[place].running_mean, mean, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(model[place].running_var, var, rtol=1e-9, atol=1e-12)
        assert int(model[place].num_batches_tracked) == 1


def settled(model):
    assert [model[place].momentum for place in (1, 5, 8)] == [0.3, 0.1, None]
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_momentum_is_put_back_and_the_network_is_in_eval_mode(mode):
    model = cnn().train(mode == "train")
    calibrate_batch_norm(model, images())
    settled(model)


def test_also_after_an_exception():
    model = cnn().train()
    with pytest.raises(RuntimeError, match="expected input"):
        calibrate_batch_norm(model, torch.zeros(2, 4, 8, 8).double())
    settled(model)


def test_no_parameter_is_changed_and_no_gradient_is_left():
    model = cnn()
    before = [parameter.clone() for parameter in model.parameters()]
    calibrate_batch_norm(model, images())
    assert all(torch.equal(x, y) for x, y in zip(before, model.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_network_without_batch_norm_is_not_run():
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)).train()
    calibrate_batch_norm(model, torch.zeros(1, 99))  # would not fit
    assert not any(module.training for module in model.modules())


def test_calibration_keeps_the_activations_of_a_deep_random_network_in_bounds():
    model = build_model(line("test_resnet.x"), "init-neutral", 0)
    batch = torch.randn(16, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    calibrate_batch_norm(model, batch)
    seen = {}

    def keep(module, args, output):
        seen[module] = output

    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.register_forward_hook(keep)
    with torch.no_grad():
        model(batch)
    # timm's norms hold their activation: what comes out is at most a unit normal.
    assert all(0.1 < float(output.var()) < 1.2 for output in seen.values())
    assert len(seen) == len(norms) > 5
