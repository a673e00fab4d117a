"""What a report says in words; the numbers behind it are in `Findings`."""

from collections.abc import Mapping

from zoo_eval.report import formats
from zoo_eval.report.findings import Findings
from zoo_eval.report.tables import baselines_missing

HOW_TO_READ = (
    "ρ, τ_b and weighted τ run from -1 to 1 and keep their sign: below 0, models with a higher "
    "score are worse. A score with a firm negative ρ predicts as well as one with a positive ρ.",
    "The intervals are 95 % percentile intervals of a bootstrap clustered by family: whole "
    "families are drawn with replacement, because models of one family are not independent. "
    "They speak of families like these, and are too narrow where families are few.",
    "The p-values test ρ = 0 for each score and are corrected for the number of scores by Holm's "
    "method. They take the models as independent, so on a zoo of families they are too small: "
    "trust the intervals first.",
    "Δ|ρ| compares a score with the best baseline on the models that have both, in the same "
    "resamples. Its intervals are not corrected for the number of scores.",
    "Weighted τ is Vigna's, with additive hyperbolic weights, averaged over both rankings "
    "(scipy.stats.weightedtau with its defaults).",
    "Partial ρ is the correlation of ranks at equal parameters; it is empty for the parameters "
    "themselves. A score that is large only for large networks loses its ρ here.",
)


def question(found: Findings) -> str:
    """What the report asks."""
    return f"Which score predicts {found.truth}?"


def scope(found: Findings) -> str:
    """How many scores, models and families the answer rests on."""
    board, data = found.leaderboard, found.data
    n_families = board["family"].nunique()
    source = data.sources.get(found.truth, "")
    text = (
        f"{_count(len(found.scores), 'score')} and {_count(len(data.baselines), 'baseline')}, "
        f"judged on {_count(len(board), 'model')} of {_count(n_families, 'family', 'families')}"
    )
    left_out = len(data.scores) - len(board)
    if left_out:
        text += f"; {_count(left_out, 'more model')} without {found.truth} left out"
    return f"{text}. Accuracies: {source}." if source else f"{text}."


def verdict(found: Findings, most: int | None = None) -> str:
    """How many scores beat the best baseline, and which.

    Args:
        found: The statistics.
        most: Names of scores to list; None lists all.
    """
    if not found.best_baseline:
        missing = ", ".join(baselines_missing(found)) or "all are constant"
        return f"No baseline has a correlation here ({missing}), so no score was compared with one."
    table = found.correlations
    rho = formats.fixed(table.loc[found.best_baseline, "spearman_rho"])
    compared = int(table["difference_low"].notna().sum())
    winners = table.index[table["beats_baseline"]].tolist()
    best = f"the best baseline, {found.best_baseline} (ρ = {rho})"
    if not compared:
        return f"No score could be compared with {best}."
    how = "the 95 % interval of Δ|ρ|, on the same models, lies above 0"
    if not winners:
        return f"None of {_count(compared, 'score')} beats {best}: for none of them {how}."
    verb = "beats" if len(winners) == 1 else "beat"
    listed = ", ".join(winners[:most])
    if most is not None and len(winners) > most:
        listed += f" and {len(winners) - most} more"
    return f"{len(winners)} of {_count(compared, 'score')} {verb} {best} ({how}): {listed}."


def trust(found: Findings) -> str:
    """How many models the trust gate has looked at, and what it said."""
    gate = found.leaderboard["trusted"]
    checked, outside = int(gate.notna().sum()), len(found.untrusted)
    if not checked:
        return (
            "No model went through the trust gate: either the dataset's classes are not the "
            "models', or no dataset was used."
        )
    if not outside:
        return f"All {_count(checked, 'model')} that went through the trust gate passed it."
    verb = "is" if outside == 1 else "are"
    return (
        f"{outside} of {_count(checked, 'model')} that went through the trust gate {verb} outside: "
        "the accuracy measured here disagrees with the published one, so weights or preprocessing "
        "may be wrong. They are in the correlations, and marked in the leaderboard and the "
        "scatters."
    )


def versions(versions: Mapping[str, object]) -> str:
    """Versions on one line."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _count(n: int, noun: str, plural: str = "") -> str:
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
