"""Runs and queue: progress, failures, a form to submit a job."""

from dataclasses import dataclass

from zoo_eval.report.frames import Frame
from zoo_eval.report.pages.attempts import Attempt, failed, when
from zoo_eval.report.pages.cells import text
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.zoo import Zoo


@dataclass(frozen=True)
class RunView:
    """A run as the page shows it, or a job that waits to become one.

    Attributes:
        run: Its id.
        name: The job's name.
        state: `queued`, `running`, `done`, `interrupted`, …
        note: The command, or what happened; empty if there is nothing to say.
        started: When, UTC; for a job that waits, when it was submitted.
        ended: When, UTC; empty before.
        done: Networks that are finished, the failed ones included; None before it has begun.
        failed: Networks whose last try in this run failed.
        total: Networks of the plan; None if that is not known.
        left: Time left, in words; empty if that is not known.
        cancel: Where to post that it shall be cancelled; empty if it cannot be.
        retry: Where to post that what failed shall be tried again; empty if it cannot be.
        log: Where what it printed is; empty if that is not kept.
        page: Where a ranking is shown; empty for other runs.
    """

    run: str
    name: str
    state: str
    note: str
    started: str
    ended: str
    done: int | None
    failed: int
    total: int | None = None
    left: str = ""
    cancel: str = ""
    retry: str = ""
    log: str = ""
    page: str = ""


@dataclass(frozen=True)
class SubmitForm:
    """The form for a new job.

    Attributes:
        action: Where it is posted: `name` and `toml`.
        name: The job's name that it starts with.
        text: The TOML that it starts with: an example, or what was refused.
        problems: Why it was refused, sentence by sentence.
    """

    action: str
    name: str = "job"
    text: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunsView:
    """What the page of runs shows.

    Attributes:
        runs: Newest first.
        failures: Networks whose last try failed.
        form: To submit a job; None where that is not possible.
        events: Address of the stream of events; empty where nothing changes.
    """

    runs: tuple[RunView, ...]
    failures: tuple[Attempt, ...]
    form: SubmitForm | None = None
    events: str = ""

    @property
    def has_buttons(self) -> bool:
        """Whether something can be done with one of the runs."""
        return any(run.cancel or run.retry or run.log for run in self.runs)


def runs_page(view: RunsView, zoo: Zoo | None, links: Links) -> str:
    """The page."""
    return page("runs.html.jinja", zoo, links, here="runs", title="Runs", view=view)


def stored_runs(runs: Frame, attempts: Frame) -> RunsView:
    """The runs and failures that a store knows; nothing of a queue, nothing that changes."""
    networks = attempts.drop_duplicates(["run", "model", "weights", "seed"], keep="last")
    good = networks["outcome"].isin(["ok", "undefined"])
    done = networks.groupby("run").size()
    bad = networks[~good].groupby("run").size()
    views = [
        RunView(
            run=text(row["run"]),
            name=text(row.get("job")) or text(row["run"]),
            state=text(row.get("state")),
            note=text(row.get("command")),
            started=when(row.get("started")),
            ended=when(row.get("ended")),
            done=int(done.get(row["run"], 0)),
            failed=int(bad.get(row["run"], 0)),
        )
        for row in runs.to_dict("records")
    ]
    return RunsView(tuple(reversed(views)), tuple(failed(runs, attempts)))
