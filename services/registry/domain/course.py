"""The course of an agreement: the dated facts among its live events that decide its status on any day."""

from collections.abc import Iterable
from datetime import date

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.claims import Claim, ranked, shown
from registry.domain.dated import Dated, Denunciation, End, PartySignature, earliest
from registry.domain.dates import ended, first_day, last_day, past
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

Stage = (
    Suspended
    | Resumed
    | ProvisionallyApplied
    | ProvisionalApplicationEnded
    | NegotiationOpened
    | TextAdopted
    | NegotiationAbandoned
)


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


def _course(state: Agreement) -> Course:
    denunciations = _denunciations(state)
    retractions = state.of(AgreementRetracted)
    return Course(
        parties=state.parties,
        retractions=_in_order(live for live, _ in retractions) if retractions else (),
        ends=_ends(state, denunciations),
        termination=shown(state, "termination"),
        denunciations=denunciations,
        term=term(state),
        suspensions=_dated(state, Suspended),
        resumptions=_dated(state, Resumed),
        entry_into_force=shown(state, "entry-into-force"),
        entry_mode=shown(state, "entry_mode"),
        legal_character=shown(state, "legal_character"),
        signatures=_signatures(state),
        ratifications=_ratifications(state),
        provisional=_dated(state, ProvisionallyApplied),
        provisional_ends=_dated(state, ProvisionalApplicationEnded),
        openings=_dated(state, NegotiationOpened),
        adoptions=_dated(state, TextAdopted),
        abandonments=_dated(state, NegotiationAbandoned),
    )


def _in_order(lives: Iterable[Live]) -> tuple[Live, ...]:
    return tuple(sorted(lives, key=lambda live: live.identity))


def _dated(state: Agreement, kind: type[Stage]) -> tuple[Dated, ...]:
    if kind not in state.index:
        return ()
    given = [Dated(_day_of(data), live) for live, data in state.of(kind)]
    return tuple(sorted(given, key=lambda one: (first_day(one.when), last_day(one.when), one.live.identity)))


def _day_of(data: Stage) -> Edtf:
    return data.from_ if isinstance(data, (Suspended, ProvisionallyApplied)) else data.occurred


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
    if DenunciationNotified not in state.index:
        return ()
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
        found[party] = PartySignature.of(party, claim, ad_referendum=ad_referendum, confirmation=confirmation)
    return found


def _ratifications(state: Agreement) -> dict[str, Claim]:
    given: dict[str, list[tuple[Edtf, Live]]] = {}
    for live, data in state.of(Ratified):
        given.setdefault(data.party, []).append((data.occurred, live))
    return {party: ranked(given[party])[0] for party in state.parties if party in given}
