"""The events posted: agreements that live, in the mix of a real story, every one distinct.

An agreement is ten events: registered, signed by two persons, an office held, an institution, a meeting held
with participants, another planned, an area, a commitment, a follow-up and a statement. A batch goes across
many agreements, event by event, so that its neighbours belong to different agreements.
"""

import itertools
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec

STORY = 10
"""Events in an agreement."""

SOURCES = ("https://openvoicenews.example/", "https://report-b.example/", "https://gazette.example/treaties/")
COUNTRIES = ("PAK", "SLV", "KEN", "NOR", "CHL", "VNM", "GEO", "RWA", "URY", "MAR")
GIVEN = (
    "Amina",
    "Diego",
    "Wei",
    "Ngozi",
    "Søren",
    "Jūratė",
    "Karim",
    "Olga",
    "Mateo",
    "Leila",
    "Hugo",
    "Aiko",
    "Tomás",
)
FAMILY = (
    "Rahman",
    "Portillo",
    "Li",
    "Okafor",
    "Lindqvist",
    "Kalniņa",
    "Haddad",
    "Ivanova",
    "Rojas",
    "Tanaka",
    "Silva",
)
TOPICS = ("digital assets", "financial inclusion", "public services", "remittances", "digital identity")

Envelope = dict[str, Any]


def stories(run: str) -> Iterator[list[Envelope]]:
    """Yield agreements without end, each its CloudEvents in order. Ids and subjects are unique to ``run``."""
    for n in itertools.count():
        yield _story(run, n)


def groups(run: str, batch: int) -> Iterator[list[Envelope]]:
    """Yield groups of events without end, in an order that may be posted.

    A group is one agreement, or two batches: the first halves of many agreements, then the second halves.
    """
    source = stories(run)
    agreements = max(1, 2 * batch // STORY)
    while True:
        group = itertools.islice(source, agreements)
        yield [event for step in zip(*group, strict=True) for event in step]


def requests(run: str, events: int, batch: int) -> list[list[bytes]]:
    """Build HTTP requests of ``batch`` events each, at least ``events`` in all.

    Each inner list is for one connection to send in its order. A batch of 1 is a structured request.
    """
    built: list[list[bytes]] = []
    count = 0
    for group in groups(run, batch):
        if count >= events:
            break
        built.append(_requests_of(group, batch))
        count += len(group)
    return built


def _requests_of(group: list[Envelope], batch: int) -> list[bytes]:
    if batch == 1:
        return [_http("application/cloudevents+json", event) for event in group]
    return [
        _http("application/cloudevents-batch+json", group[i : i + batch]) for i in range(0, len(group), batch)
    ]


def _http(content_type: str, content: Any) -> bytes:
    body = msgspec.json.encode(content)
    head = (
        "POST /events HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _story(run: str, n: int) -> list[Envelope]:
    ours, theirs = COUNTRIES[n % 10], COUNTRIES[(n + 1 + n // 10 % 9) % 10]
    parties = (ours.lower(), theirs.lower())
    day = date(1990, 1, 1) + timedelta(days=n * 7 % 13_000)
    topic = TOPICS[n % len(TOPICS)]
    cites = [{"publication_id": f"report-{n % 997}", "locator": f"p. {n % 90 + 1}", "basis": "stated"}]
    persons = [{"person_id": str(uuid.uuid4()), "name": _name(n + k * 5)} for k in (0, 1)]
    datas: list[tuple[str, dict[str, Any]]] = [
        ("registered", _registered(parties, (ours, theirs), topic)),
        ("signed", _signed(parties, theirs, persons, day)),
        (
            "role-held",
            {
                "person": persons[0],
                "title": {"en": "Minister of Trade"},
                "party": parties[0],
                "from": f"{day.year - 1}",
            },
        ),
        (
            "institution-linked",
            {
                "institution_id": f"bank-{theirs.lower()}-{n % 50}",
                "name": {"en": f"National office {n % 50}"},
                "party": parties[1],
                "role": "regulator",
            },
        ),
        ("engagement-held", _held(parties, theirs, persons, day, topic)),
        (
            "engagement-planned",
            {
                "engagement_id": "next-meeting",
                "kind": "meeting",
                "label": {"en": f"Second meeting on {topic}"},
                "when": f"{day.year + 1}",
                "certainty": "expected",
            },
        ),
        ("cooperation-area-added", {"area_id": "main-area", "label": {"en": topic}, "state": "agreed"}),
        (
            "commitment-made",
            {
                "commitment_id": "explore",
                "text": {"en": f"Explore together how {topic} can serve more people in both countries"},
                "by": list(parties),
                "strength": "aim",
            },
        ),
        (
            "follow-up-scheduled",
            {
                "follow_up_id": "report-back",
                "text": {"en": "Report back on the first year"},
                "commitment_id": "explore",
                "due": f"{day.year + 1}-{day.month:02}",
                "owner": parties[1],
            },
        ),
        (
            "statement-recorded",
            {
                "statement_id": "opening",
                "speaker": {"person": persons[1], "on_behalf_of": parties[1]},
                "attribution": "named",
                "gist": {"en": "The visit opens a relationship of shared learning"},
                "quoted": True,
                "occurred": day.isoformat(),
            },
        ),
    ]
    subject = f"{parties[0]}-{parties[1]}-{run}-{n}"
    return [
        {
            "specversion": "1.0",
            "id": f"{run}-{n}-{k}",
            "source": SOURCES[n % len(SOURCES)],
            "type": f"agreement.{name}.v1",
            "subject": subject,
            "time": f"{day.isoformat()}T09:00:00Z",
            "datacontenttype": "application/json",
            "data": {**data, "cites": cites} if k % 2 else data,
        }
        for k, (name, data) in enumerate(datas)
    ]


def _name(n: int) -> str:
    """Make one of many names: nobody's events are all about the same few persons."""
    given, rest = n % len(GIVEN), n // len(GIVEN)
    return f"{GIVEN[given]} {chr(ord('A') + rest % 26)}. {FAMILY[rest // 26 % len(FAMILY)]}"


def _registered(parties: tuple[str, str], countries: tuple[str, str], topic: str) -> dict[str, Any]:
    return {
        "title": {"en": f"Memorandum of understanding on {topic}", "es": "Memorando de entendimiento"},
        "parties": [
            {"id": id_, "kind": "state", "name": {"en": f"Republic {country}"}, "country": country}
            for id_, country in zip(parties, countries, strict=True)
        ],
        "kind": "mou",
        "legal_character": "non-binding",
        "entry_mode": "on-signature",
        "subjects": [topic],
    }


def _signed(
    parties: tuple[str, str], country: str, persons: list[dict[str, str]], day: date
) -> dict[str, Any]:
    return {
        "signatures": [
            {"party": party, "actor": {"person": person}, "capacity": "Minister of Trade"}
            for party, person in zip(parties, persons, strict=True)
        ],
        "occurred": day.isoformat(),
        "place": {"name": "The capital", "country": country},
    }


def _held(
    parties: tuple[str, str], country: str, persons: list[dict[str, str]], day: date, topic: str
) -> dict[str, Any]:
    return {
        "engagement_id": "first-meeting",
        "kind": "meeting",
        "start": day.isoformat(),
        "end": (day + timedelta(days=2)).isoformat(),
        "place": {"name": "The capital", "country": country},
        "host": parties[1],
        "participants": [
            {"person": persons[0], "on_behalf_of": parties[0]},
            {"person": persons[1], "on_behalf_of": parties[1]},
        ],
        "topics": [topic, "public-sector innovation"],
        "outcome": {"en": "Both sides agreed to meet again within the year"},
    }
