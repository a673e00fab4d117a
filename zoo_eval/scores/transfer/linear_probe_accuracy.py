"""Accuracy of logistic regression on the embeddings."""

import warnings

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score

# scikit-learn's C, the inverse of the L2 penalty, from strong to weak. With standardised
# features a weaker one than the last separates the classes and changes nothing more.
_STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_MAX_ITERATIONS = 2000
# With scikit-learn's own 1e-4 the fit stops early enough to show in the accuracy.
_TOLERANCE = 1e-6


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0), version=2)
def linear_probe_accuracy(
    embeddings: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    folds: int = 5,
    seed: int = 0,
) -> float:
    """Cross-validated accuracy of a linear classifier trained on the embeddings.

    The images are split into folds with equal shares of each class. Each fold in turn is
    predicted by a multinomial logistic regression with L2 penalty, trained on the others. The
    penalty is chosen by training on the rest and predicting the next fold: from C = 10⁻⁴ it is
    weakened tenfold, up to C = 1, until that lowers the accuracy; the strongest of the best is
    taken. So no image that is predicted has been seen. Features are standardised by the mean and
    deviation of the training images.

    Args:
        embeddings: One row per image.
        labels: Class of each image.
        folds: Number of folds, at least 3.
        seed: Start of the random split.

    Returns:
        Fraction of images that are given their own class, from 0 to 1; the share of the
        largest class if all embeddings are equal. Unchanged by scaling and shifting features;
        another order of the images makes other folds.

    Raises:
        InputError: folds is below 3.
        ScoreUndefinedError: there is one class only, a class has fewer images than there are
            folds, or the regression does not converge.

    References:
        Kornblith et al., "Do Better ImageNet Models …", CVPR 2019, https://arxiv.org/abs/1805.08974

    >>> classes = np.arange(30) % 2
    >>> linear_probe_accuracy(np.stack([classes * 2.0, classes - 1.0], axis=1), classes)
    1.0
    """
    if folds < 3:
        raise InputError(f"folds must be ≥ 3, to train, choose and test, but is {folds}.")
    ids, sizes = class_ids(labels, "The linear probe")
    if sizes.min() < folds:
        raise ScoreUndefinedError(
            f"{folds} folds need {folds} images of each class, but {int(np.sum(sizes < folds))} of "
            f"{len(sizes)} classes have fewer, the smallest {sizes.min()}. Lower folds."
        )
    z = embeddings.astype(np.float64)
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(z, ids)
    fold_of = np.empty(len(ids), dtype=np.int64)
    for fold, (_, test) in enumerate(splits):
        fold_of[test] = fold
    correct = 0
    for fold in range(folds):
        test, choice = fold_of == fold, fold_of == (fold + 1) % folds
        strength = _choose_strength(z, ids, ~test & ~choice, choice)
        correct += _Probe(z[~test], ids[~test]).n_correct(strength, z[test], ids[test])
    return correct / len(ids)


def _choose_strength(
    z: Float[np.ndarray, "n d"],
    ids: Int[np.ndarray, " n"],
    train: Bool[np.ndarray, " n"],
    choice: Bool[np.ndarray, " n"],
) -> float:
    """The strongest penalty of the best accuracy before weakening it first does harm."""
    probe = _Probe(z[train], ids[train])
    best, best_right = _STRENGTHS[0], -1
    for strength in _STRENGTHS:
        right = probe.n_correct(strength, z[choice], ids[choice])
        if right < best_right:
            break  # weaker penalties take far longer to fit, and from here on only fit noise
        if right > best_right:
            best, best_right = strength, right
    return best


class _Probe:
    """Logistic regression on standardised training images, for one strength after another.

    The L2 penalty knows no directions, so the weights lie in the span of the training images:
    with fewer images than features the fit is done in coordinates of that span.
    """

    def __init__(self, z: Float[np.ndarray, "n d"], ids: Int[np.ndarray, " n"]) -> None:
        self._scaler = StandardScaler().fit(z)
        scaled = np.asarray(self._scaler.transform(z))
        self._axes = np.linalg.qr(scaled.T)[0] if len(z) < z.shape[1] else None
        self._z = self._in_span(scaled)
        self._ids = ids
        # Each fit begins where the one before ended.
        self._model = LogisticRegression(tol=_TOLERANCE, max_iter=_MAX_ITERATIONS, warm_start=True)

    def n_correct(
        self, strength: float, z: Float[np.ndarray, "m d"], ids: Int[np.ndarray, " m"]
    ) -> int:
        """Number of these images that the probe gets right after training at this strength."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                self._model.set_params(C=strength).fit(self._z, self._ids)
            except ConvergenceWarning as warning:
                raise ScoreUndefinedError(
                    f"Logistic regression with C = {strength} on {len(self._z)} images of "
                    f"{self._z.shape[1]} features did not converge in {_MAX_ITERATIONS} iterations."
                ) from warning
        scaled = np.asarray(self._scaler.transform(z))
        return int(np.sum(self._model.predict(self._in_span(scaled)) == ids))

    def _in_span(self, scaled: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m k"]:
        return scaled if self._axes is None else scaled @ self._axes
