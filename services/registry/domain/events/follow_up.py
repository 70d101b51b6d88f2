"""Commitments, and what is done about them."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from registry.domain.edtf import Edtf
from registry.domain.events.event import Event, event_type
from registry.domain.values import Identifier, PartyRef, T, Text

FollowUpId = Annotated[Identifier, Meta(description="Id of the follow-up in this agreement")]


@event_type("agreement.commitment-made.v1")
class CommitmentMade(Event, frozen=True, kw_only=True):
    """One or both parties said what they will, aim to or may do."""

    commitment_id: Annotated[Identifier, Meta(description="Id of the commitment in this agreement")]
    text: Annotated[T, Meta(description="What is to be done")]
    by: Annotated[tuple[PartyRef, ...], Meta(description="The parties that made it", min_length=1)]
    strength: Annotated[
        Literal["commitment", "aim", "possibility"], Meta(description="How firmly it was said")
    ]

    part = "commitment_id"
    examples = (
        {
            "commitment_id": "explore-blockchain",
            "text": {"en": "Explore blockchain together for financial inclusion."},
            "by": ["pak", "slv"],
            "strength": "aim",
        },
    )

    def parties_named(self) -> Iterator[tuple[str, str]]:
        for i, party in enumerate(self.by):
            yield f"/by/{i}", party


@event_type("agreement.follow-up-scheduled.v1")
class FollowUpScheduled(Event, frozen=True, kw_only=True):
    """Something is to be done by a day."""

    follow_up_id: FollowUpId
    text: Annotated[T, Meta(description="What is to be done")]
    commitment_id: Annotated[Identifier, Meta(description="The commitment it serves")] | None = None
    due: Annotated[Edtf, Meta(description="By when; it is overdue after the latest day this can mean")]
    owner: Annotated[PartyRef, Meta(description="The party that is to do it")] | None = None

    part = "follow_up_id"
    examples = (
        {
            "follow_up_id": "draft-work-plan",
            "text": {"en": "Send a draft work plan."},
            "commitment_id": "explore-blockchain",
            "due": "2025-09",
            "owner": "pak",
        },
    )

    def parties_named(self) -> Iterator[tuple[str, str]]:
        if self.owner is not None:
            yield "/owner", self.owner


@event_type("agreement.follow-up-progressed.v1")
class FollowUpProgressed(Event, frozen=True, kw_only=True):
    """Something was done about a follow-up, or it was given a new day."""

    follow_up_id: FollowUpId
    occurred: Annotated[Edtf, Meta(description="The day of progress")]
    note: Annotated[T, Meta(description="What was done")] | None = None
    new_due: Annotated[Edtf, Meta(description="By when it is due now")] | None = None

    part = "follow_up_id"
    examples = (
        {
            "follow_up_id": "draft-work-plan",
            "occurred": "2025-09-12",
            "note": {"en": "First draft exchanged."},
            "new_due": "2025-10-31",
        },
    )


@event_type("agreement.follow-up-completed.v1")
class FollowUpCompleted(Event, frozen=True, kw_only=True):
    """A follow-up was done."""

    follow_up_id: FollowUpId
    occurred: Annotated[Edtf, Meta(description="The day it was done")]
    evidence: Annotated[
        tuple[Identifier, ...], Meta(description="Publications or documents that show it")
    ] = ()

    part = "follow_up_id"
    examples = ({"follow_up_id": "draft-work-plan", "occurred": "2025-10-28", "evidence": ["work-plan-pdf"]},)


@event_type("agreement.follow-up-dropped.v1")
class FollowUpDropped(Event, frozen=True, kw_only=True):
    """A follow-up was given up."""

    follow_up_id: FollowUpId
    occurred: Annotated[Edtf, Meta(description="The day it was given up")]
    reason: Annotated[Text, Meta(description="Why")]

    part = "follow_up_id"
    examples = (
        {
            "follow_up_id": "draft-work-plan",
            "occurred": "2025-10-28",
            "reason": "Overtaken by the new framework.",
        },
    )
