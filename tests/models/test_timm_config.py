from zoo_eval.models.timm_config import timm_config


def test_what_timm_states_of_its_weights():
    assert timm_config("resnet18.tv_in1k").interpolation == "bilinear"
    assert timm_config("resnet18").tag == "a1_in1k"  # the default of the architecture


def test_weights_that_timm_does_not_know():
    assert timm_config("resnet18.mine") is None
    assert timm_config("unheard_of.mine") is None
