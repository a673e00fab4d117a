"""Python to copy: the network alone, and the exported probe; and the README that goes with it."""

import json

from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.manifest import ModelLine
from zoo_eval.ranking.takeaway.exported import ProbeTable
from zoo_eval.report.pages.snippet import loading_snippet


def network_snippet(line: ModelLine) -> str:
    """Python that turns an image into the embedding that was ranked, with timm alone.

    Raises:
        ModelError: neither the manifest nor timm says how the network wants its images.
    """
    wants = preprocessing_of(line)
    return (
        f"{loading_snippet(line.model, json.dumps(dict(line.cells)))}"
        "import torch\nfrom PIL import Image\n\n"
        "transform = timm.data.create_transform(\n"
        f"    input_size=(3, {wants.image_size}, {wants.image_size}),\n"
        f"    interpolation={wants.interpolation!r},\n"
        f"    mean={wants.mean!r},\n"
        f"    std={wants.std!r},\n"
        f"    crop_pct={wants.crop!r},\n"
        f"    crop_mode={wants.crop_mode!r},\n"
        ")\n"
        'image = Image.open("image.jpg").convert("RGB")\n'
        "model.eval()\n"
        "with torch.inference_mode():\n"
        "    features = model.forward_features(transform(image)[None])\n"
        "    embedding = model.forward_head(features, pre_logits=True)\n"
    )


def probe_snippet(folder: str) -> str:
    """Python that predicts with an exported probe.

    Args:
        folder: Where it lies, as the reader would write it.
    """
    return (
        "import zoo_eval\n\n"
        f"probe = zoo_eval.load_probe({folder!r})\n"
        'found = probe.predict(["image.jpg"])\n'
        "print(found.labels, found.probabilities.max(axis=1))\n"
    )


def readme(table: ProbeTable, folder: str) -> str:
    """What the folder is, for who finds it."""
    accuracy = table.accuracy
    licence = f" Its licence is {table.model.licence}." if table.model.licence else ""
    return (
        f"# {table.model.name}, with a linear probe for {table.dataset}\n\n"
        f"The probe tells {len(table.classes)} classes apart and was fitted on "
        f"{table.n_images:,} images. On images like these about {accuracy.value:.1%} of its "
        f"answers are right (each image predicted from the others; 95 % interval "
        f"{accuracy.low:.1%} to {accuracy.high:.1%}, for the number of images alone).{licence}\n\n"
        f"```python\n{probe_snippet(folder)}```\n\n"
        f"`probe.json` says how the network is built and how it wants its images; "
        f"`probe.safetensors` holds the probe. Written by zoo_eval {table.zoo_eval}, "
        f"{table.created}.\n"
    )
