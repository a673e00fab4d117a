"""NC1, the collapse of the embeddings to their class means."""

import numpy as np
from jaxtyping import Int, Shaped

from zoo_eval.errors import InputError
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._class_means import class_means


@score(unit="dimensionless", higher_is_better=False, bounds=(0.0, np.inf))
def nc1(
    embeddings: Shaped[np.ndarray, "n d"], labels: Int[np.ndarray, " n"], *, form: str = "pinv"
) -> float:
    """First measure of neural collapse: variability within classes against that of their means.

    With class means μ_c, their plain mean μ, Σ_W = Σᵢ (zᵢ − μ_{yᵢ})(zᵢ − μ_{yᵢ})ᵀ / n and
    Σ_B = Σ_c (μ_c − μ)(μ_c − μ)ᵀ / C:

    `"pinv"`: tr(Σ_W Σ_B⁺) / C, as in the papers.
    `"quotient"`: tr Σ_W / tr Σ_B, which weights directions by their variance and so does not
    explode when two classes come close to each other.

    Σ_B has rank C − 1 at most, so with Σ_B = Σⱼ bⱼ vⱼvⱼᵀ, r ≤ C − 1 terms, the first is
    Σⱼ Σᵢ (vⱼ·(zᵢ − μ_{yᵢ}))² / (n C bⱼ), without any d × d matrix. This also keeps rounding out of
    the pseudo-inverse: with a looser cut the one direction too many would dominate. Directions
    without any distance between class means do not count.

    Implementations differ in the weights of the classes; here, as in the papers, an image has
    weight 1/n in Σ_W and a class 1/C in Σ_B and μ, whatever its size. A class of one image has no
    variability and lowers the value.

    Args:
        embeddings: One row per image.
        labels: Class of each image.
        form: `"pinv"` or `"quotient"`.

    Returns:
        From 0 (all images of a class are equal). Unchanged by rotation, translation, scale,
        reordering images and renaming classes; `"pinv"` by every invertible linear map if there
        are at least as many classes as features + 1.

    Raises:
        InputError: form is neither of the two.
        ScoreUndefinedError: there is one class only, no class has two images, or all class means
            are equal.

    References:
        Papyan, Han and Donoho, "Prevalence of neural collapse during the terminal phase of deep
        learning training", PNAS 2020, https://arxiv.org/abs/2008.08186
        Tirer et al., "Perturbation Analysis of Neural Collapse", ICML 2023 (the quotient),
        https://arxiv.org/abs/2210.16658
        rhubarbwu/neural-collapse, neural_collapse/measure.py.

    >>> z = np.array([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]])
    >>> labels = np.array([0, 0, 1, 1])
    >>> nc1(z, labels)  # all variability is at right angles to the means
    0.0
    >>> round(nc1(z, labels, form="quotient"), 6)
    0.111111
    """
    if form not in ("pinv", "quotient"):
        raise InputError(f"form must be 'pinv' or 'quotient', but is {form!r}.")
    means = class_means(embeddings, labels, "NC1")
    n, n_classes = len(means.ids), len(means.sizes)
    if form == "quotient":
        within = np.sum(means.residuals**2) / n
        return float(within / (np.sum(means.offsets**2) / n_classes))
    _, values, directions = np.linalg.svd(means.offsets, full_matrices=False)
    rank = min(int(np.sum(values > means.rounding)), n_classes - 1)
    along = means.residuals @ directions[:rank].T  # Σ_B's bⱼ is values² / C, so C cancels
    return float(np.sum((along / values[:rank]) ** 2) / n)
