"""The log of one agreement, as a test posts it: every event is decided, then folded."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from registry.domain.agreement import Agreement, evolve
from registry.domain.codec import owners_of, typed
from registry.domain.decide import Advice, decide
from registry.domain.envelope import Posted, Recorded
from registry.domain.status import Status, status
from registry.domain.view import AgreementView, view

A = "https://a.example/"
B = "https://b.example/"

PARTIES = (
    {"id": "pak", "kind": "state", "name": {"en": "Pakistan"}, "country": "PAK"},
    {"id": "slv", "kind": "state", "name": {"en": "El Salvador"}, "country": "SLV"},
)


class Log:
    """Posts events to one agreement. ``post(name, **data)`` refuses what decide refuses."""

    def __init__(self, subject: str = "pak-slv-2025") -> None:
        self.subject = subject
        self.events: list[Recorded] = []
        self.posted: list[Posted] = []
        self.state: Agreement | None = None
        self.warnings: tuple[Advice, ...] = ()

    def make(
        self, name: str, /, *, source: str = A, id: str = "", attrs: dict[str, str] | None = None, **data: Any
    ) -> Posted:
        body = {field.rstrip("_"): value for field, value in data.items()}
        kind = f"agreement.{name}.v1"
        id_ = id or f"e{len(self.events) + 1}"
        return Posted(
            source,
            id_,
            kind,
            self.subject,
            body,
            typed(kind, body),
            attrs or {},
            personal=owners_of(kind, body),
        )

    def post(
        self,
        name: str,
        /,
        *,
        source: str = A,
        id: str = "",
        admin: bool = False,
        attrs: Any = None,
        **data: Any,
    ) -> Recorded:
        posted = self.make(name, source=source, id=id, attrs=attrs, **data)
        self.warnings = decide(self.state, posted, admin=admin)
        return self.record(posted)

    def record(self, posted: Posted) -> Recorded:
        """Take an event as the log would, without asking decide."""
        place = len(self.events) + 1
        event = Recorded(
            position=place,
            version=place,
            recorded_at=1_000_000 * place,
            source=posted.source,
            id=posted.id,
            type=posted.type,
            subject=posted.subject,
            data=posted.data,
        )
        self.posted.append(posted)
        self.events.append(event)
        self.state = evolve(self.state, event)
        return event

    def registered(self, *, source: str = A, title: str = "Letter of Intent", **data: Any) -> Recorded:
        return self.post("registered", source=source, title={"en": title}, parties=list(PARTIES), **data)

    def signed(self, occurred: str, *parties: str, source: str = A, **data: Any) -> Recorded:
        signatures = [{"party": party} for party in parties or ("pak", "slv")]
        return self.post("signed", source=source, signatures=signatures, occurred=occurred, **data)

    def correct(
        self, target: Recorded, *, source: str | None = None, admin: bool = False, **data: Any
    ) -> Recorded:
        """Correct an event, or a correction, to other data."""
        first = target
        while first.type == "agreement.event-corrected.v1":
            named = first.data.target
            first = next(one for one in self.events if one.identity == (named.source, named.id))
        return self.post(
            "event-corrected",
            source=source or target.source,
            admin=admin,
            target={"source": target.source, "id": target.id, "type": first.type},
            replacement={field.rstrip("_"): value for field, value in data.items()},
            reason="It was wrong.",
            kind="entry-error",
        )

    def retract(self, target: Recorded, *, source: str | None = None, admin: bool = False) -> Recorded:
        return self.post(
            "event-retracted",
            source=source or target.source,
            admin=admin,
            target={"source": target.source, "id": target.id},
            reason="It should not have been posted.",
        )

    def resolve(self, predicate: str, chosen: Recorded, **options: Any) -> Recorded:
        return self.post(
            "dispute-resolved",
            predicate=predicate,
            chosen={"source": chosen.source, "id": chosen.id},
            rationale={"en": "The instrument says so."},
            **options,
        )

    def merge(self, what: str, kept: str, dropped: str, **options: Any) -> Recorded:
        return self.post("duplicate-merged", what=what, kept_id=kept, dropped_id=dropped, **options)

    def body(self, event: Recorded) -> dict[str, Any]:
        """The ``data`` of an event as it was posted."""
        return next(one.body for one in self.posted if (one.source, one.id) == event.identity)

    def codes(self) -> list[str]:
        """The codes of the warnings for the last event."""
        return [warning.code for warning in self.warnings]

    def status(self, on: str) -> Status:
        assert self.state is not None
        return status(self.state, date.fromisoformat(on))

    def code(self, on: str) -> str:
        return self.status(on).code

    def view(self, on: str = "2026-01-01") -> AgreementView:
        assert self.state is not None
        return view(self.state, date.fromisoformat(on))


@pytest.fixture
def empty() -> Log:
    """Nobody has registered the agreement."""
    return Log()


@pytest.fixture(scope="session")
def empty_log() -> Callable[[], Log]:
    """Make an agreement that nobody has registered, for tests that need many."""
    return Log


@pytest.fixture
def log() -> Log:
    """An agreement that is registered, and of which nothing more is known."""
    new = Log()
    new.registered()
    return new


@pytest.fixture(scope="session")
def log_of() -> Callable[[], Log]:
    """Make a registered agreement, for tests that need many."""

    def new() -> Log:
        made = Log()
        made.registered()
        return made

    return new
