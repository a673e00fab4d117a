"""Metrics in Prometheus's text format."""

import time
from collections import Counter as Counts
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zoo_eval.service.live import Live
from zoo_eval.service.options import API
from zoo_eval.service.queue import JobQueue
from zoo_eval.service.snapshot import NETWORK, Activity

__all__ = ["CONTENT_TYPE", "Metrics", "Timed"]

_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10)
_OTHER = "other"  # of no route: an unbounded number of addresses must not make as many series


class Metrics:
    """What one service counts.

    Args:
        live: What the store has.
        queue: What waits and runs.
    """

    def __init__(self, live: Live, queue: JobQueue) -> None:
        self._live, self._queue = live, queue
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "zoo_eval_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "zoo_eval_http_request_duration_seconds",
            "Time to the first byte of an answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(self)

    def text(self) -> bytes:
        """All metrics."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What is looked up when it is asked for."""
        snapshot, activity = self._live.snapshot, self._live.activity
        age = (datetime.now(UTC) - snapshot.read).total_seconds()
        for name, text, value in (
            ("models", "Models that were tried.", len(snapshot.board)),
            ("values", "Newest rows, one per score setting.", len(snapshot.values)),
            ("failed_networks", "Networks whose last attempt failed.", _failed(activity)),
            ("run_in_progress", "Whether a run writes to the store.", int(activity.running)),
            ("store_readable", "Whether the store could be read last.", int(not self._live.error)),
            ("snapshot_age_seconds", "Since the store was read.", age),
            ("snapshot_read_seconds", "What reading it took.", self._live.read_seconds),
        ):
            yield GaugeMetricFamily(f"zoo_eval_{name}", text, value)
        jobs = GaugeMetricFamily("zoo_eval_jobs", "Submitted jobs.", labels=["state"])
        for state, n in sorted(Counts(job.state for job in self._queue.jobs()).items()):
            jobs.add_metric([state], n)
        yield jobs


def _failed(activity: Activity) -> int:
    if activity.attempts.empty:
        return 0
    last = activity.attempts.drop_duplicates(NETWORK, keep="last")
    return int((~last["outcome"].isin(["ok", "undefined"])).sum())


class Timed:
    """Counts and times every request, by the route that took it.

    Args:
        app: The application behind it.
        metrics: Where they are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"], time.perf_counter() - start)
            await send(message)

        await self._app(scope, receive, send_counted)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = _OTHER, _OTHER
        if "route" in scope:
            method, route = scope["method"], scope["route"].path
            if scope["path"].startswith(f"{API}/"):
                route = API + route
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
