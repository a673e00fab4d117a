"""A real service in a process of its own, at a port of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import uvicorn

from zoo_eval.service import ServiceOptions, create_app

API = "/api/v1"


class Service:
    """`zoo-eval serve` over a store, and a client of it."""

    def __init__(self, store: Path, *arguments: str, token: str = "none") -> None:
        command = [sys.executable, "-m", "zoo_eval", "serve", "--store", str(store), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        )
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+/", line)
        assert found, line + self.process.stdout.read()
        self.client = httpx2.Client(
            base_url=found[0],
            headers={"Authorization": f"Bearer {token}"},
            timeout=120,
            trust_env=False,
        )
        self.wait(self._answers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def _answers(self) -> bool:
        return self.client.get(f"{API}/health").status_code == 200

    def end(self) -> str:
        """End it in order; what it printed beside its address."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        printed, _ = self.process.communicate(timeout=120)
        return printed

    def get(self, address: str) -> dict:
        response = self.client.get(f"{API}/{address}")
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, address: str, **content: object) -> dict:
        response = self.client.post(f"{API}/{address}", json=content)
        assert response.status_code in (201, 202), response.text
        return response.json()

    def events(self, address: str):
        """Server-sent events as they come: name and content."""
        with self.client.stream("GET", f"{API}/{address}") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            name = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))

    def wait(self, condition, seconds: float = 120.0):
        """What a condition gives, as soon as it is true."""
        give_up = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < give_up, self.client.get(f"{API}/runs").text
            time.sleep(0.1)
        return found


@contextmanager
def in_thread(options: ServiceOptions):
    """A service at a port of its own, in this process; its address."""
    config = uvicorn.Config(create_app(options), port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
