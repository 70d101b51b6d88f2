"""Logs with real events, personal parts, erasures and signed checkpoints, to make evidence of."""

from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from registry.audit.bundle import Files, make_bundle
from registry.audit.evidence import gather, require_published, stand
from registry.audit.keys import SigningKey, make_key
from registry.audit.publisher import Publisher
from registry.domain import cloudevents
from registry.domain.codec import split
from registry.store.arrivals import Arrivals
from registry.store.erasure import Eraser
from registry.store.group import Request
from registry.store.reader import Reader
from registry.store.states import States
from registry.store.writer import Writer

AGREEMENT = "isl-nzl-2026-geothermal"
SOURCE = "https://gazette.example/"
PRINCIPAL = "3d3c7f2e-8a55-4d55-9b0a-9f0f5a3b7c33"
DAY = date(2026, 8, 1)
PARTIES = [
    {"id": "isl", "kind": "state", "name": {"en": "Iceland", "is": "Ísland"}, "country": "ISL"},
    {"id": "nzl", "kind": "state", "name": {"en": "New Zealand"}, "country": "NZL"},
]


class EvidentLog:
    """A log that is written to by the one path there is, and signed when told to."""

    def __init__(self, engine: Engine, key: SigningKey) -> None:
        self.engine = engine
        self.key = key
        self.reader = Reader(engine)
        self._writer = Writer(engine, States(0))

    def post(
        self, name: str, id: str, data: dict[str, Any], *, subject: str = AGREEMENT, source: str = SOURCE
    ) -> int:
        """Append one event and give its position."""
        posted = cloudevents.posted(
            {
                "specversion": "1.0",
                "id": id,
                "source": source,
                "type": f"agreement.{name}.v1",
                "subject": subject,
                "data": data,
            }
        )
        parts = split(posted.type, posted.body, posted.attrs, PRINCIPAL)
        (answer,) = self._writer.commit([Request([posted], [parts])])
        assert isinstance(answer, list), answer
        return answer[0].position

    def signed_by_persons(self) -> None:
        """Tell of an agreement that is registered, signed by two persons, corrected, disputed and followed up."""
        self.post("registered", "r", {"title": {"en": "Geothermal <energy>"}, "parties": PARTIES})
        people = ("6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11", "0b7c6f4f-2f2e-4d8e-9a39-4f3f6c2a6d11")
        names = ("A. Signatory", "B. Signatory")
        signatures = [
            {"party": party, "actor": {"person": {"person_id": person, "name": name}}, "capacity": "Minister"}
            for party, person, name in zip(("isl", "nzl"), people, names, strict=True)
        ]
        self.post("signed", "s", {"signatures": signatures, "occurred": "2026-07-16"})
        self.post(
            "classified", "c", {"kind": "mou", "entry_mode": "on-signature", "legal_character": "binding"}
        )
        self.post("classified", "c", {"kind": "treaty"}, source="https://other.example/")
        target = {"source": SOURCE, "id": "s", "type": "agreement.signed.v1"}
        replacement = {"signatures": signatures, "occurred": "2026-07-15"}
        correction = {"target": target, "replacement": replacement, "reason": "a slip", "kind": "entry-error"}
        self.post("event-corrected", "fix", correction)
        follow_up = {"follow_up_id": "f", "text": {"en": "Exchange of data"}, "due": "2026-12"}
        self.post("follow-up-scheduled", "f", follow_up)

    def erase(self, position: int, *parts: int) -> None:
        """Erase parts of an event, and those of the same persons in its corrections."""
        Eraser(self.engine, States(0)).erase(AGREEMENT, position, parts, "gdpr-17", PRINCIPAL)

    def sign(self) -> bytes:
        """Publish a checkpoint of the log as it is; give it."""
        publisher = Publisher(self.engine, self.reader, [self.key], kept=None, arrivals=Arrivals())
        publisher.step()
        publisher.close()
        return require_published(self.reader).note

    @property
    def vkey(self) -> str:
        return str(self.key.verifier_key(self.reader.head().origin))

    def bundle(self, on: date = DAY, *, parts: bool = True, from_size: int | None = None) -> Files:
        """Make the bundle of the agreement."""
        standing = stand(self.reader, AGREEMENT)
        keys = [self.key.verifier_key(self.reader.head().origin)]
        evidence = gather(self.reader, AGREEMENT, standing, keys=keys, from_size=from_size)
        return make_bundle(evidence, on, parts=parts)


def evident_log(engine: Engine, path: Path) -> EvidentLog:
    """Begin a log on a migrated, empty database."""
    return EvidentLog(engine, make_key(path / "log.key"))
