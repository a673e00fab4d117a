"""Rate limits: a bucket of tokens for each client, which fills as time goes by."""

import time
from dataclasses import dataclass

_MOST_CLIENTS = 10_000


@dataclass
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """How often each client may do something.

    Args:
        per_s: Tokens that come back in a second.
        burst: Tokens of a full bucket.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._buckets: dict[str, _Bucket] = {}

    def wait_s(self, client: str) -> float:
        """Take a token: 0, or seconds until there is one."""
        now = time.monotonic()
        if len(self._buckets) >= _MOST_CLIENTS:
            self._forget(now)
        bucket = self._buckets.setdefault(client, _Bucket(self._burst, now))
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._per_s)
        bucket.at = now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._per_s
        bucket.tokens -= 1
        return 0.0

    def _forget(self, now: float) -> None:
        """Drop the full buckets; if all are in use, all of them, which lets some in too early."""
        after = self._burst / self._per_s
        used = {who: each for who, each in self._buckets.items() if now - each.at < after}
        self._buckets = used if len(used) < _MOST_CLIENTS else {}
