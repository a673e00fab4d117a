"""How the service answers fifty clients while a run writes to its store, and what the run loses.

A store of 1,556 models × 60 scores. First a real run (the fashion zoo's networks, `params` and
`l2_norm`, one worker) writes to it alone; then one writes while `zoo-eval serve` reads the store
and fifty clients ask for a minute, each a moment after its last answer. Times of an answer are as
a client sees them, all of it read; times of a commit are the run's own, waiting for readers
included. Service, run, its worker and clients share the machine. Usage:
python benchmarks/service_load.py [SECONDS [PAUSE_S]]
"""

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from http import HTTPStatus
from pathlib import Path

import numpy as np
import psutil
from _million import fill
from _timing import machine

from zoo_eval.job import Job
from zoo_eval.manifest import Manifest
from zoo_eval.runner import execute, prepare
from zoo_eval.store import Outcome, Store

N_CLIENTS = 50
WARM_UP_S = 15.0
API = "/api/v1"
JOB = """
manifest = "fashion"
weights = ["init"]
seeds = [{seeds}]
scores = ["params", "l2_norm"]
[evaluation]
batch_size = 64
[dataset]
source = "fashion"
images_per_class = 4
[probe]
images = 4
"""


class TimedStore(Store):
    """A store that takes the time of each commit."""

    def commit(self, run: str, *outcomes: Outcome) -> None:
        """Store, and print the seconds it took."""
        start = time.perf_counter()
        super().commit(run, *outcomes)
        print(json.dumps([time.perf_counter() - start, len(outcomes)]), flush=True)


def write(store: str, job: str) -> None:
    """A real run, until it is interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    execute(prepare(Job.load(job), TimedStore(store)), workers=1)


class Writer:
    """A run in a process of its own."""

    def __init__(self, store: Path, first_seed: int) -> None:
        job = store.with_name(f"job{first_seed}.toml")
        job.write_text(JOB.format(seeds=", ".join(map(str, range(first_seed, first_seed + 200)))))
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--write", str(store), str(job)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # its end may fall into a commit, which DuckDB reports
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it has begun

    def end(self) -> np.ndarray:
        """Seconds of each commit, and how many networks it had."""
        self._process.send_signal(signal.SIGTERM)
        printed, _ = self._process.communicate()
        return np.array([json.loads(line) for line in printed.splitlines()])


def addresses(models: list[str], scores: list[str], chance: random.Random) -> tuple[str, str]:
    """A request as people and programs make them, and its route."""
    sort = f"{chance.choice(['', '-'])}{chance.choice(['imagenet_top1', 'params', *scores])}"
    model, score = chance.choice(models), chance.choice(scores)
    page = chance.randrange(1, 32)
    return chance.choice(
        [
            ("models", f"models?sort={sort}&page={page}"),
            ("models, 8 columns", f"models?sort={sort}&columns={','.join(scores[:8])}"),
            ("models/NAME", f"models/{model}"),
            ("scores", "scores"),
            ("scores/NAME", f"scores/{score}"),
            ("values", f"values?score={score}&size=100"),
            ("correlations", "correlations?truth=imagenet_top1"),
            ("runs", "runs"),
            ("health", "health"),
        ]
    )


class Client:
    """One connection that asks and reads answers; with little work, for it shares the machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "Client":
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()

    async def get(self, address: str) -> tuple[int, bytes]:
        """Status and content of an answer."""
        self._writer.write(
            f"GET {API}/{address} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        assert length is not None, head
        return int(head.split(b" ", 2)[1]), await self._reader.readexactly(int(length[1]))


async def ask(port: int, seconds: float, pause_s: float) -> tuple[dict[str, list[float]], int]:
    """Seconds of each answer by route, and how many were errors."""
    times: dict[str, list[float]] = defaultdict(list)
    errors = 0
    async with Client(port) as client:
        found = json.loads((await client.get("models?columns=params&size=1000"))[1])
        models = [row["model"] for row in found["rows"]]
        found = json.loads((await client.get("scores"))[1])
        scores = [line["label"] for line in found["scores"]]
        while (await client.get("correlations"))[0] == HTTPStatus.ACCEPTED:
            await asyncio.sleep(1)

    async def one(seed: int, until: float) -> None:
        nonlocal errors
        chance = random.Random(seed)
        async with Client(port) as client:
            while time.monotonic() < until:
                route, address = addresses(models, scores, chance)
                start = time.perf_counter()
                status, _ = await client.get(address)
                times[route].append(time.perf_counter() - start)
                errors += status not in (HTTPStatus.OK, HTTPStatus.ACCEPTED)
                await asyncio.sleep(chance.uniform(0, 2 * pause_s))

    until = time.monotonic() + seconds
    await asyncio.gather(*(one(seed, until) for seed in range(N_CLIENTS)))
    return times, errors


def processor_seconds(process: psutil.Process) -> float:
    """Of a process and its children that live."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def main(seconds: float = 60.0, pause_s: float = 0.25) -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.duckdb"
        fill(Store(path), Manifest.load("timm-imagenet").lines, 60)
        writer = Writer(path, 0)
        time.sleep(seconds / 2)
        alone = writer.end()
        service = subprocess.Popen(
            [sys.executable, "-m", "zoo_eval", "serve", "--store", str(path), "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert service.stdout is not None
        found = re.search(r"http://\S+:(\d+)", service.stdout.readline())
        assert found is not None
        writer = Writer(path, 1000)
        time.sleep(WARM_UP_S)
        served = psutil.Process(service.pid)
        before = time.process_time(), processor_seconds(served)
        times, errors = asyncio.run(ask(int(found[1]), seconds, pause_s))
        after = time.process_time(), processor_seconds(served)
        load = os.getloadavg()[0]
        beside = writer.end()
        service.send_signal(signal.SIGTERM)
        service.wait()
    everything = np.concatenate([np.array(each) for each in times.values()])
    print(
        f"{N_CLIENTS} clients, {seconds:.0f} s, pauses of {pause_s} s on average: "
        f"{len(everything):,} answers, {len(everything) / seconds:.0f} a second, {errors} errors\n"
        "\n| route | answers | p50 ms | p95 ms | p99 ms | most ms |\n|---|---|---|---|---|---|"
    )
    for route, each in [*sorted(times.items()), ("all", everything.tolist())]:
        p50, p95, p99, most = (1000 * q for q in np.quantile(each, [0.5, 0.95, 0.99, 1]))
        print(f"| {route} | {len(each):,} | {p50:.0f} | {p95:.0f} | {p99:.0f} | {most:.0f} |")
    print("\n| the run | commits | p50 ms | p95 ms | most ms | networks a second |\n" + "|---" * 6)
    for what, rows, wall in (("alone", alone, seconds / 2), ("beside", beside, None)):
        wall = wall or seconds + WARM_UP_S
        p50, p95, most = (1000 * q for q in np.quantile(rows[:, 0], [0.5, 0.95, 1]))
        rate = rows[:, 1].sum() / wall
        print(f"| {what} | {len(rows)} | {p50:.0f} | {p95:.0f} | {most:.0f} | {rate:.1f} |")
    n_answers = len(everything)
    asked, answered = (1000 * (a - b) / n_answers for a, b in zip(after, before, strict=True))
    print(f"\nProcessor per answer: clients {asked:.1f} ms, service {answered:.1f} ms.")
    print(f"{machine()}; load at the end {load:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(*sys.argv[2:])
    else:
        main(*map(float, sys.argv[1:]))
