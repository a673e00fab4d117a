"""Five thousand classes of two images each."""

import numpy as np
import pytest
from PIL import Image

import zoo_eval
from tests.datasets.images import encode, write_parquet
from tests.zoo import write_zoo
from zoo_eval.ranking.inspection import inspection_text

N_CLASSES = 5000


@pytest.mark.slow
def test_they_are_looked_at_and_ranked(tmp_path):
    generator = np.random.default_rng(0)
    colours = generator.integers(0, 256, (N_CLASSES, 4, 4, 3))
    images, labels = [], []
    for number, pixels in enumerate(colours):
        for _ in range(2):
            seen = np.clip(pixels + generator.normal(0, 10, pixels.shape), 0, 255)
            images.append(encode(Image.fromarray(seen.astype(np.uint8))))
            labels.append(f"class {number}")
    table = write_parquet(tmp_path / "many.parquet", images, labels)
    look = zoo_eval.inspect_images(table)
    assert (look.n_images, len(look.classes)) == (2 * N_CLASSES, N_CLASSES)
    assert inspection_text(look).count("\n") < 25
    found = zoo_eval.rank(
        table,
        manifest=write_zoo(tmp_path / "zoo", 2),
        top=1,
        store=tmp_path / "r.duckdb",
        workers=1,
    )
    assert len(found.classes) == N_CLASSES
    assert {row.n_images for row in found.rows} == {2 * N_CLASSES}
    # Guessing is right once in 5,000 times.
    assert all(row.accuracy > 10 / N_CLASSES for row in found.rows)
    assert found.ended in ("decided", "all images")
