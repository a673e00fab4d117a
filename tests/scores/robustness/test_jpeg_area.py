from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from zoo_eval.scores.robustness.jpeg_area import jpeg_area

QUALITIES = (95, 75, 50, 25, 18, 15, 10, 7)


def through_files(trained, quality):
    resize, pictures = trained.preprocessing.resize(cropped=False), []
    for place in range(len(trained.dataset)):
        file = BytesIO()
        trained.dataset[place].save(file, "JPEG", quality=quality)
        pictures.append(resize(Image.open(file).convert("RGB")))
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(v)[:, None, None] for v in (trained.preprocessing.mean,
                                                          trained.preprocessing.std))  # fmt: skip
    return (batch - mean) / std


def test_equals_the_area_over_images_from_files(trained):
    kept = [trained.agreement(batch=through_files(trained, quality)) for quality in QUALITIES]
    expected = np.trapezoid(kept, np.log2(QUALITIES)) / np.log2(7 / 95)
    assert jpeg_area(**trained.givens("altered_images")) == pytest.approx(expected, abs=2e-3)


def test_each_measure_and_the_control(trained):
    for measure in ("agreement", "fidelity", "cka", "accuracy"):
        for control in (False, True):
            given = trained.givens("altered_images", "head_labels")
            assert 0.3 < jpeg_area(**given, measure=measure, control=control) < 1
