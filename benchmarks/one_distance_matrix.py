"""Six scores that compare images in pairs, together against each alone.

DSMI, DSE, k-NN, silhouette, TwoNN and PARC of 3,000 images with 20 classes and 1,280 features from
`_timing.like_a_network`, seed 0; three runs by turns. Together they share quantities through one
`Resolver`, as in a run. The baseline is the dearest of the six alone, so the ratio is below 1.
Usage: python benchmarks/one_distance_matrix.py [N]
"""

import sys
from collections.abc import Callable, Sequence

from _timing import by_turns, like_a_network, machine

from zoo_eval.quantities import Resolver, check_given
from zoo_eval.scores import SCORES

NAMES = ("dsmi", "dse", "knn_accuracy", "silhouette", "twonn", "parc")
N_FEATURES, N_CLASSES = 1280, 20


def main() -> None:
    """Print one line of the table, and what each score takes alone."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    z, labels = like_a_network(n, N_FEATURES, N_CLASSES)
    givens = {"embeddings": z, "labels": check_given("labels", labels)}

    def total(names: Sequence[str]) -> Callable[[], float]:
        def compute() -> float:
            resolver = Resolver(givens, [SCORES[name].needs for name in names])
            value = 0.0
            for name in names:
                score = SCORES[name]
                value += score.measure(resolver, score.with_defaults({})).value
                resolver.release(score.needs)
            return value

        return compute

    found = by_turns({n: total([n]) for n in NAMES} | {"together": total(NAMES)}, repeats=3)
    together = found.pop("together")
    dearest = max(found, key=lambda name: found[name].processor)
    alone = found[dearest]
    print(
        f"| six scores of pairs, n = {n:,}, d = 1,280 | {dearest}: {alone.wall:.2f} s "
        f"({alone.processor:.2f}) | {together.wall:.2f} s ({together.processor:.2f}) | "
        f"1 / {together.wall / alone.wall:.2f} (1 / {together.processor / alone.processor:.2f}) | "
        f"{together.value - sum(t.value for t in found.values()):+.1e} of {together.value:.4f} "
        f"| {machine()} |"
    )
    print(
        "alone: "
        + ", ".join(f"{name} {t.wall:.2f} ({t.processor:.2f})" for name, t in found.items())
    )


if __name__ == "__main__":
    main()
