"""Which scores the classes are too small for."""

from collections.abc import Mapping

from zoo_eval.ranking.inspection.findings import Shortage
from zoo_eval.scores import SCORES

# These cut each class into as many parts as their option says.
_FOLDED = ("linear_probe_accuracy", "poincare_ncm_gain")
_LEFT_OUT = ("knn_accuracy", "ncm_accuracy", "ridge_probe_accuracy")


def shortages(classes: Mapping[str, int]) -> tuple[Shortage, ...]:
    """What each score, with its own options, needs and these classes do not have.

    Args:
        classes: Images of each class; none if they have no labels.
    """
    if not classes:
        return ()
    if len(classes) == 1:
        why = f"they compare classes, and there is only {next(iter(classes))!r}"
        return (Shortage("scores with labels", why, undefined=True),)
    found = [_folded(name, classes) for name in _FOLDED]
    found += [_neighbours(classes), _episodes(classes), *(_alone(n, classes) for n in _LEFT_OUT)]
    return tuple(each for each in found if each is not None)


def _folded(score: str, classes: Mapping[str, int]) -> Shortage | None:
    folds = _option(score, "folds")
    return _below(score, classes, folds, f"{folds} images of each class are needed", undefined=True)


def _alone(score: str, classes: Mapping[str, int]) -> Shortage | None:
    need = "an image that is alone in its class is never taken for it"
    return _below(score, classes, 2, need, undefined=False)


def _below(
    score: str, classes: Mapping[str, int], least: int, need: str, *, undefined: bool
) -> Shortage | None:
    small = {name: size for name, size in classes.items() if size < least}
    if not small:
        return None
    name = min(small, key=small.__getitem__)
    have = "1 class has" if len(small) == 1 else f"{len(small)} classes have"
    why = f"{need}; {have} fewer than {least}, the smallest, {name!r}, {small[name]}"
    return Shortage(score, why, undefined)


def _neighbours(classes: Mapping[str, int]) -> Shortage | None:
    k, n = _option("knn_accuracy", "k"), sum(classes.values())
    if n > k:
        return None
    why = f"more images are needed than its {k} neighbours; there are {n}"
    return Shortage("knn_accuracy", why, undefined=True)


def _episodes(classes: Mapping[str, int]) -> Shortage | None:
    score = "few_shot_accuracy"
    ways = _option(score, "ways")
    images = _option(score, "shots") + _option(score, "queries")
    n = sum(size >= images for size in classes.values())
    if n >= ways:
        return None
    have = f"{n} {'class has' if n == 1 else 'classes have'} so many"
    why = f"{ways} classes of {images} images are needed; {have}"
    return Shortage(score, why, undefined=True)


def _option(score: str, option: str) -> int:
    value = SCORES[score].options[option]
    assert isinstance(value, int), f"{option} of {score} is a number"
    return value
