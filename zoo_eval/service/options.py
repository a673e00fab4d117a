"""What a service is told when it starts."""

from dataclasses import dataclass
from pathlib import Path

API = "/api/v1"


@dataclass(frozen=True)
class ServiceOptions:
    """How a service serves one store.

    Attributes:
        store: The result file. One that does not exist yet is served empty, so that the first
            job can be submitted.
        token: Who has it may use the service; None lets in everybody who reaches it.
        read_only: Whether jobs cannot be submitted, cancelled or tried again.
        allowed: Folders that a submitted job may name a manifest, images or weights in.
        hosts: Names under which browsers may reach the service, beside `localhost` and addresses.
        max_body_bytes: Longest body of a request.
        requests_per_s: Requests that one client may make in the long run; ten times as many at
            once. From this machine fifty times as many.
        max_queued: Jobs that may wait at a time.
        resamples: Bootstrap resamples of the correlations.
    """

    store: Path
    token: str | None = None
    read_only: bool = False
    allowed: tuple[Path, ...] = ()
    hosts: tuple[str, ...] = ()
    max_body_bytes: int = 1_000_000
    requests_per_s: float = 100.0
    max_queued: int = 100
    resamples: int = 1000
