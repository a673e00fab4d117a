"""The rules of a race: how many images each round takes, who goes on, and when it is decided.

Pure functions of what is known, so that a race that is gone on with decides as it did before.
"""

from collections.abc import Sequence

from zoo_eval.ranking.standing import Standing

FIRST_IMAGES, FEWEST, GROWTH = 100, 2, 4
# A pass over more images takes longer than it tells; distances of all pairs need n² numbers.
MOST_IMAGES = 10_000
NEGLIGIBLE = 0.01  # a chance of being in the top k
SURE = 0.95


def images_per_class(counts: Sequence[int]) -> tuple[int, ...]:
    """How many images of each class the rounds take, at most; each takes those of the one before.

    About 100 images at first, at least 10 of each class if it has few classes, 2 if many; four
    times as many in each round, up to all or 10,000 in total.

    Args:
        counts: Images of each class.

    >>> images_per_class([200] * 10), images_per_class([12, 3]), images_per_class([5] * 1000)
    ((10, 40, 200), (12,), (2, 5))
    """
    largest = max(counts)
    last = largest
    while last > FEWEST and sum(min(last, n) for n in counts) > MOST_IMAGES:
        last = last - 1 if last <= 10 else int(last * 0.95)
    size = min(last, max(FEWEST, 10 if len(counts) <= 50 else FIRST_IMAGES // len(counts)))
    sizes = [size]
    while sizes[-1] * GROWTH <= last:
        sizes.append(sizes[-1] * GROWTH)
    if sizes[-1] < last:
        if last < 2 * sizes[-1]:  # not worth a round of its own
            sizes.pop()
        sizes.append(last)
    return tuple(sizes)


def going_on(ranked: Standing, top: int) -> tuple[str, ...]:
    """Networks that can still be in the top k, best first; at least k of them."""
    return tuple(
        model
        for place, (model, chance) in enumerate(zip(ranked.models, ranked.chance_top, strict=True))
        if place < top or chance >= NEGLIGIBLE
    )


def decided(ranked: Standing, top: int) -> bool:
    """Whether more images would hardly change the top k, nor which is the first of them."""
    chances = ranked.chance_top[:top]
    return sum(chances) / len(chances) >= SURE and ranked.chance_best[0] >= SURE
