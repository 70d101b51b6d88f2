"""The term: how long the agreement runs, how it is changed, suspended, and ended."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from registry.domain.edtf import Edtf
from registry.domain.events.event import Event, Fault, Predicate, ends_before, event_type
from registry.domain.values import AgreementId, Duration, Identifier, Line, PartyRef, T, Text, Value


class Term(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What a source claims the term to be."""

    start: Edtf | None = None
    end: Edtf | None = None
    auto_renew: bool
    renew_for: Duration | None = None
    notice: Duration | None = None


@event_type("agreement.term-set.v1")
class TermSet(Event, frozen=True, kw_only=True):
    """A claim on the term: when it starts and ends, and whether it renews itself."""

    start: Annotated[Edtf, Meta(description="The first day of the term")] | None = None
    end: Annotated[Edtf, Meta(description="The last day in force")] | None = None
    auto_renew: Annotated[
        bool, Meta(description="Whether it renews itself unless a party objects; needs `end` and `renew_for`")
    ]
    renew_for: Annotated[Duration, Meta(description="How long each automatic renewal lasts")] | None = None
    notice: (
        Annotated[Duration, Meta(description="How long before the end an objection must be notified")] | None
    ) = None

    examples = (
        {"start": "2025-07-16", "end": "2030-07-15", "auto_renew": True, "renew_for": "P5Y", "notice": "P6M"},
        {"end": "2030", "auto_renew": False},
    )

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        yield (
            "term",
            Term(
                start=self.start,
                end=self.end,
                auto_renew=self.auto_renew,
                renew_for=self.renew_for,
                notice=self.notice,
            ),
        )

    def faults(self) -> Iterator[Fault]:
        if ends_before(self.start, self.end):
            yield Fault("end-before-start", "/end", "the term ends before it starts")
        if not self.auto_renew:
            return
        if self.end is None or self.end.latest is None:
            yield Fault(
                "auto-renew-incomplete", "/end", "a term that renews itself needs an end with a last day"
            )
        if not self.renew_for:
            yield Fault(
                "auto-renew-incomplete",
                "/renew_for",
                "a term that renews itself needs a renew_for above zero",
            )


@event_type("agreement.amended.v1")
class Amended(Event, frozen=True, kw_only=True):
    """The parties changed the agreement."""

    amendment_id: Annotated[Identifier, Meta(description="Id of the amendment in this agreement")]
    summary: Annotated[T, Meta(description="What it changes")]
    effective: Annotated[Edtf, Meta(description="The first day it applies")]
    articles: Annotated[tuple[Line, ...], Meta(description="The articles it changes")] = ()

    part = "amendment_id"
    examples = (
        {
            "amendment_id": "amendment-1",
            "summary": {"en": "Adds an exchange of experts."},
            "effective": "2026-03-01",
            "articles": ["2", "5 (b)"],
        },
    )


@event_type("agreement.renewed.v1")
class Renewed(Event, frozen=True, kw_only=True):
    """The agreement was renewed, by act of the parties or tacitly."""

    new_end: Annotated[Edtf, Meta(description="The last day in force after it")] | None = None
    occurred: Annotated[Edtf, Meta(description="The day of renewal")]
    mode: Annotated[
        Literal["express", "tacit"], Meta(description="By act of the parties, or by their silence")
    ]

    examples = ({"new_end": "2035-07-15", "occurred": "2030-05-20", "mode": "express"},)


@event_type("agreement.non-renewal-notified.v1")
class NonRenewalNotified(Event, frozen=True, kw_only=True):
    """A party gave notice that it does not want the term to renew itself."""

    party: Annotated[PartyRef, Meta(description="The party that gave notice")]
    occurred: Annotated[Edtf, Meta(description="The day of notice")]

    examples = ({"party": "slv", "occurred": "2029-12-01"},)

    def parties_named(self) -> Iterator[tuple[str, str]]:
        yield "/party", self.party


@event_type("agreement.suspended.v1")
class Suspended(Event, frozen=True, kw_only=True):
    """The operation of the agreement was suspended."""

    from_: Annotated[Edtf, Meta(description="The first day of suspension")] = msgspec.field(name="from")
    reason: Annotated[Text, Meta(description="Why")] | None = None

    examples = ({"from": "2027-01-01", "reason": "Budget not approved."},)


@event_type("agreement.resumed.v1")
class Resumed(Event, frozen=True, kw_only=True):
    """The operation of the agreement was resumed after a suspension."""

    occurred: Annotated[Edtf, Meta(description="The first day in operation again")]

    examples = ({"occurred": "2027-06-01"},)


@event_type("agreement.denunciation-notified.v1")
class DenunciationNotified(Event, frozen=True, kw_only=True):
    """A party gave notice that it leaves the agreement."""

    party: Annotated[PartyRef, Meta(description="The party that denounced")]
    occurred: Annotated[Edtf, Meta(description="The day of notice")]
    effective: Annotated[Edtf, Meta(description="The first day out, when nothing is withdrawn")] | None = None

    examples = ({"party": "pak", "occurred": "2028-01-15", "effective": "2028-07-15"},)

    def parties_named(self) -> Iterator[tuple[str, str]]:
        yield "/party", self.party


@event_type("agreement.denunciation-withdrawn.v1")
class DenunciationWithdrawn(Event, frozen=True, kw_only=True):
    """A party took its denunciation back before it had effect."""

    party: Annotated[PartyRef, Meta(description="The party that withdrew its denunciation")]
    occurred: Annotated[Edtf, Meta(description="The day of withdrawal")]

    examples = ({"party": "pak", "occurred": "2028-03-01"},)

    def parties_named(self) -> Iterator[tuple[str, str]]:
        yield "/party", self.party


@event_type("agreement.terminated.v1")
class Terminated(Event, frozen=True, kw_only=True):
    """A claim on the day from which the agreement is no longer in force."""

    date: Annotated[Edtf, Meta(description="The first day out")]
    ground: Annotated[
        Literal["denunciation", "consent", "fulfilled", "breach", "expiry", "other"],
        Meta(description="What ended it"),
    ]
    survival_until: (
        Annotated[Edtf, Meta(description="The last day on which obligations survive its end")] | None
    ) = None

    examples = ({"date": "2028-07-15", "ground": "denunciation", "survival_until": "2033-07-14"},)

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        yield "termination", self.date


@event_type("agreement.superseded.v1")
class Superseded(Event, frozen=True, kw_only=True):
    """Another agreement took the place of this one."""

    by_id: Annotated[AgreementId, Meta(description="The agreement in its place; never checked")]
    date: Annotated[Edtf, Meta(description="The first day out")]

    examples = ({"by_id": "pak-slv-2031-digital-assets", "date": "2031-01-01"},)
