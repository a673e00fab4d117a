"""Twenty networks on one folder of photographs: how much of the time goes into the images?

1,000 JPEGs of 500 × 375 pixels (smooth noise, seed 0), the twenty timm architectures below, freshly
initialised, float32, batches of 16. The baseline decodes and resizes for every network, with timm's
transforms; ours decodes once, resizes once per geometry (there are four), and keeps both on
disk, starting from nothing. Both take the same forward passes, so the times of the input alone
compare. The difference is that of the sums of all pixels that the networks were given.
Usage: python benchmarks/one_image_folder.py [N_IMAGES]
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from _photographs import write_photographs
from _timing import machine
from torch import Tensor, nn

from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets.batches import ModelImages
from zoo_eval.datasets.preprocessing import Preprocessing, preprocessing_of
from zoo_eval.manifest import Manifest
from zoo_eval.models.build import build_model
from zoo_eval.quantities.forward import forward_pass

MODELS = (
    "resnet18.a1_in1k",
    "resnet34.a1_in1k",
    "resnet50.a1_in1k",
    "resnet26.bt_in1k",
    "mobilenetv2_100.ra_in1k",
    "mobilenetv3_large_100.ra_in1k",
    "mobilenetv3_small_100.lamb_in1k",
    "efficientnet_b0.ra_in1k",
    "efficientnet_lite0.ra_in1k",
    "regnety_004.pycls_in1k",
    "regnetx_008.pycls_in1k",
    "densenet121.ra_in1k",
    "vit_tiny_patch16_224.augreg_in21k_ft_in1k",
    "vit_small_patch16_224.augreg_in21k_ft_in1k",
    "deit_small_patch16_224.fb_in1k",
    "deit_tiny_patch16_224.fb_in1k",
    "mixer_b16_224.goog_in21k_ft_in1k",
    "convnext_tiny.fb_in1k",
    "swin_tiny_patch4_window7_224.ms_in1k",
    "repvgg_a2.rvgg_in1k",
)
BATCH = 16
CPU = torch.device("cpu")


class Watched:
    """Batches, and how long one has waited for them."""

    def __init__(self, batches: Iterable[Tensor]) -> None:
        self._batches = batches
        self.seconds = self.processor = self.total = 0.0

    def __iter__(self) -> Iterator[Tensor]:
        batches = iter(self._batches)
        while True:
            wall, processor = time.perf_counter(), time.process_time()
            batch = next(batches, None)
            self.seconds += time.perf_counter() - wall
            self.processor += time.process_time() - processor
            if batch is None:
                return
            self.total += float(batch.double().sum())
            yield batch


def main() -> None:
    """Print one line of the table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    lines = {line.model: line for line in Manifest.load("timm-imagenet")}
    passes = passes_processor = 0.0
    spent = {"timm": [0.0, 0.0, 0.0], "ours": [0.0, 0.0, 0.0]}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ZOO_EVAL_CACHE"] = f"{folder}/cache"
        photographs = write_photographs(Path(folder) / "images", n)
        wall, processor = time.perf_counter(), time.process_time()
        dataset = load_dataset(DatasetSpec(str(photographs)))
        spent["ours"][:2] = time.perf_counter() - wall, time.process_time() - processor
        for name in MODELS:
            preprocessing = preprocessing_of(lines[name])
            images = Watched(ModelImages(dataset, preprocessing, BATCH, CPU))
            wall, processor = time.perf_counter(), time.process_time()
            forward(build_model(lines[name], "init", 0), images)
            passes += time.perf_counter() - wall - images.seconds
            passes_processor += time.process_time() - processor - images.processor
            theirs = Watched(timm_batches(photographs, preprocessing))
            for _ in theirs:
                pass
            for way, watched in (("timm", theirs), ("ours", images)):
                spent[way][0] += watched.seconds
                spent[way][1] += watched.processor
                spent[way][2] += watched.total
    (wall, processor, total), ours = spent["timm"], spent["ours"]
    print(
        f"| input of {len(MODELS)} networks, {n:,} JPEGs | {wall:.0f} s ({processor:.0f}), "
        f"{wall / (wall + passes):.0%} of all | {ours[0]:.0f} s ({ours[1]:.0f}), "
        f"{ours[0] / (ours[0] + passes):.0%} ({ours[1] / (ours[1] + passes_processor):.0%}) of all "
        f"| {wall / ours[0]:.1f} ({processor / ours[1]:.1f}) "
        f"| {ours[2] - total:+.1e} of {total:.0f} | {machine()} |"
    )


def forward(model: nn.Module, images: Watched) -> None:
    """Embeddings and logits of all images, channels last."""
    model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    forward_pass(model, images)


def timm_batches(photographs: Path, preprocessing: Preprocessing) -> Iterator[Tensor]:
    """What timm's loader gives for one network."""
    from timm.data.dataset import ImageDataset
    from timm.data.loader import create_loader

    loader = create_loader(
        ImageDataset(str(photographs)),
        input_size=(3, preprocessing.image_size, preprocessing.image_size),
        batch_size=BATCH,
        use_prefetcher=False,
        interpolation=preprocessing.interpolation,
        mean=preprocessing.mean,
        std=preprocessing.std,
        crop_pct=preprocessing.crop,
        crop_mode=preprocessing.crop_mode,
        num_workers=0,
        device=CPU,
    )
    for images, _ in loader:
        yield images


if __name__ == "__main__":
    main()
