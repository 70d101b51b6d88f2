"""Corrections: what is said about events that are already recorded, which themselves never change."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from registry.domain.events.event import Body, Event, Fault, Owned, event_type, personal_of, read
from registry.domain.values import (
    END,
    ID_PATTERN,
    TAG_PATTERN,
    Code,
    EventId,
    EventSource,
    Identifier,
    T,
    Text,
    Value,
)

_ID = ID_PATTERN.removeprefix("^").removesuffix(END)
_TAG = TAG_PATTERN.removeprefix("^").removesuffix(END)
PREDICATE_PATTERN = (
    rf"^(kind|legal_character|entry_mode|entry-into-force|term|termination|title\.{_TAG}"
    rf"|signature\.{_ID}\.(date|place)|area\.{_ID}\.state|fact\.{_ID}){END}"
)

NEVER_REPLACED = frozenset(
    {"agreement.event-corrected.v1", "agreement.event-retracted.v1", "agreement.personal-data-erased.v1"}
)
"""What is never the type of the event first corrected."""


class EventRef(Value, frozen=True, kw_only=True):
    """An event, by its identity."""

    source: Annotated[EventSource, Meta(description="The source of the event")]
    id: Annotated[EventId, Meta(description="The id of the event")]


class CorrectedRef(Value, frozen=True, kw_only=True):
    """The event to correct, which may itself be a correction, and the type of the event first corrected."""

    source: Annotated[EventSource, Meta(description="The source of the event")]
    id: Annotated[EventId, Meta(description="The id of the event")]
    type: Annotated[
        str, Meta(description="The type of the event first corrected; `replacement` is `data` of this type")
    ]


@event_type("agreement.event-corrected.v1")
class EventCorrected(Event, frozen=True, kw_only=True):
    """An event was wrong: from now on another ``data`` holds in its place. Both stay in the history."""

    target: Annotated[CorrectedRef, Meta(description="The event to correct, or its correction so far")]
    replacement: Annotated[
        dict[str, Any], Meta(description="The whole new `data`, with the same parties and part ids")
    ]
    reason: Annotated[Text, Meta(description="Why")]
    kind: Annotated[
        Literal["entry-error", "source-corrected"],
        Meta(description="Whether the entry was wrong, or the source itself has corrected what it says"),
    ]

    examples = (
        {
            "target": {"source": "https://report-b.example/", "id": "b-3", "type": "agreement.signed.v1"},
            "replacement": {
                "signatures": [{"party": "pak"}, {"party": "slv"}],
                "occurred": "2025-07-15",
                "place": {"name": "San Salvador", "country": "SLV"},
            },
            "reason": "The day was mistyped.",
            "kind": "entry-error",
        },
    )

    @property
    def replacing(self) -> Event:
        """The replacement as an event of the target's type; valid in every event that has been decoded."""
        return read(self.target.type, self.replacement)

    @classmethod
    def personal_at(cls, body: Body) -> tuple[Owned, ...]:
        """Tell where the personal values of the replacement lie."""
        return tuple(
            Owned(at=f"replacement/{owned.at}".rstrip("/"), person=owned.person, values=owned.values)
            for owned in personal_of(body["target"]["type"], body["replacement"])
        )

    def parties_named(self) -> Iterator[tuple[str, str]]:
        for pointer, party in self.replacing.parties_named():
            yield f"/replacement{pointer}", party

    def faults(self) -> Iterator[Fault]:
        for fault in self.replacing.faults():
            yield Fault(fault.rule, f"/replacement{fault.pointer}", fault.detail)


@event_type("agreement.event-retracted.v1")
class EventRetracted(Event, frozen=True, kw_only=True):
    """An event should never have been posted, or a correction should not have: it no longer counts."""

    target: Annotated[EventRef, Meta(description="The event to retract")]
    reason: Annotated[Text, Meta(description="Why")]

    examples = (
        {
            "target": {"source": "https://report-b.example/", "id": "b-7"},
            "reason": "Posted for the wrong agreement.",
        },
    )


@event_type("agreement.dispute-resolved.v1")
class DisputeResolved(Event, frozen=True, kw_only=True):
    """Of differing claims, this one is to be shown; the others stay."""

    predicate: Annotated[
        str,
        Meta(
            description="What the claims are about, such as `area.digital-identity.state`",
            pattern=PREDICATE_PATTERN,
        ),
    ]
    chosen: Annotated[EventRef, Meta(description="The event whose claim holds")]
    rationale: Annotated[T, Meta(description="Why this one")]

    examples = (
        {
            "predicate": "area.digital-identity.state",
            "chosen": {"source": "https://report-b.example/", "id": "b-20"},
            "rationale": {"en": "The instrument itself names it as a prospect."},
        },
    )


@event_type("agreement.duplicate-merged.v1")
class DuplicateMerged(Event, frozen=True, kw_only=True):
    """Two ids mean the same thing; the kept one holds the claims of both."""

    what: Annotated[
        Literal["engagement", "follow-up", "commitment", "area", "institution"],
        Meta(description="What the two ids are ids of"),
    ]
    kept_id: Annotated[Identifier, Meta(description="The id that stays")]
    dropped_id: Annotated[Identifier, Meta(description="The id that is merged into it")]

    examples = ({"what": "engagement", "kept_id": "meeting-b", "dropped_id": "meeting-a"},)

    def faults(self) -> Iterator[Fault]:
        if self.kept_id == self.dropped_id:
            yield Fault("merge-loops", "/dropped_id", "a thing cannot be merged into itself")


@event_type("agreement.agreement-retracted.v1")
class AgreementRetracted(Event, frozen=True, kw_only=True):
    """There is no such agreement: it was registered by mistake. Its history stays."""

    reason: Annotated[Text, Meta(description="Why")]

    examples = ({"reason": "The two reports are about different instruments."},)


@event_type("agreement.personal-data-erased.v1")
class PersonalDataErased(Event, frozen=True, kw_only=True):
    """Parts of an event were erased: the tombstone of what is missing. Only the erasure route makes it."""

    target: Annotated[EventRef, Meta(description="The event whose parts were erased; of this agreement")]
    parts: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=65_535)], ...],
        Meta(description="The numbers of the parts that were erased", min_length=1),
    ]
    legal_basis: Annotated[Code, Meta(description="Code of the legal basis, such as `GDPR 17(1)(b)`")]

    examples = (
        {
            "target": {"source": "https://report-b.example/", "id": "b-3"},
            "parts": [1],
            "legal_basis": "GDPR 17(1)(b)",
        },
    )
