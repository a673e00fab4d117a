"""A look at the images before anything is computed of them."""

from zoo_eval.ranking.inspection.findings import Copies, Inspection, Shortage, Sizes
from zoo_eval.ranking.inspection.look import inspect_images
from zoo_eval.ranking.inspection.text import inspection_text

__all__ = ["Copies", "Inspection", "Shortage", "Sizes", "inspect_images", "inspection_text"]
