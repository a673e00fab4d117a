"""What `zoo-eval rank` shows: the plan, each round, and the ranking as a table."""

from contextlib import ExitStack

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zoo_eval.cli.progress import OnOutcome, progress_for
from zoo_eval.drive import Ended
from zoo_eval.executors.cores import usable_cores
from zoo_eval.ranking import sentences
from zoo_eval.ranking.answer import RankedModel, Ranking, RoundNote
from zoo_eval.ranking.judging import Judged
from zoo_eval.ranking.race_plan import RacePlan
from zoo_eval.ranking.watcher import Watcher
from zoo_eval.report import formats
from zoo_eval.runner import Prepared

_ROWS_BEYOND_TOP = 5
_FILE_WIDTH = 120


class ShownRace(Watcher):
    """Shows a race while it runs.

    Args:
        budget_s: Seconds that it may take.
        workers: Worker processes; None: one per core.
        quiet: Show nothing, because a machine reads the output.
    """

    def __init__(self, budget_s: float | None, workers: int | None, *, quiet: bool) -> None:
        self._budget_s, self._workers, self._quiet = budget_s, workers or usable_cores(), quiet
        self._bar = ExitStack()
        self._on_outcome: OnOutcome = lambda _: None

    def __enter__(self) -> "ShownRace":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def planned(self, plan: RacePlan) -> None:
        """Networks, rounds, time and disk."""
        if not self._quiet:
            print("\n".join(sentences.plan_lines(plan, self._workers, self._budget_s)), flush=True)

    def begins(self, number: int, prepared: Prepared, without_time: int) -> None:
        """A line, and a bar while networks are evaluated."""
        if self._quiet:
            return
        n, units = len(prepared.job.manifest), len(prepared.plan.units)
        stored = n - units - without_time
        print(
            f"Round {number}: {n} networks on {len(prepared.dataset):,} images"
            + (f", {stored} stored already" if stored else "")
            + (f"; for {without_time} the budget is too short" if without_time else "")
            + ".",
            flush=True,
        )
        if units:
            self._on_outcome = self._bar.enter_context(progress_for(prepared.plan, quiet=False))

    def evaluated(self, ended: Ended) -> None:
        """The bar moves."""
        self._on_outcome(ended)

    def judged(self, number: int, note: RoundNote, judged: Judged) -> None:
        """The bar goes; a line says who leads."""
        self._bar.close()
        self._on_outcome = lambda _: None
        if not self._quiet:
            going = f", {note.went_on} can still be in the top" if note.went_on else ""
            print(f"Round {number}: {judged.order[0]} leads{going}.", flush=True)


def show(ranking: Ranking) -> None:
    """The answer, the table, and what else is to be known."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    if not ranking.labelled:
        console.print(sentences.UNLABELLED)
    console.print(sentences.verdict(ranking), style="bold")
    console.print(_table(ranking))
    for text in (
        sentences.more_images(ranking),
        sentences.plain_text(ranking),
        sentences.how(ranking),
        sentences.left_out_text(ranking),
    ):
        if text:
            console.print(escape(text), soft_wrap=True)


def _table(ranking: Ranking) -> Table:
    n = max(ranking.top + _ROWS_BEYOND_TOP, sum(row.group == 1 for row in ranking.rows))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("Model", overflow="fold", min_width=16)
    if ranking.labelled:
        titles = ("Accuracy", "95 %", f"Top {ranking.top}", "Group")
    else:
        titles = ("Participation ratio",)
    for title in (*titles, "Params", "Images/s", "Judged by"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Front", no_wrap=True)
    for row in ranking.rows[:n]:
        table.add_row(*_cells(row, ranking), style="bold" if row.place == 1 else None)
    if len(ranking.rows) > n:
        table.caption = f"{len(ranking.rows) - n} more networks: on the page and in --json."
    return table


def _cells(row: RankedModel, ranking: Ranking) -> list[str]:
    fronts = [
        name
        for name, on_front in (("params", row.pareto_params), ("speed", row.pareto_speed))
        if on_front
    ]
    return [
        str(row.place),
        escape(row.model),
        *_quality(row, ranking),
        "" if row.params is None else formats.count(float(row.params)),
        "" if row.images_per_second is None else formats.count(row.images_per_second),
        f"{row.n_images:,} images",
        ", ".join(fronts),
    ]


def _quality(row: RankedModel, ranking: Ranking) -> list[str]:
    if not ranking.labelled:
        return [formats.significant(row.scores["participation_ratio"])]
    low, high = row.accuracy_low or 0.0, row.accuracy_high or 0.0
    return [
        formats.fixed(row.accuracy or 0.0),
        f"{formats.fixed(low)}–{formats.fixed(high)}",
        formats.share(row.chance_top or 0.0),
        "" if row.group is None else str(row.group),
    ]
