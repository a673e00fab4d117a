"""Evaluates one model: builds it, computes its scores, and never raises for a score's sake."""

import time
import traceback
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from zoo_eval.datasets import Dataset
from zoo_eval.datasets.label_spaces import head_labels
from zoo_eval.errors import ArrayError, ScoreUndefinedError
from zoo_eval.failures import failure_of
from zoo_eval.givens import choose_device, givens_of
from zoo_eval.kept import keep, read_kept
from zoo_eval.plan import PlannedScore, Unit, digest_of
from zoo_eval.quantities import Computed, Resolver, closure
from zoo_eval.quantities.parts import smaller_parts
from zoo_eval.settings import Settings
from zoo_eval.store import Attempt, EmbeddingsRow, Outcome, ScoreRow, Trust
from zoo_eval.trust import trust_gate


def evaluate(
    unit: Unit,
    dataset: Dataset,
    settings: Settings,
    shared: MutableMapping[str, Computed],
    *,
    doing: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Compute all scores of a unit.

    Args:
        unit: The network and its scores.
        dataset: The images.
        settings: Device, batch size, probe batch.
        shared: Quantities of the dataset alone, kept from model to model.
        doing: Told what is done now, so that it is known if the process dies of it.

    Returns:
        Every score that could be computed or is undefined, and the attempt: `ok`, `undefined`
        if no score has a value, or the first thing that went wrong, see `failure_of`.
    """
    started = datetime.now(UTC).replace(tzinfo=None)
    clock = time.perf_counter()
    found = _Found()
    device = settings.device
    try:
        doing("the network's construction")
        device = str(choose_device(settings.device))
        _compute_all(unit, dataset, settings, shared, doing, found)
    except Exception as error:  # the network cannot be built or run at all
        found.failed.append(("", error))
    given = {row.key for row in found.rows}
    attempt = Attempt(
        model=unit.line.model,
        weights=unit.weights,
        seed=unit.seed,
        started=started,
        seconds=time.perf_counter() - clock,
        device=device,
        relief=str(settings.relief) or None,
        missing=digest_of(key for key in unit.keys if key not in given),
        outcome=_how_well(found.rows),
    )
    if found.failed:
        attempt = _failed(attempt, found.failed)
    return Outcome(attempt, tuple(found.rows), found.trust, found.arrays)


@dataclass
class _Found:
    """What has come of a unit so far."""

    rows: list[ScoreRow] = field(default_factory=list[ScoreRow])
    failed: list[tuple[str, Exception]] = field(default_factory=list[tuple[str, Exception]])
    trust: Trust | None = None
    arrays: EmbeddingsRow | None = None


def _compute_all(
    unit: Unit,
    dataset: Dataset,
    settings: Settings,
    shared: MutableMapping[str, Computed],
    doing: Callable[[str], None],
    found: _Found,
) -> None:
    users = [planned.request.score.needs for planned in unit.scores]
    needs = [need for needs in users for need in needs]
    passes = "forward_pass" in closure(needs)
    kept = read_kept(unit, settings) if passes else None
    at_hand = {} if kept is None else {"forward_pass": kept.forward_pass}
    # What only quantities need that are at hand already is left out.
    needed = closure(needs, frozenset([*shared, *at_hand]))
    givens = givens_of(unit, dataset, settings, needed) | at_hand
    resolver = Resolver(givens, users, shared)
    if passes:
        doing("the pass over the images")
        # If it fails, so do the scores that need it; the others are computed nevertheless.
        forward_pass = None
        with suppress(Exception):
            forward_pass = resolver.get("forward_pass")
        if forward_pass is not None:
            if unit.weights == "pretrained":
                found.trust = trust_gate(unit.line, dataset, forward_pass.logits)
            if kept is None:
                try:
                    own = head_labels(unit.line.label_space, dataset)
                    found.arrays = keep(unit, settings, forward_pass, own)
                except ArrayError as error:  # the scores are not the worse for it
                    found.failed.append(("kept arrays", error))
            del forward_pass  # the resolver frees it after its last user
    precision = settings.precision if kept is None else kept.precision
    for planned in unit.scores:
        doing(planned.key.score)
        try:
            with smaller_parts(settings.relief.divisor):
                row = _compute(planned, resolver, precision, settings.gradient_precision)
            found.rows.append(row)
        except Exception as error:  # one score's failure must not lose the others
            found.failed.append((planned.key.score, error))
        resolver.release(planned.request.score.needs)


def _compute(
    planned: PlannedScore, resolver: Resolver, of_images: str, of_gradients: str
) -> ScoreRow:
    score, options = planned.request.score, planned.request.options
    used, precision = closure(score.needs), "fp32"
    if "forward_pass" in used:
        precision = of_images
    elif "gradient_precision" in used:
        precision = of_gradients
    try:
        measured = score.measure(resolver, options)
    except ScoreUndefinedError as reason:
        seconds = resolver.seconds(score.needs)
        return ScoreRow(planned.key, None, str(reason), seconds, precision=precision)
    return ScoreRow(
        planned.key,
        measured.value,
        None,
        measured.seconds,
        low=measured.low,
        high=measured.high,
        precision=precision,
    )


def _how_well(rows: Sequence[ScoreRow]) -> str:
    return "ok" if any(row.value is not None for row in rows) else "undefined"


def _failed(attempt: Attempt, failed: Sequence[tuple[str, Exception]]) -> Attempt:
    score, error = failed[0]
    message = str(error).partition("\n")[0] or type(error).__name__
    if score:
        others = f" and {len(failed) - 1} more scores" if len(failed) > 1 else ""
        message = f"{score}{others}: {message}"
    return replace(
        attempt,
        outcome=failure_of(error),
        error_type=type(error).__name__,
        message=message,
        traceback="".join(traceback.format_exception(error)),
    )
