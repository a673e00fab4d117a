import torch

from zoo_eval.scores.robustness.lowpass_tolerance import lowpass_tolerance


def test_flat_images_have_nothing_to_lose(trained):
    given = trained.givens()
    given["images"] = [torch.randn(20, 3, 1, 1).expand(-1, -1, 32, 32).contiguous()]
    assert lowpass_tolerance(**given, measure="fidelity") == 0.1


def test_images_of_noise_lose_at_once(trained):
    given = trained.givens()
    generator = torch.Generator().manual_seed(0)
    given["images"] = [torch.randn(60, 3, 32, 32, generator=generator)]
    assert lowpass_tolerance(**given, measure="cka") == 1.5
