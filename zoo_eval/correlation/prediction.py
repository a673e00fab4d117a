"""What a predictor of accuracy gave, and whether it beats size."""

from dataclasses import dataclass

import pandas as pd

ALL = "all features"

# Of more features a regression uses the strongest.
MOST_FEATURES = 100


@dataclass(frozen=True)
class Prediction:
    """Accuracy as predicted from features, every model by a regression blind to its family.

    Attributes:
        method: `ridge` or `trees`.
        level: Nominal coverage of the intervals.
        models: A line per model: `family`, `fold`, `accuracy`, `predicted`, `low`, `high`.
        quality: A line per set of features, `all features` first, then each size alone and all
            sizes together: `features` (how many), `mae`, `r2`, `rho` (of prediction and accuracy),
            `gain` (mean absolute error of this set less that of all features, on the same folds)
            with `gain_low` and `gain_high`, its 95 % interval clustered by family.
        coverage: Share of models in their interval, the mean over families: what `level` is about.
        coverage_of_models: The same over models.
        importance: A line per feature, the largest first: `importance`, by how much the mean
            absolute error of held-out models rises when the feature is shuffled, the mean over
            folds, `lowest` and `highest` over the folds.
    """

    method: str
    level: float
    models: pd.DataFrame
    quality: pd.DataFrame
    coverage: float
    coverage_of_models: float
    importance: pd.DataFrame

    @property
    def beats_size(self) -> bool:
        """Whether the interval of the gain lies above 0 for every set of sizes."""
        return bool((self.quality["gain_low"].drop(ALL) > 0).all())

    @property
    def verdict(self) -> str:
        """What came out, in one sentence."""
        sizes = self.quality.drop(ALL)
        if self.beats_size:
            hardest = str(sizes["mae"].idxmin())
            said = f"beats every set of sizes ({', '.join(sizes.index)}), the best being {hardest}"
        else:
            hardest = str(sizes["gain_low"].idxmin())
            said = f"does not beat {hardest}"
        ours, theirs = self.quality.loc[ALL], sizes.loc[hardest]
        return (
            f"With whole families held out, {self.method} on {ours['features']:.0f} features "
            f"{said}: its mean absolute error is {ours['mae']:.4f} against {theirs['mae']:.4f}, a "
            f"gain of {theirs['gain']:.5f} (95 % interval {theirs['gain_low']:.5f} to "
            f"{theirs['gain_high']:.5f})."
        )
