"""Adjacency spectral entropy (ASE)."""

import numpy as np
from jaxtyping import Float, Shaped

from zoo_eval.scores._score import score
from zoo_eval.scores.information._adjacency import graph_spectrum
from zoo_eval.scores.information._features import feature_distances


@score(unit="bits", higher_is_better=None, bounds=(0.0, np.inf))
def ase(
    squared_distances: Float[np.ndarray, "n n"],
    embeddings: Shaped[np.ndarray, "n d"],
    *,
    graph: str = "gaussian",
    k: int = 10,
    bandwidth: str | float | int = "sqrt_dim",
    features: str = "raw",
) -> float:
    """Adjacency spectral entropy: the entropy of the eigenvalues of a graph on the images.

    Let A be the adjacency matrix of the graph, λ its eigenvalues and pᵢ = |λᵢ| / Σⱼ |λⱼ|. Then
    ASE = −Σᵢ pᵢ log₂ pᵢ. The original code offers three graphs:

    - `"gaussian"`: Aᵢⱼ = exp(−‖zᵢ − zⱼ‖² / 2σ²). Unlike in `dse`, rows are not scaled, so an
      image in a crowd weighs more than one alone: k tight clusters far from each other give the
      entropy of their sizes, log₂ k only if these are equal.
    - `"anisotropic"`, as the original names it: the matrix K of `dse`, and so its value at
      t = 1, to the last digit.
    - `"knn"`: Aᵢⱼ = 1 if image j is among the k nearest of image i, itself among these, else 0.
      All images as near as the k-th are in. The graph is directed, A is not symmetric and λ is
      complex; the cost is about 10 times that of the other two.

    The original defaults to σ = 10, we to that of `dse`. It adds 2·10⁻¹⁶ to each pᵢ, which we
    do not, and fails with k > n. A directed graph often has repeated eigenvalues that a general
    solver finds only to a root of the rounding error: of 400 small random graphs, the original's
    way gives up to 0.005 bits of difference between two orders of the same images. We split A
    into its strongly connected parts and take off the zeros first, which leaves 10⁻¹⁴.

    Args:
        squared_distances: ‖zᵢ − zⱼ‖², one row and one column per image.
        embeddings: Z; one row per image, one column per feature.
        graph: `"gaussian"`, `"anisotropic"` or `"knn"`.
        k: Neighbours of an image in the graph `"knn"`, the image itself among them.
        bandwidth: σ of the other graphs: `"sqrt_dim"` for √d, `"median"` for the square root of
            half the median squared distance of two different images, or a positive number.
        features: `"raw"`, `"zscore"` or `"l2"`, as in `dse`.

    Returns:
        Bits, from 0 (all embeddings equal) to log₂ n (all far apart, measured in σ). Unchanged
        by reordering images; by rotation, except with `features="zscore"`; by translation,
        except with `"l2"`; by scale only with `"knn"`, `bandwidth="median"`, `"zscore"` or
        `"l2"`.

    Raises:
        InputError: an option is not one of the above, k is below 2, or `features="l2"` comes
            with `bandwidth="sqrt_dim"` where σ is used.
        ScoreUndefinedError: `"knn"` and n ≤ k, so that the graph is complete for every model;
            `bandwidth="median"` and the median distance is 0; or `features="l2"` and an
            embedding is zero.

    References:
        Liao et al., "Diffusion Spectral Entropy" (2023), code, https://arxiv.org/abs/2312.04823

    >>> clusters_of_4_2_2 = 100 * np.array([[0], [0], [0], [0], [1], [1], [2], [2]])
    >>> round(ase(embeddings=clusters_of_4_2_2), 6)
    1.5
    """
    distances = feature_distances(squared_distances, embeddings, features)
    entropy = graph_spectrum(
        distances,
        embeddings,
        len(embeddings),
        graph=graph,
        k=k,
        bandwidth=bandwidth,
        features=features,
    )
    return float(entropy(distances[None])[0])
