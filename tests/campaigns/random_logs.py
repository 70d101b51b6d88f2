"""Random agreements: streams of events that the registry accepts, and ways of merging them into one log."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from domain.conftest import A, B
from projections.reading import Stream
from registry.domain.envelope import Posted, Recorded
from registry.errors import Rejected

C = "https://c.example/"
DAYS = (
    "2024-11-30",
    "2025-01-10",
    "2025-02",
    "2025-03-1X",
    "../2025-03-05",
    "2025-04-01/..",
    "2025-05-05~",
    "2025",
)
PARTS = ("one", "two", "three")
PERSONS = (
    {"person_id": "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11", "name": "Ana Núñez"},
    {"person_id": "0b54b5f1-3d0f-4b86-8f5e-9b8b7cf8d1c2", "name": "B. Person"},
)
LABELS = ({"en": "Digital identity"}, {"en": "Remittances"}, {"es": "Identidad digital"})
PARTY = ("pak", "slv")


def stream(chance: random.Random, subject: str, length: int = 30) -> list[Posted]:
    """Make an agreement of about so many events, among them corrections, retractions, merges and disputes."""
    log = Stream(subject, title=f"Letter {subject}", source=chance.choice((A, B)))
    for _ in range(length):
        try:
            _post(log, chance)
        except Rejected:  # what the registry refuses is no event
            continue
    return log.posted


def merged(chance: random.Random, streams: Sequence[Sequence[Posted]]) -> list[Posted]:
    """Merge streams at random; each keeps its order."""
    left = [list(reversed(one)) for one in streams if one]
    order = []
    while left:
        one = chance.choice(left)
        order.append(one.pop())
        if not one:
            left.remove(one)
    return order


def endless(chance: random.Random, name: str) -> Iterator[Posted]:
    """Yield events of ever new agreements, some of them at a time."""
    started = 0
    while True:
        yield from merged(chance, [stream(chance, f"{name}-{started + i}", 15) for i in range(3)])
        started += 3


def envelope(event: Posted) -> dict[str, Any]:
    """Write an event as the CloudEvent to post."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "data": event.body,
        **event.attrs,
    }


def batches(events: Iterable[Posted], size: int) -> Iterator[list[Posted]]:
    """Cut events into requests."""
    batch: list[Posted] = []
    for event in events:
        batch.append(event)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _post(log: Stream, chance: random.Random) -> None:
    source = chance.choice((A, A, B, C))
    match chance.randrange(20):
        case 0:
            log.retract(chance.choice(log.events[1:] or log.events))
        case 1 | 2:
            _correct(log, chance.choice(log.events), chance)
        case 3:
            kept, dropped = chance.sample(PARTS, 2)
            log.merge(chance.choice(("engagement", "follow-up", "area")), kept, dropped)
        case 4:
            target = chance.choice(log.events)
            if predicates := [predicate for predicate, _ in target.data.claims()]:
                log.resolve(chance.choice(predicates), target)
        case _:
            name, data = chance.choice(_CLAIMS)
            log.post(name, source=source, **_filled(data, chance))


def _correct(log: Stream, target: Recorded, chance: random.Random) -> None:
    """Give another day, or another text, to what has one."""
    name = target.type.removeprefix("agreement.").removesuffix(".v1")
    fields = {field: value for known, data in _CLAIMS if known == name for field, value in data.items()}
    fresh = {
        field: chance.choice(fields[field]) for field in fields.keys() & {"occurred", "date", "label", "text"}
    }
    if fresh:
        log.correct(target, **{**log.body(target), **fresh})


def _filled(data: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    return {field: chance.choice(value) for field, value in data.items()}


_CLAIMS: list[tuple[str, dict[str, Sequence[Any]]]] = [
    ("classified", {"legal_character": ("binding", "non-binding"), "kind": ("mou", "loi")}),
    ("title-given", {"title": ({"en": "A memorandum"}, {"es": "Un memorando"})}),
    ("signed", {"signatures": ([{"party": one} for one in PARTY], [{"party": "pak"}]), "occurred": DAYS}),
    ("ratified", {"party": PARTY, "form": ("ratification",), "occurred": DAYS}),
    ("entered-into-force", {"date": DAYS}),
    ("suspended", {"from": DAYS}),
    ("terminated", {"date": DAYS, "ground": ("consent",)}),
    ("cooperation-area-added", {"area_id": PARTS, "label": LABELS, "state": ("agreed", "prospective")}),
    (
        "engagement-planned",
        {
            "engagement_id": PARTS,
            "kind": ("visit", "meeting"),
            "when": DAYS,
            "certainty": ("expected",),
            "participants": tuple([{"person": one, "on_behalf_of": "pak"}] for one in PERSONS),
        },
    ),
    ("engagement-held", {"engagement_id": PARTS, "kind": ("visit", "meeting"), "start": DAYS}),
    ("engagement-cancelled", {"engagement_id": PARTS, "occurred": DAYS}),
    ("follow-up-scheduled", {"follow_up_id": PARTS, "text": LABELS, "due": DAYS, "owner": PARTY}),
    ("follow-up-progressed", {"follow_up_id": PARTS, "occurred": DAYS, "new_due": DAYS}),
    ("follow-up-completed", {"follow_up_id": PARTS, "occurred": DAYS}),
    (
        "institution-linked",
        {"institution_id": PARTS, "name": LABELS, "party": PARTY, "role": ("regulator", "mentioned")},
    ),
    (
        "role-held",
        {"person": PERSONS, "title": ({"en": "Minister"},), "party": PARTY, "from": ("2024", "2025-01")},
    ),
    (
        "publication-recorded",
        {"publication_id": PARTS, "title": ("A report", "Another"), "publisher": ("Press",)},
    ),
    ("fact-recorded", {"fact_id": PARTS, "about": ("pak", "slv"), "predicate": ("says",), "text": LABELS}),
    (
        "statement-recorded",
        {
            "statement_id": PARTS,
            "speaker": tuple({"person": one} for one in PERSONS),
            "attribution": ("named",),
            "gist": LABELS,
            "quoted": (True, False),
        },
    ),
]
