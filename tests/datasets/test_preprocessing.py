import numpy as np
import pytest
import torch
from PIL import Image

from tests.datasets.images import encode, noise, write_folder
from tests.lines import line
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets.batches import ModelImages
from zoo_eval.datasets.preprocessing import Preprocessing, preprocessing_of
from zoo_eval.errors import ModelError
from zoo_eval.manifest import Manifest
from zoo_eval.models.timm_config import timm_config
from zoo_eval.models.torchvision_ops import ensure_torchvision

# Two or more of every setting: size, crop, crop mode, interpolation, normalisation.
MODELS = [
    "resnet18.tv_in1k",  # 224, 0.875, center, bilinear, ImageNet's mean and deviation
    "test_vit.r160_in1k",  # 160, 0.95, center, bicubic, 0.5
    "nf_resnet50.ra2_in1k",  # 256, 0.94, center, bicubic
    "dm_nfnet_f0.dm_in1k",  # 192, 0.9, squash, bicubic
    "vit_base_patch16_clip_384.openai_ft_in12k_in1k",  # 384, 0.95, squash, CLIP's normalisation
]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Photographs would do as well: broad, tall, small."""
    sizes = {"a": [(300, 200), (150, 400)], "b": [(40, 50), (256, 256)]}
    contents = {
        name: {f"{place}.png": encode(noise(place, *size)) for place, size in enumerate(found)}
        for name, found in sizes.items()
    }
    return str(write_folder(tmp_path_factory.mktemp("images"), contents))


def timm_transform(model: str, size: int | None = None):
    from timm.data import create_transform, resolve_data_config
    from timm.models import get_pretrained_cfg

    config = get_pretrained_cfg(model).to_dict()
    own = resolve_data_config({} if size is None else {"img_size": size}, pretrained_cfg=config)
    return create_transform(**own, is_training=False)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("size", [None, 96])
def test_images_are_what_timms_own_transform_makes_of_them(images, model, size):
    own_size = timm_config(model).input_size[-1]
    cells = {"label_space": "imagenet-1k", "image_size": str(size or own_size)}
    preprocessing = preprocessing_of(line(model, **cells))
    dataset = load_dataset(DatasetSpec(images))
    batches = list(ModelImages(dataset, preprocessing, 3, torch.device("cpu")))
    expected = torch.stack([timm_transform(model, size)(dataset[place]) for place in range(4)])
    assert [len(batch) for batch in batches] == [3, 1]
    assert torch.equal(torch.cat(batches), expected)


def test_every_published_model_is_preprocessed_as_timm_does():
    """Timm's tables were measured at a configuration's training size or at its test size."""
    ensure_torchvision()
    from timm.data import resolve_data_config
    from timm.models import get_pretrained_cfg

    modes = set()
    for model_line in Manifest.load("timm-imagenet"):
        seen = vars(preprocessing_of(model_line))
        modes.add(seen["crop_mode"])
        config = get_pretrained_cfg(model_line.timm_name).to_dict()
        allowed = [
            resolve_data_config({}, pretrained_cfg=config, use_test_size=use) for use in (0, 1)
        ]
        assert any(
            own["input_size"] == (3, seen["image_size"], seen["image_size"])
            # The tables round to three decimals.
            and seen["crop"] == pytest.approx(own["crop_pct"], abs=6e-4)
            and all(seen[key] == own[key] for key in ("interpolation", "mean", "std", "crop_mode"))
            for own in allowed
        ), model_line.model
    assert modes == {"center", "squash"}


def test_the_manifest_goes_before_timm():
    cells = {"crop": "0.5", "interpolation": "bilinear", "mean": "[0, 0, 0]", "std": "[1, 2, 3]"}
    seen = preprocessing_of(line("dm_nfnet_f0.dm_in1k", **cells))
    assert seen == Preprocessing(32, 0.5, "bilinear", (0.0, 0.0, 0.0), (1.0, 2.0, 3.0), "squash")
    # Own weights of an architecture that timm knows, and one that it does not.
    for name in ("dm_nfnet_f0.mine", "unheard_of.mine"):
        assert preprocessing_of(line(name, **cells)).crop_mode == "center"


@pytest.mark.parametrize("name", ["resnet18.mine", "unheard_of.mine"])
@pytest.mark.parametrize("missing", ["crop", "interpolation", "mean", "std"])
def test_what_neither_the_manifest_nor_timm_says(name, missing):
    cells = {"crop": "1", "interpolation": "bilinear", "mean": "[0, 0, 0]", "std": "[1, 2, 3]"}
    with pytest.raises(ModelError, match=f"{name}: the manifest leaves crop, interpolation, mean"):
        preprocessing_of(line(name, **{**cells, missing: ""}))


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_crops_are_squashed_without_cutting_anything_off(images, interpolation):
    dataset = load_dataset(DatasetSpec(images, crops=2, crop_scale=(0.3, 0.9)))
    preprocessing = Preprocessing(48, 0.5, interpolation, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    images_of = ModelImages(dataset, preprocessing, 4, torch.device("cpu"))
    batch = images_of.take([5, 0])
    for row, place in zip(batch, (5, 0), strict=True):
        kind = getattr(Image.Resampling, interpolation.upper())
        small = np.asarray(dataset[place].resize((48, 48), kind), dtype=np.float64) / 255
        expected = (small - [0.1, 0.2, 0.3]) / [0.4, 0.5, 0.6]
        np.testing.assert_allclose(row.permute(1, 2, 0), expected, rtol=1e-5, atol=1e-6)  # float32


def test_images_can_be_gone_through_again_and_taken_in_any_order(images):
    dataset = load_dataset(DatasetSpec(images))
    preprocessing = Preprocessing(16, 1.0, "bilinear", (0.0,) * 3, (1.0,) * 3)
    batches = ModelImages(dataset, preprocessing, 2, torch.device("cpu"))
    assert len(batches) == 4
    whole = torch.cat(list(batches))
    assert torch.equal(torch.cat(list(batches)), whole)
    assert torch.equal(batches.take([3, 1]), whole[[3, 1]])
