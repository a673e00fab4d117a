"""One draw of images: the race and its rivals against the truth, as lines of a table."""

import time
from collections.abc import Mapping

import numpy as np
from _rank_race import Raced, drawn, race
from _rank_rivals import by_chance, by_score, by_transformer_ranker, timed

from zoo_eval.correlation.weighted_tau import weighted_tau

TOP = 5


def lines_of(
    embeddings: Mapping[str, np.ndarray],
    labels: np.ndarray,
    truth: Mapping[str, float],
    macs: Mapping[str, float],
    per_class: int,
    seed: int,
    published: Mapping[str, float] | None = None,
    *,
    rivals_too: bool = True,
) -> tuple[list[dict], list[dict]]:
    """Results of each method, and of the race's own statements about each network."""
    by_class = drawn(labels, per_class, seed)
    rows = np.sort(np.concatenate(by_class))
    some = {model: array[rows] for model, array in embeddings.items()}
    targets = labels[rows]
    start = time.perf_counter()
    raced = race(embeddings, labels, by_class, macs, TOP)
    seconds = time.perf_counter() - start
    head = {"images_per_class": per_class, "seed": seed}
    places = {model: -place for place, model in enumerate(raced.order)}
    share = {"passes": raced.passes / raced.full, "work": raced.work}
    found = [{**head, "method": "race", **_against(places, truth), "seconds": seconds, **share}]
    k = {"k": min(5, len(rows) - 1)}
    rivals = {"random": lambda: by_chance(seed, some)}
    if rivals_too:
        rivals |= {
            "k-NN": lambda: by_score("knn_accuracy", k, some, targets),
            "LogME": lambda: by_score("logme", {}, some, targets),
            "LogME, transformer-ranker": lambda: by_transformer_ranker("LogME", some, targets),
            "H-score, transformer-ranker": lambda: by_transformer_ranker("HScore", some, targets),
        }
    if published is not None:
        rivals["published accuracy"] = lambda: dict(published)
    for method, compute in rivals.items():
        values, seconds = timed(compute)
        line = {**head, "method": method, **_against(values, truth), "seconds": seconds}
        found.append({**line, "passes": 1.0, "work": 1.0})
    return found, _statements(raced, truth, head)


def _against(values: Mapping[str, float], truth: Mapping[str, float]) -> dict[str, float]:
    """Regret of the first, share of the true top k found, weighted τ."""
    models = sorted(truth)
    order = sorted(models, key=lambda model: -values[model])
    best = sorted(models, key=lambda model: -truth[model])
    k = min(TOP, len(models))
    finite = min((v for v in values.values() if np.isfinite(v)), default=0.0) - 1
    x = np.array([values[m] if np.isfinite(values[m]) else finite for m in models])
    return {
        "regret": truth[best[0]] - truth[order[0]],
        "recall": len({*order[:k]} & {*best[:k]}) / k,
        "tau": weighted_tau(x, np.array([truth[m] for m in models])),
    }


def _statements(raced: Raced, truth: Mapping[str, float], head: dict) -> list[dict]:
    """What the last round says of each of its networks, and what is true."""
    top = {*sorted(truth, key=lambda model: -truth[model])[:TOP]}
    standing, accuracies = raced.judged.standing, raced.judged.accuracies
    return [
        {
            **head,
            "model": model,
            "chance": standing.chance_top[place],
            "in_top": model in top,
            "group": standing.group[place],
            "accuracy": accuracies[model].value,
            "low": accuracies[model].low,
            "high": accuracies[model].high,
            "truth": truth[model],
        }
        for place, model in enumerate(standing.models)
    ]
