"""Engagements: visits, meetings and calls, planned and held."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from registry.domain.edtf import Edtf
from registry.domain.events.event import Event, Fault, Owned, ends_before, event_type, party_of_actor
from registry.domain.values import Actor, Identifier, Line, PartyRef, Place, T, Text

EngagementId = Annotated[Identifier, Meta(description="Id of the engagement in this agreement")]
EngagementKind = Annotated[
    Literal["visit", "meeting", "call", "working-group", "unspecified"],
    Meta(description="What kind of engagement it is"),
]
Label = Annotated[T, Meta(description="What it is called")]
Participants = Annotated[tuple[Actor, ...], Meta(description="Who takes part")]
Topics = Annotated[tuple[Line, ...], Meta(description="What it is about, in catchwords")]

_PARTICIPANTS = (Owned(at="participants/*", person="person", values=("person/name",)),)


def _parties_of(participants: tuple[Actor, ...]) -> Iterator[tuple[str, str]]:
    for i, participant in enumerate(participants):
        yield from party_of_actor(f"/participants/{i}", participant)


@event_type("agreement.engagement-planned.v1")
class EngagementPlanned(Event, frozen=True, kw_only=True):
    """An engagement is expected or scheduled."""

    engagement_id: EngagementId
    kind: EngagementKind
    label: Label | None = None
    when: Annotated[Edtf, Meta(description="When it is to be held")] | None = None
    place: Annotated[Place, Meta(description="Where it is to be held")] | None = None
    participants: Participants = ()
    topics: Topics = ()
    certainty: Annotated[
        Literal["expected", "scheduled"], Meta(description="Whether it is only expected or has been arranged")
    ]

    part = "engagement_id"
    personal = _PARTICIPANTS
    examples = (
        {
            "engagement_id": "follow-on-meeting",
            "kind": "meeting",
            "label": {"en": "second meeting of the delegations"},
            "when": "2025-10",
            "place": {"name": "Islamabad", "country": "PAK"},
            "participants": [{"institution_id": "national-bitcoin-office", "on_behalf_of": "slv"}],
            "topics": ["regulation"],
            "certainty": "scheduled",
        },
    )

    def parties_named(self) -> Iterator[tuple[str, str]]:
        yield from _parties_of(self.participants)


@event_type("agreement.engagement-held.v1")
class EngagementHeld(Event, frozen=True, kw_only=True):
    """An engagement took place."""

    engagement_id: EngagementId
    kind: EngagementKind
    label: Label | None = None
    start: Annotated[Edtf, Meta(description="The first day")]
    end: Annotated[Edtf, Meta(description="The last day")] | None = None
    place: Annotated[Place, Meta(description="Where it was held")] | None = None
    host: Annotated[PartyRef, Meta(description="The party that hosted it")] | None = None
    participants: Participants = ()
    topics: Topics = ()
    outcome: Annotated[T, Meta(description="What came of it")] | None = None

    part = "engagement_id"
    personal = _PARTICIPANTS
    examples = (
        {
            "engagement_id": "visit-1",
            "kind": "visit",
            "label": {"en": "visit to San Salvador"},
            "start": "../2025-07-16",
            "end": "2025-07-18~",
            "place": {"name": "San Salvador", "country": "SLV", "lat": "13.699", "lon": "-89.191"},
            "host": "slv",
            "participants": [
                {
                    "person": {"person_id": "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b22", "name": "B. Delegate"},
                    "on_behalf_of": "pak",
                }
            ],
            "topics": ["public-sector innovation", "policy design"],
            "outcome": {"en": "The Letter of Intent was signed."},
        },
    )

    def parties_named(self) -> Iterator[tuple[str, str]]:
        if self.host is not None:
            yield "/host", self.host
        yield from _parties_of(self.participants)

    def faults(self) -> Iterator[Fault]:
        if ends_before(self.start, self.end):
            yield Fault("end-before-start", "/end", "the engagement ends before it starts")


@event_type("agreement.engagement-rescheduled.v1")
class EngagementRescheduled(Event, frozen=True, kw_only=True):
    """A planned engagement was moved to another day."""

    engagement_id: EngagementId
    occurred: Annotated[Edtf, Meta(description="The day it was moved")]
    when: Annotated[Edtf, Meta(description="When it is to be held now")]

    part = "engagement_id"
    examples = ({"engagement_id": "follow-on-meeting", "occurred": "2025-09-20", "when": "2025-11-05"},)


@event_type("agreement.engagement-cancelled.v1")
class EngagementCancelled(Event, frozen=True, kw_only=True):
    """A planned engagement was called off."""

    engagement_id: EngagementId
    occurred: Annotated[Edtf, Meta(description="The day it was called off")]
    reason: Annotated[Text, Meta(description="Why")] | None = None

    part = "engagement_id"
    examples = (
        {"engagement_id": "follow-on-meeting", "occurred": "2025-10-30", "reason": "Airport closed."},
    )
