import torch

from zoo_eval.manifest import Manifest
from zoo_eval.models.build import build_model
from zoo_eval.models.registered import register_architectures
from zoo_eval.transforms.group_rational import GroupRational


def test_each_matrix_of_an_mlp_has_a_learned_function_before_it():
    register_architectures()
    import timm

    network = timm.create_model("kat_micro_patch4_28", num_classes=10, depth=2).eval()
    mlp = network.blocks[0].mlp
    assert [type(child) for child in mlp.children()] == [
        GroupRational, torch.nn.Linear, GroupRational, torch.nn.Linear, torch.nn.Dropout
    ]  # fmt: skip
    x = torch.randn(3, 5, 48)
    first, second = mlp.fc1, mlp.fc2
    exact = second(torch.nn.functional.gelu(first(x)))  # R₁ begins as the identity
    largest = second.weight.abs().sum(dim=1).max()
    assert (mlp(x) - exact).abs().max() < 4e-3 * largest + 1e-5  # R₂ is that near to GELU
    assert network(torch.randn(2, 3, 28, 28)).shape == (2, 10)


def test_the_trained_network_has_learned_its_functions():
    (line,) = Manifest.load("fashion").where("family = 'kat'")
    trained = build_model(line, "pretrained", seed=0)
    layers = [module for module in trained.modules() if isinstance(module, GroupRational)]
    assert len(layers) == 6
    for layer, start in zip(layers, ("identity", "gelu") * 3, strict=True):
        begun = GroupRational(start)
        assert (layer.numerator - begun.numerator).abs().max() > 0.01
        assert (layer.denominators.std(dim=0) > 1e-4).any()  # groups have gone their own ways
