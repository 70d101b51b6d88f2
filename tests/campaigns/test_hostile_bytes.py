"""Whatever bytes are sent, the answer is a good one or a problem that blames the client, and the log holds."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.mutations import EVENTS, Case, any_bytes, cases, near_json
from campaigns.raw_http import Answered, Raw, is_problem
from campaigns.service_process import Service
from conftest import campaign
from registry.audit.verify import verify
from registry.http.access import ROUTES
from registry.store.database import open_reader

OFTEN = settings(
    max_examples=campaign(10_000),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class World:
    """A service that is fuzzed, and what came of it."""

    def __init__(self, service: Service, client: Raw, url: str) -> None:
        self.service = service
        self.client = client
        self.url = url
        self.statuses: Counter[int] = Counter()

    def note(self, answered: Answered | None) -> None:
        self.statuses[answered.status if answered else 0] += 1

    def verified(self) -> int:
        """Give how many events the log has, which holds."""
        engine = open_reader(self.url)
        report = verify(engine)
        engine.dispose()
        assert report.ok, report
        return report.events


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    service = Service(sqlite_url, tmp_path / "key")
    service.start()
    world = World(service, Raw(service.port), sqlite_url)
    yield world
    world.client.close()
    print(f"\n{sum(world.statuses.values())} requests: {dict(sorted(world.statuses.items()))}")
    assert service.stop() < 10
    world.verified()


def post_and_check(world: World, case: Case) -> None:
    before = world.client
    answered = before.ask(case.request(), end=case.framing == "cut")
    world.note(answered)
    if answered is None:
        assert case.framing == "cut", case
    elif answered.status not in (200, 201):
        assert 400 <= answered.status < 500, (case, answered)
        is_problem(answered)


@pytest.mark.campaign
def test_any_bytes_posted_are_recorded_or_refused(world: World) -> None:
    @OFTEN
    @given(cases(any_bytes))
    def posted(case: Case) -> None:
        post_and_check(world, case)

    posted()
    assert world.verified() >= world.statuses[201]
    assert world.statuses[201] + world.statuses[200] > 0


@pytest.mark.campaign
def test_whatever_is_nearly_an_event_is_recorded_or_refused(world: World) -> None:
    @OFTEN
    @given(cases(near_json))
    def posted(case: Case) -> None:
        post_and_check(world, case)

    posted()
    assert world.verified() >= world.statuses[201]
    assert world.statuses[201] + world.statuses[200] > 0


TEMPLATES = sorted(path for method, path in ROUTES if method == "GET")
NAMES = (
    "limit", "cursor", "after", "agreement", "type", "party", "min_position", "valid_as_of", "known_as_of", "sort", "q",
    "status", "from", "to", "size", "old", "new", "lang", "theme", "x", "index", "leaf_hash", "a", "b", "next",
)  # fmt: skip
VALUES = (
    "", "0", "1", "-1", "1000", "9999999999999999", "2025-07-16", "2025-02-30", "0000-01-01", "9999-12-31", "pak",
    "YWZ0ZXI6MQ", "title", "-signed", "%00", "%FF", "%", "../", "en", "ur", "dark", "true", "agreement.signed.v1",
    str(EVENTS[0]["subject"]), "x" * 3000, "%F0%9F%98%80", "'\"<script>", "*", "a OR b", '"a', "NEAR(", "1e9",
)  # fmt: skip
HEADERS = (
    "Accept: text/html", "Accept: application/x-ndjson", "Accept: text/csv", "Accept: text/event-stream", "Accept: x/y",
    "Accept: ,;q=", "If-None-Match: *", 'If-None-Match: "', "Prefer: wait=1", 'Prefer: wait="', "Last-Event-ID: 1",
    "Last-Event-ID: x", "Access-Reason: \xe9", "Cookie: lang=xx; theme=\xff", "Cookie: =", "Authorization: Basic x",
    "Accept-Language: ur;q=x,,*", "X-Forwarded-For: 1.2.3.4", "Range: bytes=0-1", "Content-Length: 0", "Referer: \xff",
)  # fmt: skip
pieces = st.sampled_from(VALUES) | st.text(max_size=12).map(quote) | st.binary(max_size=6).map(quote)


@st.composite
def paths(draw: st.DrawFn) -> str:
    """Make a path of a route, with anything in the place of its parameters, or any path."""
    template = draw(st.sampled_from(TEMPLATES))
    made = "/".join(
        draw(pieces) if part.startswith("{") else part for part in template.removeprefix("/").split("/")
    )
    return "/" + (made if draw(st.integers(0, 9)) else f"{made}/{draw(pieces)}")


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, str]:
    method = draw(st.sampled_from(("GET", "GET", "GET", "HEAD", "OPTIONS", "DELETE", "PUT", "TRACE")))
    names = st.sampled_from(NAMES) | st.text(max_size=5).map(quote)
    query = "&".join(f"{draw(names)}={draw(pieces)}" for _ in range(draw(st.integers(0, 3))))
    target = draw(paths()).replace(" ", "+") + (f"?{query.replace(' ', '+')}" if query else "")
    lines = "".join(
        f"{each}\r\n" for each in draw(st.lists(st.sampled_from(HEADERS), max_size=3, unique=True))
    )
    return method, f"{method} {target} HTTP/1.1\r\nHost: registry.test\r\n{lines}\r\n"


@pytest.mark.campaign
def test_whatever_is_asked_is_answered_or_refused(world: World) -> None:
    for event in EVENTS:
        body = json.dumps(event).encode()
        world.client.ask(
            Case(((b"Content-Type", b"application/cloudevents+json"),), body, "length").request()
        )

    @settings(OFTEN, max_examples=campaign(5_000))
    @given(asked())
    def ask(one: tuple[str, str]) -> None:
        method, request = one
        answered = world.client.ask(request.encode("latin-1"), head=method == "HEAD")
        world.note(answered)
        assert answered is not None, request
        check(request, method, answered)

    ask()


def check(request: str, method: str, answered: Answered) -> None:
    if answered.status == 504:
        assert "min_position" in request
    elif answered.status == 503:
        assert "/readyz" in request
    else:
        assert answered.status < 500, (request, answered)
    if (
        answered.status >= 400
        and method != "HEAD"
        and not answered.headers["content-type"].startswith("text/html")
    ):
        is_problem(answered)
