"""`zoo_eval.rank`: which network for these images?"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo_eval.cache import cache_folder
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.errors import InputError
from zoo_eval.manifest import Manifest, ModelLine
from zoo_eval.ranking.answer import Ranking
from zoo_eval.ranking.candidates import NO_LIMITS, ModelLimits, candidates
from zoo_eval.ranking.plain_choice import plain_choice
from zoo_eval.ranking.race import Race
from zoo_eval.ranking.round_run import KEEP, RoundResult, Runs
from zoo_eval.ranking.rows import ranked_rows
from zoo_eval.ranking.takeaway.snippet import network_snippet
from zoo_eval.ranking.watcher import Watcher
from zoo_eval.store import Store
from zoo_eval.store.lock import one_run

DEFAULT_MANIFEST = "timm-imagenet"


def rank(
    images: str | Path | DatasetSpec,
    *,
    top: int = 5,
    manifest: str | Path | Manifest = DEFAULT_MANIFEST,
    limits: ModelLimits = NO_LIMITS,
    budget_s: float | None = None,
    store: Store | str | Path | None = None,
    workers: int | None = None,
    watcher: Watcher | None = None,
    command: str = "zoo_eval.rank",
) -> Ranking:
    """Rank pretrained networks for some images, by a race and without training any of them.

    What is stored already is not computed again, so an interrupted race goes on where it was.

    Args:
        images: A folder with one folder per class, or whatever a job's dataset may be.
        top: How many networks are wanted.
        manifest: Where the networks are from: a builtin name, a CSV file or a manifest.
        limits: What they must keep to.
        budget_s: Seconds that it may take; None: as many as it needs.
        store: Where results and embeddings are kept; by default in the user's cache.
        workers: Worker processes; by default one per processor core.
        watcher: Is told how it goes.
        command: The command line, for the record.

    Raises:
        ZooEvalError: it cannot be run as it is.
        KeyboardInterrupt: it was interrupted.
    """
    return raced(
        images,
        top=top,
        manifest=manifest,
        limits=limits,
        budget_s=budget_s,
        store=store,
        workers=workers,
        watcher=watcher,
        command=command,
    ).ranking


@dataclass(frozen=True)
class Raced:
    """A ranking, and what it was made of.

    Attributes:
        ranking: The answer.
        lines: The manifest's line of each network that was in the race.
        last: Images and embeddings of the last round.
    """

    ranking: Ranking
    lines: Mapping[str, ModelLine]
    last: RoundResult


def raced(
    images: str | Path | DatasetSpec,
    *,
    top: int = 5,
    manifest: str | Path | Manifest = DEFAULT_MANIFEST,
    limits: ModelLimits = NO_LIMITS,
    budget_s: float | None = None,
    store: Store | str | Path | None = None,
    workers: int | None = None,
    watcher: Watcher | None = None,
    command: str = "zoo_eval.rank",
) -> Raced:
    """The same with what something can be made of: a fitted probe, a pair; see `takeaway`."""
    if top < 1:
        raise InputError(f"top = {top}, but at least 1 network is needed.")
    spec = images if isinstance(images, DatasetSpec) else DatasetSpec(str(images))
    whole = manifest if isinstance(manifest, Manifest) else Manifest.load(manifest)
    entered = candidates(whole, limits)
    if store is None:
        store = default_store(spec, whole)
    store = store if isinstance(store, Store) else Store(store)
    runs = Runs(store, workers, KEEP, command)
    with one_run(store):
        finish = Race(
            entered.manifest,
            spec,
            top,
            runs,
            math.inf if budget_s is None else budget_s,
            watcher,
        ).go()
    scores = [runs.scores(dataset.label) for dataset in finish.datasets]
    rows = ranked_rows(entered.manifest, finish, scores)
    lines = {line.model: line for line in entered.manifest}
    ranking = Ranking(
        source=spec.source,
        dataset=finish.datasets[-1].label,
        classes=finish.datasets[-1].classes,
        manifest=whole.name,
        top=top,
        rows=rows,
        left_out=(*entered.left_out, *finish.left_out),
        rounds=finish.rounds,
        ended=finish.ended,
        plain_choice=plain_choice(entered.manifest.lines, rows),
        separation=finish.judged[-1].separation,
        seconds=finish.seconds,
        budget_s=budget_s,
        snippet=network_snippet(lines[rows[0].model]),
        store=str(store.path),
    )
    return Raced(ranking, lines, finish.last)


def default_store(spec: DatasetSpec, manifest: Manifest) -> Path:
    """The store of a dataset and a manifest, in the user's cache: named by where they lie."""
    source = Path(spec.source)
    places = f"{source.resolve() if source.exists() else source}\n{manifest.path.resolve()}"
    digest = hashlib.sha256(places.encode()).hexdigest()[:8]
    return cache_folder("races") / f"{spec.name}-{manifest.name}-{digest}.duckdb"
