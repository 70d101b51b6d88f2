"""How often somebody may ask: a bucket for each who asks, and what is answered when it is empty.

Each process counts for itself. With N processes whoever asks them in turn may ask N times as often.
"""

import math
import time
from collections.abc import Callable
from typing import Any

from registry.access import DEVELOPMENT, KEY, TOKEN, Principal
from registry.config import Settings
from registry.errors import RegistryError
from registry.http.clients import Clients

MOST_KNOWN = 10_000
"""Buckets of one kind that are kept at once."""
READS = frozenset(("GET", "HEAD", "OPTIONS"))
UNCOUNTED = frozenset(("/healthz", "/readyz"))
"""Paths that whoever supervises the service asks, perhaps from the address that all others seem to have."""
MINUTE = 60.0


class TooManyRequests(RegistryError):
    """Whoever asks has asked too often, or for too much at once."""

    def __init__(self, detail: str, retry_after: int, rate: "Rate | None" = None) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(retry_after)}
        """Of the answer; with a rate also those of draft-ietf-httpapi-ratelimit-headers-10."""
        if rate is not None:
            self.headers["RateLimit-Policy"] = rate.policy
            self.headers["RateLimit"] = f'"{rate.name}";r=0;t={retry_after}'


class Rate:
    """Buckets of one size, one for each who asks. Belongs to the event loop.

    Of a bucket only the moment is kept at which it is full again, on the clock of ``now``: what is missing is
    what flows in until then (the generic cell rate algorithm). One that is full is as good as none.
    """

    def __init__(
        self, name: str, rate: float, burst: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.policy = f'"{name}";q={math.floor(burst)};w={math.ceil(burst / rate)}'
        self.empty = True
        """Whether nobody has taken anything yet, and so nobody too much."""
        self._apart = 1 / rate
        self._ahead = burst / rate - self._apart + 1e-9  # the moments that are added up are rounded
        self._full_at: dict[str, float] = {}
        self._clock = clock

    def __len__(self) -> int:
        """Count the buckets that are kept."""
        return len(self._full_at)

    def take(self, who: str) -> float:
        """Take one; returns 0.0, or after how many seconds there will be one, and then nothing is taken."""
        now = self._clock()
        full_at = self._full_at.get(who, 0.0)
        if full_at <= now:
            if len(self._full_at) >= MOST_KNOWN:
                self._forget(now)
            self.empty = False
            self._full_at[who] = now + self._apart
            return 0.0
        if full_at - now > self._ahead:
            return full_at - now - self._ahead
        self._full_at[who] = full_at + self._apart
        return 0.0

    def owe(self, who: str, number: int, most: float) -> None:
        """Take some even if there are none; what is missing is no more than flows in within ``most`` seconds."""
        now = self._clock()
        if len(self._full_at) >= MOST_KNOWN and who not in self._full_at:
            self._forget(now)
        self.empty = False
        full_at = max(now, self._full_at.get(who, 0.0)) + number * self._apart
        self._full_at[who] = min(full_at, now + self._ahead + most)

    def left_after(self, who: str) -> float:
        """Tell after how many seconds there is one to take, without taking it."""
        return max(0.0, self._full_at.get(who, 0.0) - self._clock() - self._ahead)

    def refusal(self, detail: str, wait: float) -> TooManyRequests:
        """Make what is raised when there is nothing to take for some seconds."""
        return TooManyRequests(detail, max(1, math.ceil(wait)), self)

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full and, while too many are not, the fuller half of them."""
        kept = sorted((full_at, who) for who, full_at in self._full_at.items() if full_at > now)
        if len(kept) >= MOST_KNOWN:
            kept = kept[len(kept) // 2 :]
        self._full_at = {who: full_at for full_at, who in kept}


class Rates:
    """Everything that is counted of those who ask. Belongs to the event loop."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        def rate(name: str, a_second: float, burst: float) -> Rate | None:
            return Rate(name, a_second, max(1.0, burst), clock=clock) if a_second else None

        seconds = settings.burst_seconds
        self.clients = Clients(settings.proxies)
        self.writes = rate("writes", settings.write_rate, settings.write_rate * seconds)
        self.reads = rate("reads", settings.read_rate, settings.read_rate * seconds)
        self.address_writes = rate("address-writes", settings.address_rate, settings.address_rate * seconds)
        self.address_reads = rate("address-reads", settings.address_rate, settings.address_rate * seconds)
        self.failures = rate("failures", settings.failure_rate / MINUTE, settings.failure_rate)

    def count(self, scope: Any, principal: Principal | None) -> None:
        """Count a request of a principal, or of an address when nobody known is asking. Raises TooManyRequests."""
        reading = scope["method"] in READS
        if principal is not None and principal.kind in (KEY, TOKEN):
            rate, who = self.reads if reading else self.writes, principal.id
            if rate is not None and (wait := rate.take(who)):
                raise rate.refusal(_too_often("this key or token", reading=reading), wait)
        elif principal is None or principal.kind != DEVELOPMENT:
            self.count_address(scope, reading=reading)

    def count_address(self, scope: Any, *, reading: bool) -> None:
        """Count a request of an address. Raises TooManyRequests."""
        rate = self.address_reads if reading else self.address_writes
        if rate is None or scope["path"] in UNCOUNTED:
            return
        if wait := rate.take(self.clients.address(scope)):
            raise rate.refusal(_too_often("this address", reading=reading), wait)

    @property
    def any_failed(self) -> bool:
        """Tell whether credentials have not held at all, so that it has to be looked up from where they came."""
        return self.failures is not None and not self.failures.empty

    def failed(self, scope: Any) -> None:
        """Note that credentials did not hold."""
        if self.failures is not None:
            self.failures.take(self.clients.address(scope))

    def check_failures(self, scope: Any) -> None:
        """Refuse an address from which too many credentials did not hold. Raises TooManyRequests."""
        rate = self.failures
        if rate is None or not (wait := rate.left_after(self.clients.address(scope))):
            return
        raise rate.refusal(
            "from this address came too many keys or tokens that do not hold; those that are known go on",
            wait,
        )


def _too_often(who: str, *, reading: bool) -> str:
    return f"{who} {'reads' if reading else 'writes'} more often than is permitted"
