"""Signature, ratification, and coming into force."""

from datetime import date

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.claims import claimed
from registry.domain.course import course
from registry.domain.dates import begun
from registry.domain.edtf import Edtf
from registry.domain.events import (
    EnteredIntoForce,
    NegotiationAbandoned,
    NegotiationOpened,
    ProvisionalApplicationEnded,
    ProvisionallyApplied,
    Ratified,
    SignatureConfirmed,
    TextAdopted,
    TreatyRegistered,
)
from registry.domain.finding import signed_by
from registry.domain.shown.behind import Behind, behind, by_day, said_now
from registry.domain.shown.people import ActorShown, actor
from registry.domain.values import Place


class Signatory(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed, according to one event."""

    actor: ActorShown | None
    capacity: str | None
    ad_referendum: bool
    erased: bool
    """True when a value of the person was erased."""
    withheld: bool
    """True when the values of the person are not shown to whoever asks."""
    by: Behind


class SignatureShown(msgspec.Struct, frozen=True, kw_only=True):
    """The signature of one party: the date and the place that are shown, and who signed by each event."""

    party: str
    date: str
    place: Place | None
    ad_referendum: bool
    confirmed: str | None
    """When it was confirmed, if that is known."""
    counts: bool
    """Whether it counts on the day asked for."""
    signatories: tuple[Signatory, ...]
    by: tuple[Behind, ...]
    """The events that claim its date, the shown one first."""


class RatificationShown(msgspec.Struct, frozen=True, kw_only=True):
    party: str
    form: str
    date: str
    instrument_date: str | None
    by: Behind


class ForceShown(msgspec.Struct, frozen=True, kw_only=True):
    """Entry into force, as shown."""

    date: str
    method: str | None
    ahead: bool
    """Whether it is still to come on the day asked for."""
    by: tuple[Behind, ...]


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """A step on the way: negotiation, adoption of the text, provisional application."""

    date: str
    by: Behind


class RegistrationShown(msgspec.Struct, frozen=True, kw_only=True):
    """That a registry of treaties took the instrument in."""

    registry: str
    number: str
    date: str
    by: Behind


def signatures(state: Agreement, on: date) -> tuple[SignatureShown, ...]:
    """Show the signature of each party that has signed, in the order of the parties."""
    now, groups = course(state), claimed(state)
    found = []
    for party, signature in now.signatures.items():
        place = groups.get(f"signature.{party}.place")
        lives = [claim.live for claim in groups[f"signature.{party}.date"].claims]
        found.append(
            SignatureShown(
                party=party,
                date=str(signature.claim.value),
                place=place.shown.value if place else None,
                ad_referendum=signature.ad_referendum,
                confirmed=str(signature.confirmation.when) if signature.confirmation else None,
                counts=signed_by(now, party, on).holds,
                signatories=tuple(one for live in lives for one in _signatories(live, party)),
                by=(*map(behind, lives), *_confirmations(state, party)),
            )
        )
    return tuple(found)


def ratifications(state: Agreement) -> tuple[RatificationShown, ...]:
    """Show what each party did to be bound, by day."""
    found = sorted(state.of(Ratified), key=lambda pair: by_day(pair[1].occurred, pair[0]))
    return tuple(
        RatificationShown(
            party=data.party,
            form=data.form,
            date=str(data.occurred),
            instrument_date=str(data.instrument_date) if data.instrument_date else None,
            by=behind(live),
        )
        for live, data in found
    )


def entry_into_force(state: Agreement, on: date) -> ForceShown | None:
    """Show when the agreement enters into force by express claim; None without any."""
    group = claimed(state).get("entry-into-force")
    if group is None:
        return None
    data = group.shown.live.data
    return ForceShown(
        date=str(group.shown.value),
        method=data.method if isinstance(data, EnteredIntoForce) else None,
        ahead=not begun(group.shown.value, on).holds,
        by=tuple(behind(claim.live) for claim in group.claims),
    )


def milestones(state: Agreement) -> tuple[Milestone, ...]:
    """Show the steps of negotiation and of provisional application, by day."""
    steps: list[tuple[Edtf, Live]] = []
    steps += ((data.occurred, live) for live, data in state.of(NegotiationOpened))
    steps += ((data.occurred, live) for live, data in state.of(TextAdopted))
    steps += ((data.occurred, live) for live, data in state.of(NegotiationAbandoned))
    steps += ((data.from_, live) for live, data in state.of(ProvisionallyApplied))
    steps += ((data.occurred, live) for live, data in state.of(ProvisionalApplicationEnded))
    return tuple(
        Milestone(date=str(when), by=behind(live))
        for when, live in sorted(steps, key=lambda pair: by_day(*pair))
    )


def treaty_registrations(state: Agreement) -> tuple[RegistrationShown, ...]:
    """Show the registrations with registries of treaties, by day."""
    found = sorted(state.of(TreatyRegistered), key=lambda pair: by_day(pair[1].date, pair[0]))
    return tuple(
        RegistrationShown(registry=data.registry, number=data.number, date=str(data.date), by=behind(live))
        for live, data in found
    )


def _signatories(live: Live, party: str) -> list[Signatory]:
    return [
        Signatory(
            actor=actor(one["actor"]) if "actor" in one else None,
            capacity=one.get("capacity"),
            ad_referendum=one["ad_referendum"],
            erased=one.get("erased", False),
            withheld=one.get("withheld", False),
            by=behind(live),
        )
        for one in said_now(live)["signatures"]
        if one["party"] == party
    ]


def _confirmations(state: Agreement, party: str) -> list[Behind]:
    found = sorted(state.of(SignatureConfirmed), key=lambda pair: by_day(pair[1].occurred, pair[0]))
    return [behind(live) for live, data in found if data.party == party]
