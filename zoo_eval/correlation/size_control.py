"""Is a score more than size? Partial ρ and τ given each control, and all of them together."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from zoo_eval.correlation.aligned import Truth, align, check_distinct, columns_of, same_models
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.kendall import KendallBootstrap
from zoo_eval.correlation.partial_of_correlations import HeldFixed
from zoo_eval.correlation.resamples import Resamples, family_resamples, percentile_intervals
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
    partials: _Partials | None = None
    for name, column in group.items():
        lines = [Line(name, given, len(truth)) for given in (*held, ALL)]
        why = why_undefined(column[kept], truth)
        if not why and partials is None:
            drawn = family_resamples(families, resamples, seed) if len(set(families)) > 1 else None
            partials = _Partials(held, truth, drawn)
        for line in lines:
            line.undefined_because = why
        if partials is not None and not why:
            partials.fill(lines, column[kept])
        yield name, lines


class _Partials:
    """Partial correlations of scores of the same models, on all data and resampled.

    The first of the resamples is the data themselves: every family once.
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
        columns = np.stack([*controls.values(), truth])
        # What is held fixed, line by line: each control alone, then all.
        self._held = [*([place] for place in range(len(controls))), list(range(len(controls)))]
        self._rho = _Coefficient(SpearmanBootstrap(columns, with_data), columns, self._held)
        self._tau = _Coefficient(KendallBootstrap(columns, with_data), columns, self._held)

    def fill(self, lines: list[Line], score: Float[np.ndarray, " n"]) -> None:
        """Fill in the lines of a score, one per control and the one given all."""
        rhos, taus = self._rho(score), self._tau(score)
        for line, held, rho, tau in zip(lines, self._held, rhos, taus, strict=True):
            why = [self._constant[control] for control in held if control in self._constant]
            if why:
                line.undefined_because = why[0]
                continue
            line.partial_rho, line.partial_tau = float(rho[0]), float(tau[0])
            if math.isnan(line.partial_rho):
                line.undefined_because = (
                    f"{line.given} fixes the order of the score or the accuracy"
                )
                continue
            intervals = percentile_intervals(np.stack([rho[1:], tau[1:]]))
            line.rho_low, line.rho_high = intervals[0].low, intervals[0].high
            line.tau_low, line.tau_high = intervals[1].low, intervals[1].high
            if len(rho) == 1:
                line.undefined_because = f"no interval: all {line.n} models are of one family"


class _Coefficient:
    """One coefficient of a score with the accuracy, given some or all controls, resampled."""

    def __init__(
        self,
        bootstrap: SpearmanBootstrap | KendallBootstrap,
        columns: Float[np.ndarray, "columns n"],
        held: Sequence[Sequence[int]],
    ) -> None:
        """Correlate the controls with each other and with the accuracy, which is the last column.

        Args:
            bootstrap: Of these columns.
            columns: Controls and accuracy.
            held: Which controls are held fixed, line by line.
        """
        self._bootstrap, self._held = bootstrap, held
        matrices = np.stack([bootstrap(column) for column in columns]).transpose(2, 0, 1)
        self._given = [
            HeldFixed(matrices[:, chosen][:, :, chosen], matrices[:, -1, chosen]) for chosen in held
        ]

    def __call__(self, score: Float[np.ndarray, " n"]) -> list[Float[np.ndarray, " resamples"]]:
        """Line by line."""
        found = self._bootstrap(score)
        return [
            given(found[chosen].T, found[-1])
            for chosen, given in zip(self._held, self._given, strict=True)
        ]
