"""What the neighbours of each image say of its class."""

import numpy as np
from jaxtyping import Float, Int

# Widths of the kernel, in units of the median squared distance to the fifth neighbour; and shares
# of the probability that are spread evenly over the classes, whatever the neighbours say.
_WIDTHS = 2.0 ** np.arange(-4.0, 3.5, 0.5)
_DOUBTS = (0.01, 0.03, 0.1, 0.3)
_NEIGHBOUR = 5
_MOST_PAIRS = 1_000_000  # pairs of images looked at together; as many choose width and doubt


def neighbour_log_likelihood(
    embeddings: Float[np.ndarray, "n d"], labels: Int[np.ndarray, " n"], n_classes: int
) -> Float[np.ndarray, " n"]:
    """Log probability that its neighbours give each image's own class, in nats.

    Image j votes for its class at image i with the weight exp(−dᵢⱼ / h), dᵢⱼ being the squared
    distance of their directions; i itself has no vote. With p the own class's share of the votes,
    its probability is (1 − ε) p + ε / C. The width h and the doubt ε are those with the largest
    likelihood.

    Args:
        embeddings: One row per image; only directions count. A zero has none, and is equally far
            from all others.
        labels: Class of each image, from 0 to C − 1.
        n_classes: C.

    References:
        Goldberger et al., "Neighbourhood Components Analysis", NeurIPS 2004 (the soft neighbours),
        https://papers.nips.cc/paper/2566-neighbourhood-components-analysis
    """
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    points = embeddings / np.where(lengths > 0, lengths, 1.0)
    n = len(points)
    rows = max(_MOST_PAIRS // n, 1)
    chosen = np.unique(np.linspace(0, n - 1, min(n, rows)).astype(np.int64))
    distances = _distances(points, chosen)
    unit = float(np.median(np.sort(distances, axis=1)[:, min(_NEIGHBOUR, n - 1) - 1])) or 1.0
    _, width, doubt = max(
        (float(_log(share, doubt, n_classes).sum()), float(width), doubt)
        for width in _WIDTHS
        for share in [_own_share(distances / (width * unit), labels, chosen)]
        for doubt in _DOUBTS
    )
    found = np.empty(n)
    for start in range(0, n, rows):
        places = np.arange(start, min(start + rows, n))
        scaled = _distances(points, places) / (width * unit)
        found[places] = _log(_own_share(scaled, labels, places), doubt, n_classes)
    return found


def _distances(
    points: Float[np.ndarray, "n d"], places: Int[np.ndarray, " m"]
) -> Float[np.ndarray, "m n"]:
    """Squared, from some of the points to all; infinite from each to itself."""
    squares = (points**2).sum(axis=1)
    products = points[places] @ points.T
    distances = np.maximum(squares[places, None] + squares - 2 * products, 0.0)
    distances[np.arange(len(places)), places] = np.inf
    return distances


def _own_share(
    distances: Float[np.ndarray, "m n"],
    labels: Int[np.ndarray, " n"],
    places: Int[np.ndarray, " m"],
) -> Float[np.ndarray, " m"]:
    """Share of the votes that each image's own class has."""
    votes = np.exp(distances.min(axis=1, keepdims=True) - distances)
    own = np.where(labels == labels[places, None], votes, 0.0).sum(axis=1)
    return own / votes.sum(axis=1)


def _log(share: Float[np.ndarray, " m"], doubt: float, n_classes: int) -> Float[np.ndarray, " m"]:
    return np.log((1 - doubt) * share + doubt / n_classes)
