"""A ranking in words, the same on the terminal and on the page."""

from collections import Counter

from zoo_eval.byte_size import size_text
from zoo_eval.durations import duration_text
from zoo_eval.ranking.answer import PlainChoice, RankedModel, Ranking
from zoo_eval.ranking.race_plan import RacePlan
from zoo_eval.report.formats import fixed, share

UNLABELLED = (
    "The images have no labels. The networks are ranked by one label-free score, the "
    "participation ratio of their embeddings, which is a weak guide (rank correlation with "
    "accuracy 0.57 on the fashion zoo, where scores with labels reach 0.99). Neither an accuracy "
    "nor a chance can be given; a few labelled images of each class would say far more."
)
COVERS = (
    "Predicted accuracy: share of images that a linear probe fitted to all other images gets "
    "right, with its 95 % interval (Wilson). It covers that other images of these classes could "
    "have been drawn, as many of each class; not that a probe fitted to more images is better, nor "
    "what training the whole network would give. Chances: a bootstrap over the images within "
    "each class; nothing is fitted again. Networks that left earlier were judged by fewer "
    "images, and their figures are of the round in which they left."
)
_ENDS = {
    "decided": "the top {top} and the first of them were decided",
    "all images": "all images were used",
    "budget": "the budget was used up",
}


def plan_lines(plan: RacePlan, workers: int, budget_s: float | None) -> list[str]:
    """What is said before anything is computed."""
    classes = f"{plan.n_classes} classes" if plan.n_classes else "no labels"
    steps = ", ".join(
        f"{each.n_images:,} ({each.images_per_class} per class)"
        if plan.n_classes
        else f"{each.n_images:,}"
        for each in plan.rounds
    )
    budget = f"; budget {duration_text(budget_s)}" if budget_s is not None else ""
    return [
        f"{plan.n_networks:,} networks on {plan.n_images:,} images, {classes}.",
        f"Rounds: {steps} images; who cannot be in the top any more leaves after each.",
        f"Time: {duration_text(plan.least_seconds)} to {duration_text(plan.most_seconds)} with "
        f"{workers} workers{budget}; from this machine's matrix rate, within a factor of 3.",
        f"Disk: at most {size_text(plan.arrays_bytes)} of embeddings"
        + (
            f" and {size_text(plan.weights_bytes)} of weights to download."
            if plan.weights_bytes
            else "; no weights to download."
        ),
    ]


def verdict(ranking: Ranking) -> str:
    """Which network, and how sure that is."""
    best = ranking.best
    if not ranking.labelled:
        return f"{best.model} has the highest participation ratio."
    n_classes = len(ranking.classes)
    if best.accuracy_low is not None and best.accuracy_low <= 1 / n_classes:
        return (
            f"No network is seen to be better than guessing one of {n_classes:,} classes: the "
            f"first, {best.model}, has {accuracy_text(best)} after linear probing. Take more "
            "images per class, or other networks."
        )
    tied = sum(row.group == 1 for row in ranking.rows)
    among = (
        f"It cannot be told apart from {tied - 1} other{'s' if tied > 2 else ''} with these "
        f"{best.n_images:,} images."
        if tied > 1
        else f"It beats all others with these {best.n_images:,} images."
    )
    return f"Take {best.model}: {accuracy_text(best)} after linear probing. {among}"


def accuracy_text(row: RankedModel) -> str:
    """Predicted accuracy with its interval."""
    if row.accuracy is None or row.accuracy_low is None or row.accuracy_high is None:
        return "no predicted accuracy"
    return (
        f"predicted accuracy {fixed(row.accuracy)} "
        f"({fixed(row.accuracy_low)} to {fixed(row.accuracy_high)})"
    )


def more_images(ranking: Ranking) -> str:
    """What it would take to tell the first two apart; empty if there is nothing to say."""
    pair = ranking.separation
    if pair is None or pair.more_images == 0:
        return ""
    if pair.more_images is None:
        return f"No number of images would separate {pair.first} from {pair.second}."
    return (
        f"About {pair.more_images:,} more labelled images would separate {pair.first} from "
        f"{pair.second}, if they differ as much as it seems."
    )


def plain_text(ranking: Ranking) -> str:
    """What a plain choice would have given."""
    plain: PlainChoice = ranking.plain_choice
    by = "best published ImageNet top-1" if plain.by == "imagenet_top1" else "most parameters"
    head = f"The plain choice, {by} under the same limits, is {plain.model}"
    if plain.place is None:
        return f"{head}, which was not evaluated."
    if plain.place == 1:
        return f"{head}: the same network."
    if plain.accuracy is None or ranking.best.accuracy is None:
        return f"{head}, place {plain.place}."
    chance = (
        ""
        if plain.chance_top is None
        else f", in the top {ranking.top} in {share(plain.chance_top)} of draws"
    )
    return f"{head}, place {plain.place}: predicted accuracy {fixed(plain.accuracy)}{chance}."


def how(ranking: Ranking) -> str:
    """What the race did."""
    steps = ", ".join(f"{note.evaluated} on {note.n_images:,}" for note in ranking.rounds)
    why = _ENDS[ranking.ended].format(top=ranking.top)
    return f"Networks on images: {steps}; ended as {why}, after {duration_text(ranking.seconds)}."


def left_out_text(ranking: Ranking) -> str:
    """How many networks were not ranked, and why; empty if there are none."""
    counts = Counter(each.why for each in ranking.left_out)
    said = {"limits": "beyond the limits", "failed": "failed", "budget": "not reached in time"}
    parts = [f"{counts[why]} {text}" for why, text in said.items() if counts[why]]
    if not parts:
        return ""
    first = next((each for each in ranking.left_out if each.why == "failed"), None)
    example = f" {first.model}, for one: {first.reason}" if first else ""
    return f"Not ranked: {', '.join(parts)}.{example}"
