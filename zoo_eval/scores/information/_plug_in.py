"""Mutual information of discrete states and classes, by counting.

The plug-in estimate takes shares for probabilities. It is biased upwards: with random labels it
is not 0 but about (states − 1)(C − 1) / (2 n ln 2) bits, and log₂ C if each image has a state of
its own. What labels in random order give, the null, is known exactly: the count of a class of b
images in a state of a images is then hypergeometric. So no permutation has to be drawn.
"""

import numpy as np
from jaxtyping import Float, Integer
from scipy.special import gammaln, xlogy

from zoo_eval.errors import ScoreUndefinedError


def row_states(digits: Integer[np.ndarray, "n k"]) -> Integer[np.ndarray, " n"]:
    """One state for each distinct row, numbered from 0."""
    return np.unique(digits, axis=0, return_inverse=True)[1].reshape(-1)


def plug_in_information(
    states: Integer[np.ndarray, "n m"],
    ids: Integer[np.ndarray, " n"],
    sizes: Integer[np.ndarray, " classes"],
    *,
    null: bool,
) -> Float[np.ndarray, " m"]:
    """I(T; Y) of each column of states and the classes, in bits.

    Args:
        states: State of each image, in several ways of making states, one per column.
        ids: Class of each image, 0 … C − 1.
        sizes: Number of images of each class.
        null: Take off what labels in random order give, on average over all orders.

    Raises:
        ScoreUndefinedError: with the null, and in no column two images have the same state.
    """
    n, n_classes = len(ids), len(sizes)
    counts = np.arange(n + 1)
    terms = xlogy(counts, counts) / np.log(2)  # m log₂ m of every possible count m
    found = [np.bincount(column) for column in states.T]
    if null:
        if max(int(of_states.max()) for of_states in found) == 1:
            raise ScoreUndefinedError(
                f"Each of the {n} images has a state of its own, so that labels in any order give "
                "the same information. Take fewer bins or components, or more images."
            )
        # H(T) and H(Y) are those of any order: only the counts of the cells differ.
        expected = _expected_terms(np.unique(np.concatenate(found)), sizes, terms)
        reference = np.array([expected[of_states].sum() for of_states in found]) / n
    else:
        apart = np.array([terms[of_states].sum() for of_states in found])
        reference = (apart + terms[sizes].sum() - terms[n]) / n
    cells = [np.bincount(column * n_classes + ids) for column in states.T.astype(np.int64)]
    return np.array([terms[cell].sum() for cell in cells]) / n - reference


def _expected_terms(
    state_sizes: Integer[np.ndarray, " k"],
    class_sizes: Integer[np.ndarray, " classes"],
    terms: Float[np.ndarray, " n_plus_1"],
) -> Float[np.ndarray, " n_plus_1"]:
    """Σ_c E[m_c log₂ m_c] for a state of a images, at index a, m_c of class c by chance.

    P(m) = C(b, m) C(n − b, a − m) / C(n, a) for a class of b images. Filled in for the given
    sizes of states only.
    """
    n = len(terms) - 1
    factorials = gammaln(np.arange(n + 1) + 1.0)  # ln m!
    distinct, times = np.unique(class_sizes, return_counts=True)
    b = np.repeat(distinct, distinct)
    m = np.arange(len(b)) - np.repeat(np.cumsum(distinct) - distinct, distinct) + 1  # 1 … b
    weights = np.repeat(times, distinct) * terms[m]
    of_class = factorials[b] - factorials[m] - factorials[b - m] + factorials[n - b]
    expected = np.zeros(n + 1)
    for a in state_sizes[state_sizes > 1]:  # one image alone has m log m = 0
        possible = (m <= a) & (a - m <= n - b)
        mp, bp = m[possible], b[possible]
        of_rest = factorials[a - mp] + factorials[n - bp - a + mp]
        of_state = factorials[n] - factorials[a] - factorials[n - a]
        expected[a] = weights[possible] @ np.exp(of_class[possible] - of_rest - of_state)
    return expected
