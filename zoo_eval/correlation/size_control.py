"""Is a score more than size? Partial ρ and τ given each control, and all of them together."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from zoo_eval.correlation.aligned import Truth, align, check_distinct, columns_of, same_models
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.kendall import KendallBootstrap
from zoo_eval.correlation.partial_of_correlations import partial_of_correlations
from zoo_eval.correlation.resamples import Resamples, family_resamples, percentile_interval
from zoo_eval.correlation.spearman import SpearmanBootstrap
from zoo_eval.errors import InputError

ALL = "all"


@dataclass
class Line:
    """One score given one control; the fields are the columns, explained in `size_control`."""

    score: str
    given: str
    n: int
    partial_rho: float = math.nan
    rho_low: float = math.nan
    rho_high: float = math.nan
    partial_tau: float = math.nan
    tau_low: float = math.nan
    tau_high: float = math.nan
    undefined_because: str = ""


def size_control(
    scores_wide: pd.DataFrame,
    truth: pd.Series,
    families: pd.Series,
    controls: pd.DataFrame,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate each score with an accuracy while sizes are held fixed.

    See `partial_spearman` and `partial_kendall` for what is computed; both see only the order of
    a control, so parameters and their logarithm are the same. A score is judged on the models
    that have it, the accuracy and every control, so that its lines can be compared.

    Args:
        scores_wide: One row per model (the index), one column per score; NaN where undefined.
        truth: Accuracy by model.
        families: Family by model, for the bootstrap.
        controls: One row per model, one column per control: parameters, operations, image size.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        A line for each score and control, then one given `all` of them: `score`, `given`, `n`,
        `partial_rho` and `partial_tau`, each with the ends of its 95 % percentile interval
        clustered by family, and `undefined_because`, why a line has no value, else empty.

    Raises:
        InputError: a model, a score or a control occurs twice, there is no control, or one is
            called `all`.
    """
    known = align(scores_wide.index, truth, families)
    check_distinct("models of the controls", controls.index)
    held = columns_of(controls.reindex(known.models), known)
    if not held or ALL in held:
        raise InputError(
            f"Partial correlations need at least one control, none of them called {ALL!r}, but "
            f"the controls are {list(held)}."
        )
    sized = ~np.isnan(np.stack(list(held.values()))).any(axis=0)
    values = columns_of(scores_wide, known)
    for column in values.values():
        column[~sized] = np.nan
    found: dict[str, list[Line]] = {}
    for group in same_models(values):
        for name, lines in _lines(group, known, held, resamples, seed):
            found[name] = lines
    ordered = [vars(line) for name in values for line in found[name]]
    return pd.DataFrame(ordered, columns=list(Line.__dataclass_fields__))


def _lines(
    group: Mapping[str, Float[np.ndarray, " n"]],
    known: Truth,
    controls: Mapping[str, Float[np.ndarray, " n"]],
    resamples: int,
    seed: int,
) -> Iterator[tuple[str, list[Line]]]:
    kept = ~np.isnan(next(iter(group.values())))
    truth, families = known.values[kept], known.families_of(kept)
    held = {name: column[kept] for name, column in controls.items()}
    n = int(kept.sum())
    matrices: _Matrices | None = None
    for name, column in group.items():
        lines = [Line(name, given, n) for given in (*held, ALL)]
        why = why_undefined(column[kept], truth)
        if not why and matrices is None:
            drawn = family_resamples(families, resamples, seed) if len(set(families)) > 1 else None
            matrices = _Matrices(held, truth, drawn)
        for line in lines:
            line.undefined_because = why
        if matrices is not None and not why:
            matrices.fill(lines, column[kept])
        yield name, lines


class _Matrices:
    """Correlations of all pairs of controls, accuracy and score, on all data and resampled.

    Those without a score are computed once for all scores of the same models. The first of the
    resamples is the data themselves: every family once.
    """

    def __init__(
        self,
        controls: Mapping[str, Float[np.ndarray, " n"]],
        truth: Float[np.ndarray, " n"],
        drawn: Resamples | None,
    ) -> None:
        if drawn is None:
            with_data = Resamples(np.zeros(len(truth), np.intp), np.ones((1, 1)))
        else:
            ones = np.ones((1, drawn.counts.shape[1]))
            with_data = Resamples(drawn.families, np.concatenate([ones, drawn.counts]))
        self._constant = {
            place: f"{name} is {column[0]:.6g} for all {len(column)} models"
            for place, (name, column) in enumerate(controls.items())
            if (column == column[0]).all()
        }
        columns = [*controls.values(), truth]
        self._spearman = [SpearmanBootstrap(column, with_data) for column in columns]
        self._kendall = [KendallBootstrap(column, with_data) for column in columns]
        self._of_rho = self._pairs(self._spearman, columns, len(with_data.counts))
        self._of_tau = self._pairs(self._kendall, columns, len(with_data.counts))

    @staticmethod
    def _pairs(
        bootstraps: list[SpearmanBootstrap] | list[KendallBootstrap],
        columns: list[Float[np.ndarray, " n"]],
        resamples: int,
    ) -> Float[np.ndarray, "resamples v v"]:
        """A matrix per resample; its last row and column are left for a score."""
        size = len(columns) + 1
        matrix = np.tile(np.eye(size), (resamples, 1, 1))
        for i, bootstrap in enumerate(bootstraps):
            for j, column in enumerate(columns[:i]):
                matrix[:, i, j] = matrix[:, j, i] = bootstrap(column)
        return matrix

    def fill(self, lines: list[Line], score: Float[np.ndarray, " n"]) -> None:
        """Fill in the lines of a score, one per control and the one given all."""
        for i, (spearman, kendall) in enumerate(zip(self._spearman, self._kendall, strict=True)):
            self._of_rho[:, i, -1] = self._of_rho[:, -1, i] = spearman(score)
            self._of_tau[:, i, -1] = self._of_tau[:, -1, i] = kendall(score)
        n_controls = len(lines) - 1
        for place, line in enumerate(lines):
            held = [place] if place < n_controls else list(range(n_controls))
            why = [self._constant[control] for control in held if control in self._constant]
            if why:
                line.undefined_because = why[0]
                continue
            chosen = np.ix_(range(len(self._of_rho)), [*held, -2, -1], [*held, -2, -1])
            rho = partial_of_correlations(self._of_rho[chosen])
            tau = partial_of_correlations(self._of_tau[chosen])
            line.partial_rho, line.partial_tau = float(rho[0]), float(tau[0])
            if math.isnan(line.partial_rho):
                line.undefined_because = (
                    f"{line.given} fixes the order of the score or the accuracy"
                )
                continue
            interval = percentile_interval(rho[1:])
            line.rho_low, line.rho_high = interval.low, interval.high
            interval = percentile_interval(tau[1:])
            line.tau_low, line.tau_high = interval.low, interval.high
            if len(rho) == 1:
                line.undefined_because = f"no interval: all {line.n} models are of one family"
