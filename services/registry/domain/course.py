"""The course of an agreement: the dated facts among its live events that decide its status on any day."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.claims import Claim, ranked, shown
from registry.domain.dates import Truth, begun, ended, every, first_day, last_day, past, some
from registry.domain.edtf import Edtf
from registry.domain.events import (
    AgreementRetracted,
    DenunciationNotified,
    DenunciationWithdrawn,
    NegotiationAbandoned,
    NegotiationOpened,
    ProvisionalApplicationEnded,
    ProvisionallyApplied,
    Ratified,
    Resumed,
    SignatureConfirmed,
    Signed,
    Superseded,
    Suspended,
    Terminated,
    TextAdopted,
)
from registry.domain.term import Term, term


class Dated(msgspec.Struct, frozen=True):
    """Something that happened, and the event that says so."""

    when: Edtf
    live: Live


class End(msgspec.Struct, frozen=True):
    """A claim on the first day on which the agreement is no longer in force."""

    status: Literal["superseded", "terminated"]
    when: Edtf
    live: Live
    what: str
    """In words."""


class Denunciation(msgspec.Struct, frozen=True):
    """A notice of denunciation, with the withdrawal that came before it had effect."""

    party: str
    notified: Dated
    effective: Edtf | None
    withdrawn: Dated | None

    def pending(self, on: date) -> bool:
        """Tell whether, on a day, it has been notified and neither taken effect nor been withdrawn."""
        if self.withdrawn is not None and begun(self.withdrawn.when, on).holds:
            return False
        if self.effective is not None and ended(self.effective, on).holds:
            return False
        return begun(self.notified.when, on).holds


class PartySignature(msgspec.Struct, frozen=True):
    """The signature of one party, and when it counts."""

    party: str
    claim: Claim
    ad_referendum: bool
    confirmation: Dated | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts at all: a signature ad referendum waits for its confirmation."""
        return self.confirmation is not None or not self.ad_referendum

    @property
    def dates(self) -> tuple[Dated, ...]:
        """What must have come for it to count: the signing and, ad referendum, the confirmation."""
        signing = Dated(self.claim.value, self.claim.live)
        return (signing, self.confirmation) if self.ad_referendum and self.confirmation else (signing,)


class Course(msgspec.Struct, frozen=True):
    """Everything that the status depends on."""

    parties: tuple[str, ...]
    retractions: tuple[Live, ...]
    ends: tuple[End, ...]
    termination: Claim | None
    denunciations: tuple[Denunciation, ...]
    term: Term | None
    suspensions: tuple[Dated, ...]
    resumptions: tuple[Dated, ...]
    entry_into_force: Claim | None
    entry_mode: Claim | None
    legal_character: Claim | None
    signatures: dict[str, PartySignature]
    ratifications: dict[str, Claim]
    provisional: tuple[Dated, ...]
    provisional_ends: tuple[Dated, ...]
    openings: tuple[Dated, ...]
    adoptions: tuple[Dated, ...]
    abandonments: tuple[Dated, ...]

    def survives(self, on: date) -> bool:
        """Tell whether, on a day, the agreement has been terminated and obligations survive that."""
        if self.termination is None or not isinstance(self.termination.live.data, Terminated):
            return False
        until = self.termination.live.data.survival_until
        return until is not None and ended(self.termination.value, on).holds and not past(until, on).holds


def course(state: Agreement) -> Course:
    """Collect the course of an agreement; computed once a state."""
    found: Course | None = state.derived.get("course")
    if found is None:
        found = state.derived["course"] = _course(state)
    return found


def earliest(dated: Iterable[Dated]) -> Dated:
    """Give the one that begins first; of equal ones the one certain first, then the lowest identity."""
    return min(dated, key=lambda one: (first_day(one.when), last_day(one.when), one.live.identity))


def latest(dated: Iterable[Dated]) -> Dated:
    """Give the one that begins last, as it decides when all must have come."""
    return min(
        dated,
        key=lambda one: (
            -first_day(one.when).toordinal(),
            -last_day(one.when).toordinal(),
            one.live.identity,
        ),
    )


def any_begun(dated: Iterable[Dated], on: date) -> Truth:
    return some(begun(one.when, on) for one in dated)


def all_begun(dated: Iterable[Dated], on: date) -> Truth:
    return every(begun(one.when, on) for one in dated)


def _course(state: Agreement) -> Course:
    denunciations = _denunciations(state)
    return Course(
        parties=state.parties,
        retractions=_in_order(live for live, _ in state.of(AgreementRetracted)),
        ends=_ends(state, denunciations),
        termination=shown(state, "termination"),
        denunciations=denunciations,
        term=term(state),
        suspensions=_dated((data.from_, live) for live, data in state.of(Suspended)),
        resumptions=_dated((data.occurred, live) for live, data in state.of(Resumed)),
        entry_into_force=shown(state, "entry-into-force"),
        entry_mode=shown(state, "entry_mode"),
        legal_character=shown(state, "legal_character"),
        signatures=_signatures(state),
        ratifications=_ratifications(state),
        provisional=_dated((data.from_, live) for live, data in state.of(ProvisionallyApplied)),
        provisional_ends=_dated(
            (data.occurred, live) for live, data in state.of(ProvisionalApplicationEnded)
        ),
        openings=_dated((data.occurred, live) for live, data in state.of(NegotiationOpened)),
        adoptions=_dated((data.occurred, live) for live, data in state.of(TextAdopted)),
        abandonments=_dated((data.occurred, live) for live, data in state.of(NegotiationAbandoned)),
    )


def _in_order(lives: Iterable[Live]) -> tuple[Live, ...]:
    return tuple(sorted(lives, key=lambda live: live.identity))


def _dated(pairs: Iterable[tuple[Edtf, Live]]) -> tuple[Dated, ...]:
    ordered = sorted(pairs, key=lambda pair: (first_day(pair[0]), last_day(pair[0]), pair[1].identity))
    return tuple(Dated(when, live) for when, live in ordered)


def _ends(state: Agreement, denunciations: tuple[Denunciation, ...]) -> tuple[End, ...]:
    ends = [
        End("superseded", data.date, live, f"supersession by {data.by_id}")
        for live, data in state.of(Superseded)
    ]
    if termination := shown(state, "termination"):
        ends.append(End("terminated", termination.value, termination.live, "termination"))
    ends += [
        End("terminated", one.effective, one.notified.live, f"denunciation by {one.party}")
        for one in denunciations
        if one.effective is not None and one.withdrawn is None
    ]
    return tuple(sorted(ends, key=lambda end: (last_day(end.when), end.status, end.live.identity)))


def _denunciations(state: Agreement) -> tuple[Denunciation, ...]:
    """Pair each denunciation with the first withdrawal by its party after it and before it had effect.

    A denunciation that has had effect can no longer be taken back (Vienna Convention on the Law of Treaties,
    article 68).
    """
    withdrawals = [(data.party, Dated(data.occurred, live)) for live, data in state.of(DenunciationWithdrawn)]
    found = []
    for live, data in state.of(DenunciationNotified):
        in_time = [
            one
            for party, one in withdrawals
            if party == data.party
            and last_day(one.when) >= first_day(data.occurred)
            and (data.effective is None or first_day(one.when) < last_day(data.effective))
        ]
        withdrawn = earliest(in_time) if in_time else None
        found.append(Denunciation(data.party, Dated(data.occurred, live), data.effective, withdrawn))
    return tuple(sorted(found, key=lambda one: (first_day(one.notified.when), one.notified.live.identity)))


def _signatures(state: Agreement) -> dict[str, PartySignature]:
    confirmed: dict[str, list[tuple[Edtf, Live]]] = {}
    for live, data in state.of(SignatureConfirmed):
        confirmed.setdefault(data.party, []).append((data.occurred, live))
    found: dict[str, PartySignature] = {}
    for party in state.parties:
        claim = shown(state, f"signature.{party}.date")
        if claim is None:
            continue
        said = claim.live.data
        signatures = said.signatures if isinstance(said, Signed) else ()
        ad_referendum = any(one.ad_referendum for one in signatures if one.party == party)
        best = ranked(confirmed[party])[0] if party in confirmed else None
        confirmation = Dated(best.value, best.live) if best else None
        found[party] = PartySignature(party, claim, ad_referendum, confirmation)
    return found


def _ratifications(state: Agreement) -> dict[str, Claim]:
    given: dict[str, list[tuple[Edtf, Live]]] = {}
    for live, data in state.of(Ratified):
        given.setdefault(data.party, []).append((data.occurred, live))
    return {party: ranked(given[party])[0] for party in state.parties if party in given}
