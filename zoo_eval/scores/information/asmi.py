"""Adjacency spectral mutual information (ASMI) of embeddings and classes."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.scores.information._adjacency import graph_spectrum
from zoo_eval.scores.information._features import feature_distances
from zoo_eval.scores.information._subsets import blocks, information_gain


@score(unit="bits", higher_is_better=None)
def asmi(
    squared_distances: Float[np.ndarray, "n n"],
    embeddings: Shaped[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    graph: str = "gaussian",
    k: int = 10,
    bandwidth: str | float | int = "sqrt_dim",
    features: str = "raw",
    repeats: int = 5,
    seed: int = 0,
) -> float:
    """Adjacency spectral mutual information of the embeddings Z and the classes Y.

    ASMI(Z; Y) = Σ_c (n_c / n) (mean over r of ASE(R_cr) − ASE(Z_c)), with Z_c the n_c images
    of class c and R_cr random subsets of n_c of all n images; see `ase` for the graphs, which
    are made of each class and subset by itself, and `dsmi` for how subsets are drawn.

    With `graph="knn"`, k images or fewer always make a complete graph, so a class of at most k
    images adds 0. The original code does so for n_c = k but stops with an error for n_c < k.
    The sign is reversed: a graph that falls into groups has the lower entropy, and of distinct
    classes it is the random subset that falls into groups. Six Gaussian classes of 50 images and
    8 features give about 0 with equal means and −2 with distant ones (k = 10), where the graph
    `"gaussian"` gives 0 and 1.4.

    Args:
        squared_distances: ‖zᵢ − zⱼ‖², one row and one column per image.
        embeddings: Z; one row per image, one column per feature.
        labels: Class of each image.
        graph: `"gaussian"`, `"anisotropic"` (which gives the value of `dsmi` at t = 1) or
            `"knn"`.
        k: Neighbours of an image in the graph `"knn"`, the image itself among them.
        bandwidth: σ of the other graphs: `"sqrt_dim"` for √d, `"median"` for the square root of
            half the median squared distance of two different images, or a positive number.
        features: `"raw"`, `"zscore"` or `"l2"`, as in `dse`.
        repeats: Random subsets per class.
        seed: Start of the random subsets.

    Returns:
        Bits, about 0 where classes spread like random images, at most log₂ of the largest
        class's size either way; the classes' sign is + with `"gaussian"` and `"anisotropic"`,
        − with `"knn"`. Unchanged by renaming classes; by rotation, except with
        `features="zscore"`; by translation, except with `"l2"`. Another order of the images
        draws other subsets.

    Raises:
        InputError: an option is not one of the above, k is below 2, or `features="l2"` comes
            with `bandwidth="sqrt_dim"` where σ is used.
        ScoreUndefinedError: there is one class only; `"knn"` and no class has more than k
            images; `bandwidth="median"` and the median distance is 0; or `features="l2"` and an
            embedding is zero.

    References:
        Liao et al., "Diffusion Spectral Entropy" (2023), code, https://arxiv.org/abs/2312.04823

    >>> far_apart = 100 * np.eye(4)
    >>> asmi(embeddings=far_apart, labels=[0, 0, 1, 1])  # within a class as far as anywhere
    0.0
    """
    ids, sizes = class_ids(labels, "ASMI")
    distances = feature_distances(squared_distances, embeddings, features)
    entropy = graph_spectrum(
        distances,
        embeddings,
        int(sizes.max()),
        graph=graph,
        k=k,
        bandwidth=bandwidth,
        features=features,
    )

    def entropies(subsets: np.ndarray) -> np.ndarray:
        return entropy(blocks(distances, subsets))

    return information_gain(entropies, ids, sizes, repeats=repeats, seed=seed)
