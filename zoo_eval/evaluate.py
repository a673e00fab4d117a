"""Evaluates one model: builds it, computes its scores, and never raises for a score's sake."""

import time
import traceback
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from zoo_eval.datasets import Dataset
from zoo_eval.errors import DownloadError, ModelError, NotFiniteError, ScoreUndefinedError
from zoo_eval.givens import choose_device, givens_of
from zoo_eval.plan import PlannedScore, Unit, digest_of
from zoo_eval.quantities import Computed, Resolver, closure
from zoo_eval.quantities.parts import smaller_parts
from zoo_eval.settings import Settings
from zoo_eval.store import Attempt, Outcome, ScoreRow, Trust
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
    rows: list[ScoreRow] = []
    failed: list[tuple[str, Exception]] = []
    trust: Trust | None = None
    device = settings.device
    try:
        doing("the network's construction")
        device = str(choose_device(settings.device))
        users = [planned.request.score.needs for planned in unit.scores]
        # What only quantities of the dataset need that are at hand already is left out.
        needed = closure((need for needs in users for need in needs), frozenset(shared))
        resolver = Resolver(givens_of(unit, dataset, settings, needed), users, shared)
        if unit.weights == "pretrained" and "forward_pass" in needed:
            doing("the pass over the images")
            # If it fails, so do the scores that need it; the others are computed nevertheless.
            with suppress(Exception):
                trust = trust_gate(unit.line, dataset, resolver.get("logits"))
        for planned in unit.scores:
            doing(planned.key.score)
            try:
                with smaller_parts(settings.relief.divisor):
                    rows.append(_compute(planned, resolver, settings))
            except Exception as error:  # one score's failure must not lose the others
                failed.append((planned.key.score, error))
            resolver.release(planned.request.score.needs)
    except Exception as error:  # the network cannot be built or run at all
        failed.append(("", error))
    given = {row.key for row in rows}
    attempt = Attempt(
        model=unit.line.model,
        weights=unit.weights,
        seed=unit.seed,
        started=started,
        seconds=time.perf_counter() - clock,
        device=device,
        relief=str(settings.relief) or None,
        missing=digest_of(key for key in unit.keys if key not in given),
        outcome=_how_well(rows),
    )
    if failed:
        attempt = _failed(attempt, failed)
    return Outcome(attempt, tuple(rows), trust)


def failure_of(error: BaseException) -> str:
    """The type of a failure, as the store writes it.

    `out_of_memory`, `download`, `load` (the network cannot be built), `nan` (its outputs are),
    or `error`. Executors know two more: `timeout` and `killed`.
    """
    if _is_out_of_memory(error):
        return "out_of_memory"
    if isinstance(error, DownloadError):
        return "download"
    if isinstance(error, ModelError):
        return "load"
    return "nan" if isinstance(error, NotFiniteError) else "error"


def _is_out_of_memory(error: BaseException) -> bool:
    # torch has an exception of its own for GPUs; its processor's allocator raises RuntimeError.
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
        # A constructor or loader may have wrapped it.
        or (error.__cause__ is not None and _is_out_of_memory(error.__cause__))
    )


def _compute(planned: PlannedScore, resolver: Resolver, settings: Settings) -> ScoreRow:
    score, options = planned.request.score, planned.request.options
    used, precision = closure(score.needs), "fp32"
    if "forward_pass" in used:
        precision = settings.precision
    elif "gradient_precision" in used:
        precision = settings.gradient_precision
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
