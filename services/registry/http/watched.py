"""Watching requests: each gets an id, is counted, and is told of in one line when it has ended."""

from time import perf_counter
from typing import Any, Protocol

from litestar import Litestar
from litestar.types import ASGIApp, Message, Receive, Send

from registry.figures import SECONDS, Family, Histogram, Labels, counters, histograms
from registry.http.lines import SERVER_ERROR, AccessLines, Line
from registry.http.told import TOLD, Told, request_id

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER = "other"
"""Stands for every other method: a client may send any word as one."""
GONE = 499
"""Stands for the status of a request that was given up before it had one."""


class Spans(Protocol):
    """Traces requests."""

    def begin(self, scope: Any) -> Any:
        """Begin the span of a request; what is returned ends it."""

    def end(self, span: Any, method: str, told: Told, status: int) -> None:
        """End it, once it is known what became of the request."""


class Requests:
    """What requests there were, in numbers. Belongs to the event loop."""

    def __init__(self) -> None:
        self.spans: Spans | None = None
        """What traces requests; None while nobody wants traces."""
        self.under_way = 0
        self.draining = False
        """Whether the service is to stop: it still answers, and is not ready any more."""
        self._statuses: dict[tuple[str, str, int], int] = {}
        self._seconds: dict[tuple[str, str], Histogram] = {}
        self._problems: dict[tuple[str, str], int] = {}

    def add(self, method: str, told: Told, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        key = method, told.template, status // 100
        self._statuses[key] = self._statuses.get(key, 0) + 1
        if told.problem:
            refused = told.problem, told.rule
            self._problems[refused] = self._problems.get(refused, 0) + 1
        if not told.lasting:
            kept = self._seconds.get(key[:2])
            if kept is None:
                kept = self._seconds[key[:2]] = Histogram(SECONDS)
            kept.add(seconds)

    def families(self) -> list[Family]:
        """Give the numbers."""
        return [
            counters(
                "registry_http_requests_total",
                "Requests that have ended, by method, template of the route and class of the status",
                [
                    ((*_route(method, template), ("status", f"{status}xx")), count)
                    for (method, template, status), count in self._statuses.items()
                ],
            ),
            histograms(
                "registry_http_request_seconds",
                "Seconds from a request to the end of its answer, without live streams",
                {_route(*key): kept for key, kept in self._seconds.items()},
            ),
            counters(
                "registry_problems_total",
                "Requests answered with a problem, by its kind and by the rule that refused an event",
                [((("kind", kind), ("rule", rule)), count) for (kind, rule), count in self._problems.items()],
            ),
        ]


def _route(method: str, template: str) -> Labels:
    return ("method", method), ("route", template)


class Watched:
    """An ASGI application in front of all others, which sees every request begin and end."""

    def __init__(
        self, app: Litestar, behind: ASGIApp, requests: Requests, lines: AccessLines | None = None
    ) -> None:
        self.app = app
        self._behind = behind
        self._requests = requests
        self._lines = lines

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
            return
        requests = self._requests
        told = scope[TOLD] = Told(request_id(scope["headers"]))
        status = size = 0

        async def watch(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.body":
                size += len(message["body"])
            elif message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _with_id(message["headers"], told.request_id)
            await send(message)

        span = None if requests.spans is None else requests.spans.begin(scope)
        requests.under_way += 1
        began = perf_counter()
        try:
            await self._behind(scope, receive, watch)
        finally:
            seconds = perf_counter() - began
            requests.under_way -= 1
            method = scope["method"]
            if method not in METHODS:
                method = OTHER
            status = status or GONE
            requests.add(method, told, status, seconds)
            if span is not None and requests.spans is not None:
                requests.spans.end(span, method, told, status)
            if self._lines is not None:
                self._lines.add(line(method, told, status, size, seconds))


def _with_id(headers: Any, id: str) -> list[tuple[bytes, bytes]]:
    """Give headers with the id of the request, which a problem has already."""
    if any(name == b"x-request-id" for name, _ in headers):
        return headers  # type: ignore[no-any-return]  # as they were
    return [*headers, (b"x-request-id", id.encode())]


def line(method: str, told: Told, status: int, size: int, seconds: float) -> Line:
    """Make the line of a request; its time is that at which it is written."""
    return Line(
        "",
        "info" if status < SERVER_ERROR else "warning",
        method,
        told.template,
        status,
        round(seconds * 1000, 2),
        size,
        told.request_id,
        told.principal,
        told.position,
        told.problem,
        told.rule,
    )
