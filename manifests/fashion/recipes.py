"""The networks of the Fashion-MNIST zoo and the recipe each of them is trained with.

One row of `NETWORKS` is one network.  Arguments are timm's own constructor arguments; a recipe is
deliberately good, mediocre or bad, so that accuracy is not a mere function of size.

Tags: `w` width, `p` patch size, `g` growth rate, `l` number of blocks, `os` output stride, `e`
epochs (`e05` is half of one), `d` percent of the training images, `n` percent of labels redrawn.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Network:
    """A timm architecture made small, and how it is trained."""

    architecture: str
    tag: str
    arguments: dict[str, Any] = field(default_factory=dict)
    image_size: int = 28
    epochs: float = 1.0  # passes over the images that the network is given
    data_fraction: float = 1.0  # share of the 60,000 training images, drawn with the seed
    label_noise: float = 0.0  # share of these images whose label is redrawn evenly from the ten
    batch: int = 128
    lr: float = 2e-3
    optimizer: str = "adamw"  # or "sgd": Nesterov momentum 0.9
    augment: str = ""  # or "flip": horizontally, every other image; "flip+shift": up to two pixels

    @property
    def name(self) -> str:
        """The manifest's name: architecture and tag."""
        return f"{self.architecture}.{self.tag}"

    @property
    def seed(self) -> int:
        """The network's own seed: fixed by its name, so that editing other rows changes nothing."""
        return zlib.crc32(self.name.encode()) % 100_000


N = Network  # short, for the table
VIT28 = {"img_size": 28, "patch_size": 7}

# fmt: off
NETWORKS: list[Network] = [
    # resnet: plain, bottleneck, grouped and squeeze-and-excitation variants
    N("resnet18", "w12_e3", {"channels": [12, 24, 40, 48], "stem_width": 12},
      epochs=3, optimizer="sgd", lr=0.1, augment="flip"),
    N("resnet18", "w8_d5_n60", {"channels": [8, 16, 24, 32], "stem_width": 8},
      epochs=4, data_fraction=0.05, label_noise=0.6, batch=64),
    N("resnet10t", "w16os8_e5",
      {"channels": [16, 32, 40, 48], "stem_width": 16, "output_stride": 8},
      epochs=5, augment="flip", lr=4e-3),
    N("resnet10t", "w12_e4", {"channels": [12, 24, 36, 48], "stem_width": 12},
      epochs=4, augment="flip", lr=4e-3),
    N("resnet10t", "w12_d1", {"channels": [12, 24, 32, 40], "stem_width": 12},
      epochs=8, data_fraction=0.01, batch=32),
    N("resnet10t", "w8_e6", {"channels": [8, 16, 24, 32], "stem_width": 8}, epochs=6, lr=4e-3),
    N("resnet14t", "w8_e2", {"channels": [8, 16, 24, 32], "stem_width": 8}, epochs=2, lr=4e-3),
    N("resnet26", "w8_e2_n20", {"channels": [8, 16, 24, 32], "stem_width": 8},
      epochs=2, label_noise=0.2),
    N("seresnet18", "w8_e2",
      {"layers": [1, 1, 1, 1], "channels": [8, 16, 32, 48], "stem_width": 8, "stem_type": "deep"},
      epochs=2),
    N("resnext50_32x4d", "w8_d10",
      {"layers": [1, 1, 1, 1], "channels": [8, 16, 32, 48], "cardinality": 4, "base_width": 16,
       "stem_width": 8}, epochs=4, data_fraction=0.1, batch=64),
    N("ecaresnet26t", "w8_d2",
      {"layers": [1, 1, 1, 1], "channels": [8, 16, 24, 32], "stem_width": 8},
      epochs=6, data_fraction=0.02, batch=32),
    # resnetv2, res2net, sknet
    N("resnetv2_18", "w8_e3", {"channels": [8, 16, 32, 48], "stem_chs": 8}, epochs=3),
    N("res2net50_26w_4s", "w8_e2",
      {"layers": [1, 1, 1, 1], "channels": [8, 16, 24, 32], "base_width": 26, "stem_width": 8},
      epochs=2, augment="flip"),
    N("skresnet18", "w8_d20",
      {"layers": [1, 1, 1, 1], "channels": [8, 16, 24, 32], "stem_width": 8},
      epochs=2, data_fraction=0.2, batch=64),
    # regnet
    N("regnetx_002", "w16_e3",
      {"depth": 6, "w0": 16, "wa": 16.0, "wm": 1.7, "group_size": 8, "stem_width": 16}, epochs=3),
    N("regnety_002", "w16_d5",
      {"depth": 6, "w0": 16, "wa": 16.0, "wm": 1.7, "group_size": 8, "stem_width": 16},
      epochs=5, data_fraction=0.05, batch=32),
    N("regnety_002", "w16_n40",
      {"depth": 6, "w0": 16, "wa": 16.0, "wm": 1.7, "group_size": 8, "stem_width": 16},
      epochs=1, label_noise=0.4),
    # densenet
    N("densenet121", "g16_e7", {"growth_rate": 16, "block_config": [4, 8], "bn_size": 2},
      epochs=7, lr=5e-3, augment="flip+shift"),
    N("densenet121", "g12_e2", {"growth_rate": 12, "block_config": [2, 3, 3], "bn_size": 2},
      epochs=2, lr=5e-3),
    N("densenet121", "g12_d1", {"growth_rate": 12, "block_config": [3, 4], "bn_size": 2},
      epochs=8, data_fraction=0.01, batch=32),
    # efficientnet
    N("test_efficientnet", "w10_e8", {}, epochs=8, lr=5e-3, augment="flip+shift"),
    N("test_efficientnet", "w13_e6", {"channel_multiplier": 1.3},
      epochs=6, lr=4e-3, augment="flip"),
    N("test_efficientnet", "w12_e7", {"channel_multiplier": 1.2},
      epochs=7, lr=4e-3, augment="flip"),
    N("test_efficientnet", "w5_d2_n40", {"channel_multiplier": 0.5},
      epochs=6, data_fraction=0.02, label_noise=0.4, batch=32),
    N("test_efficientnet", "w5_e4", {"channel_multiplier": 0.5}, epochs=4, lr=5e-3),
    N("test_efficientnet_gn", "w5_e05", {"channel_multiplier": 0.5}, epochs=0.5, batch=64),
    # mobilenetv3 (timm keeps lcnet there)
    N("lcnet_035", "e1", {}, epochs=1, lr=4e-3),
    # byobnet
    N("test_byobnet", "e10", {}, epochs=10, lr=4e-3, augment="flip"),
    # nfnet
    N("test_nfnet", "w16_e3",
      {"channels": [16, 32, 48, 64], "depths": [1, 1, 1, 1], "stem_chs": 16, "group_size": 8,
       "num_features": 96}, epochs=3),
    N("nf_regnet_b0", "w16_d10",
      {"channels": [16, 32, 48, 64], "depths": [1, 1, 2, 1], "num_features": 96, "group_size": 8},
      epochs=3, data_fraction=0.1, batch=32),
    # dla, vovnet, rdnet
    N("dla46_c", "w8_e05", {"channels": [8, 8, 16, 32, 32, 64]}, image_size=32, epochs=0.5),
    N("dla46_c", "w8_d5_n20",
      {"channels": [8, 8, 16, 24, 24, 48], "levels": [1, 1, 1, 1, 1, 1]}, image_size=32, epochs=4,
      data_fraction=0.05, label_noise=0.2, batch=32),
    N("ese_vovnet19b_slim", "w16_e7",
      {"stem_chs": [16, 16, 16], "stage_conv_chs": [16, 24, 32, 40],
       "stage_out_chs": [32, 48, 64, 96]}, image_size=32, epochs=7, augment="flip", lr=4e-3),
    N("ese_vovnet19b_slim", "w8_d20",
      {"stem_chs": [8, 8, 16], "stage_conv_chs": [8, 16, 24, 32],
       "stage_out_chs": [16, 32, 48, 48]}, image_size=32, epochs=3, data_fraction=0.2, batch=64),
    N("rdnet_tiny", "g16_e2",
      {"growth_rates": [8, 16, 16], "num_blocks_list": [2, 2, 2],
       "block_type": ["Block", "Block", "Block"], "is_downsample_block": [None, True, True],
       "num_init_features": 16, "ls_init_value": 0.1}, epochs=2),
    # convnext and its kin
    N("convnext_atto", "w16_e2",
      {"dims": [16, 24, 40, 56], "depths": [1, 1, 1, 1], "ls_init_value": None},
      image_size=32, epochs=2),
    N("convnextv2_atto", "w16_d10", {"dims": [16, 24, 32, 48], "depths": [1, 1, 1, 1]},
      image_size=32, epochs=4, data_fraction=0.1, batch=64),
    N("test_convnext", "w16_d2_n20",
      {"dims": [16, 24, 32, 48], "depths": [1, 1, 2, 1], "ls_init_value": None},
      image_size=32, epochs=8, data_fraction=0.02, label_noise=0.2, batch=32),
    N("inception_next_atto", "w16_e2",
      {"dims": [16, 32, 48], "depths": [1, 1, 2], "ls_init_value": 0.1}, epochs=2),
    N("edgenext_xx_small", "w16_e1",
      {"dims": [16, 24, 32, 48], "depths": [1, 1, 2, 1], "heads": [2, 2, 2, 2],
       "ls_init_value": 0.1}, image_size=32, epochs=1),
    N("test_mambaout", "w12_e1", {"dims": [12, 20, 28, 36], "ls_init_value": 0.1}, epochs=1),
    N("mambaout_femto", "w12_d2", {"dims": [12, 24, 32, 40], "depths": [1, 1, 2, 1]},
      epochs=6, data_fraction=0.02, batch=32),
    N("fasternet_t0", "w16_e3", {"embed_dim": 16, "depths": [1, 1, 2], "feature_dim": 128},
      epochs=3),
    N("fasternet_t0", "w24_d1", {"embed_dim": 24, "depths": [1, 1, 1], "feature_dim": 64},
      epochs=5, data_fraction=0.01, batch=32),
    N("starnet_s050", "w8_e6", {"base_dim": 8, "depths": [1, 1, 2, 1]},
      epochs=6, lr=3e-3, augment="flip"),
    N("starnet_s050", "w8_e1", {"base_dim": 8, "depths": [1, 1, 2, 1]}, epochs=1),
    # vision_transformer, deit, relative positions
    N("test_vit", "w32_e4", {**VIT28, "embed_dim": 32, "depth": 3, "num_heads": 2}, epochs=4),
    N("test_vit", "w48_d2", {**VIT28, "embed_dim": 48, "depth": 2, "num_heads": 4},
      epochs=5, data_fraction=0.02, batch=32, lr=1e-3),
    N("test_vit2", "w48_e1_n40",
      {**VIT28, "embed_dim": 48, "depth": 3, "num_heads": 3, "init_values": 0.1},
      epochs=1, label_noise=0.4),
    N("vit_tiny_patch16_224", "p4_e1",
      {"img_size": 28, "patch_size": 4, "embed_dim": 48, "depth": 3, "num_heads": 3,
       "mlp_ratio": 2}, epochs=1),
    N("deit_tiny_patch16_224", "w48_d10",
      {**VIT28, "embed_dim": 48, "depth": 3, "num_heads": 3, "mlp_ratio": 2},
      epochs=4, data_fraction=0.1, batch=64),
    N("deit3_small_patch16_224", "w48_e1",
      {**VIT28, "embed_dim": 48, "depth": 3, "num_heads": 3, "mlp_ratio": 2, "init_values": 0.1},
      epochs=1),
    N("test_vit_relpos", "w48_d5", {**VIT28, "embed_dim": 48, "depth": 3, "num_heads": 3},
      epochs=5, data_fraction=0.05, batch=32),
    # swin, twins, pvt, davit, xcit, levit
    N("swin_tiny_patch4_window7_224", "w32_e1",
      {"img_size": 28, "patch_size": 4, "window_size": 7, "embed_dim": 32, "depths": [2, 1],
       "num_heads": [2, 4], "drop_path_rate": 0.0}, epochs=1),
    N("swin_tiny_patch4_window7_224", "w24_d2",
      {"img_size": 32, "patch_size": 4, "window_size": 4, "embed_dim": 24, "depths": [1, 1],
       "num_heads": [2, 4], "drop_path_rate": 0.0},
      image_size=32, epochs=10, data_fraction=0.02, batch=32),
    N("twins_svt_small", "w16_e1",
      {"img_size": 32, "embed_dims": [16, 32, 48], "num_heads": [1, 2, 2], "depths": [1, 1, 1],
       "wss": [4, 4, 4], "sr_ratios": [2, 1, 1], "mlp_ratios": [2, 2, 2]},
      image_size=32, epochs=1),
    N("pvt_v2_b0", "w12_d10_n40",
      {"embed_dims": [12, 16, 24, 32], "depths": [1, 1, 1, 1], "num_heads": [1, 1, 2, 2]},
      image_size=32, epochs=4, data_fraction=0.1, label_noise=0.4, batch=64),
    N("davit_tiny", "w16_e05",
      {"depths": [1, 1, 1], "embed_dims": [16, 24, 32], "num_heads": [2, 2, 4],
       "window_size": 4}, image_size=32, epochs=0.5, batch=64),
    N("xcit_nano_12_p16_224", "p8_d20",
      {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 3, "num_heads": 2},
      image_size=32, epochs=2, data_fraction=0.2, batch=64),
    N("levit_128s", "w32_e3",
      {"img_size": 32, "embed_dim": [32, 48], "key_dim": 8, "depth": [1, 1],
       "num_heads": [2, 2], "stem_type": "s8"}, image_size=32, epochs=3),
    # kat: zoo_eval's own architecture, which comes through the entry-point group zoo_eval.models
    N("kat_micro_patch4_28", "w48_e4", epochs=4, augment="flip"),
    # mlp_mixer
    N("mixer_s16_224", "l8_e05", {"img_size": 32, "mlp_ratio": [0.03125, 0.03125]},
      image_size=32, epochs=0.5, lr=1e-3),
]
# fmt: on
