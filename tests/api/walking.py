"""Taking every read there is, as somebody, to compare what two of them say or what one says later."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from api.conftest import Service
from registry.http.access import ROUTES

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
LISTS = (
    "/agreements",
    "/parties",
    "/pairs",
    "/engagements",
    "/follow-ups",
    "/institutions",
    "/people",
    "/facts",
    "/publications",
    "/sources",
)
EXCEPTED = frozenset(
    (
        "/log",
        "/log/keys",
        "/log/proof/inclusion",
        "/log/proof/inclusion.tlog-proof",
        "/log/proof/consistency",
        "/log/bundle",
        "/checkpoint",
        "/tile/{tile:path}",
        "/readyz",
        "/metrics",
    )
)
"""What speaks of the tree as a whole, which has a leaf for every event; and of the service's own work."""

VARYING = frozenset(("date", "x-request-id"))
REQUEST_ID = "always-the-same"


class Read(NamedTuple):
    """What was answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Known(NamedTuple):
    """What reads may be about."""

    agreements: tuple[str, ...]
    parties: tuple[str, ...]
    people: tuple[str, ...]
    words: tuple[str, ...]
    last: int
    """The last position that is asked about."""


def urls(known: Known) -> Iterator[tuple[str, str]]:
    """Yield every read, as path and query, with what it accepts."""
    for path in LISTS:
        yield from ((path, form) for form in (JSON, CSV, NDJSON))
        yield f"{path}?limit=1", JSON
    for sort in ("-updated", "-signed", "title"):
        yield f"/agreements?sort={sort}", JSON
    for word in known.words:
        yield f"/agreements?q={word}", JSON
    for party in known.parties:
        yield from ((f"/parties/{party}{rest}", "*/*") for rest in ("", "/calendar.ics", "/feed.atom"))
        yield from ((f"/{list}?party={party}", JSON) for list in ("agreements", "facts", "people", "sources"))
        yield f"/stats?party={party}", JSON
        yield from ((f"/pairs/{party}/{other}", JSON) for other in known.parties if other != party)
    for person in known.people:
        yield from ((f"/{list}?person={person}", JSON) for list in ("agreements", "people", "engagements"))
        yield f"/people/{person}/erasures", JSON
    for id in known.agreements:
        yield from of_one(id)
        yield f"/stats?agreement={id}", JSON
        yield from (
            (f"/{list}?agreement={id}", JSON) for list in ("people", "facts", "publications", "sources")
        )
    for path in ("/stats", "/calendar.ics", "/feed.atom", "/", "/log.html", "/verify", "/docs", "/limits"):
        yield path, "*/*"
    yield from of_every_route(known)
    yield from (("/", "text/html"), ("/problems", "*/*"), ("/problems/not-found", "*/*"), ("/healthz", "*/*"))
    yield from (("/openapi.json", JSON), ("/asyncapi.json", JSON), ("/projections", JSON), ("/keys", JSON))
    yield from (("/events", JSON), ("/events", NDJSON), ("/events?type=agreement.signed.v1", NDJSON))
    yield from ((f"/events?limit=20&after={after}", JSON) for after in range(0, known.last + 40, 20))
    for position in (1, 2, known.last // 2, known.last, 10**6):
        yield from ((f"/{path}", "*/*") for path in (f"events/{position}", f"log/{position}"))
        yield f"/events/{position}/entry", JSON
    yield "/tile/entries/000", "*/*"
    yield "/schemas/agreement.signed.v1.schema.json", "*/*"
    yield "/static/none/none.css", "*/*"
    yield "/agreements?min_position=1000000", JSON
    yield f"/agreements?min_position={known.last}", JSON


def of_one(id: str) -> Iterator[tuple[str, str]]:
    """Yield the reads of one agreement."""
    views = ("", "/explain", "/claims", "/history", "/timeline", "/events", "/calendar.ics", "/feed.atom")
    yield from ((f"/agreements/{id}{view}", "*/*") for view in views)
    for known_as_of in ("1", "1000000", "2100-01-01T00:00:00Z"):
        yield from (
            (f"/agreements/{id}{view}?known_as_of={known_as_of}", "*/*")
            for view in ("", "/history", "/events")
        )
    yield f"/agreements/{id}/compare?from=2020-01-01&to=2026-01-01", JSON
    yield f"/agreements/{id}/compare?from=1&to=2100-01-01T00:00:00Z", JSON
    yield f"/agreements/{id}/timeline", CSV
    yield f"/agreements/{id}/events/1/erasures", JSON
    yield f"/a/{id}", "text/html"
    yield f"/events?agreement={id}", NDJSON
    yield f"/log.html?agreement={id}", "text/html"


async def walk(service: Service, who: dict[str, str], known: Known) -> dict[tuple[str, str], Read]:
    """Take every read as somebody."""
    found = {}
    for url, accepted in urls(known):
        headers = {**who, "Accept": accepted, "X-Request-ID": REQUEST_ID}
        response = await service.get(url, headers=headers)
        kept = tuple(sorted((n, v) for n, v in response.headers.items() if n not in VARYING))
        found[url, accepted] = Read(response.status_code, kept, response.content)
    return found


def of_every_route(known: Known) -> Iterator[tuple[str, str]]:
    """Yield a read of every route, by its template alone: so none that is new is left out."""
    fitting = {
        "id": (*known.agreements, *known.parties[:1]),
        "a": known.parties[:1],
        "b": known.parties[1:2],
        "position": (str(known.last),),
        "name": ("not-found",),
        "file": ("agreement.signed.v1.schema.json",),
        "hash": ("none",),
        "tile": ("000",),
    }
    for method, path in ROUTES:
        if method == "GET" and path not in EXCEPTED:
            names = re.findall(r"\{(\w+):\w+\}", path)
            for values in product(*(fitting[name] for name in names)):
                given = iter(values)
                yield re.sub(r"\{\w+:\w+\}", lambda _, given=given: next(given), path), "*/*"


def differing(before: dict[tuple[str, str], Any], after: dict[tuple[str, str], Any]) -> list[Any]:
    """Give what differs, for a message that can be read."""
    return [(url, before[url], after[url]) for url in before if before[url] != after[url]]


async def caught_up(service: Service, who: dict[str, str], position: int) -> None:
    """Wait until every read model has come to a position."""
    for path in (*LISTS, "/stats", "/calendar.ics", "/agreements/none/timeline"):
        waiting = {**who, "Prefer": "wait=20"}
        response = await service.get(f"{path}?min_position={position}", headers=waiting)
        assert response.status_code in (200, 404), response.text
