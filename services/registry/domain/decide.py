"""Whether a posted event is accepted, and with which warnings.

Looks at the event, the agreement's parties and what the event names. A registry that refuses what arrives
late or incomplete loses it, so everything else is accepted.
"""

from registry.domain.advice import Advice, advise
from registry.domain.agreement import Agreement, Identity, first_of
from registry.domain.amending import check_correction, check_retraction
from registry.domain.claims import claims_by, kept_predicate
from registry.domain.envelope import Posted
from registry.domain.events import (
    AgreementRetracted,
    DisputeResolved,
    DuplicateMerged,
    EventCorrected,
    EventRetracted,
    PersonalDataErased,
    Registered,
    VisibilityChanged,
)
from registry.domain.events.event import Event
from registry.domain.keys import check_keys
from registry.domain.merges import loops
from registry.errors import Rejected

__all__ = ["Advice", "decide"]

GOVERNING = (VisibilityChanged, AgreementRetracted, DisputeResolved, DuplicateMerged)
"""What only the founding source decides."""


def decide(state: Agreement | None, event: Posted, *, admin: bool = False) -> tuple[Advice, ...]:
    """Accept an event, with warnings, or raise Rejected with the rule and the positions in conflict.

    ``state`` is None for an agreement that nobody has founded. ``admin`` says that whoever posts may act for
    another source and for the founding one.
    """
    data = event.data
    for fault in data.faults():
        raise Rejected(fault.rule, fault.detail, pointer=fault.pointer)
    if isinstance(data, PersonalDataErased):
        raise Rejected(
            "erasure-route-only", "personal data is erased by its own route, which records this event"
        )
    if state is None:
        if not isinstance(data, Registered):
            raise Rejected("unknown-agreement", f"nobody has registered an agreement {event.subject!r}")
        return advise(None, event)
    _check_parties(state, data)
    if isinstance(data, EventCorrected):
        live = check_correction(state, event.source, data, admin=admin)
        _check_governing(state, event.source, live.data, admin=admin)
        _check_what_is_named(state, data.replacing, but=live.identity)
    elif isinstance(data, EventRetracted):
        live = check_retraction(state, event.source, data, admin=admin)
        _check_governing(state, event.source, live.data, admin=admin)
    else:
        _check_governing(state, event.source, data, admin=admin)
        _check_what_is_named(state, data)
        check_keys(state, event.source, data)
    return advise(state, event)


def _check_parties(state: Agreement, data: Event) -> None:
    for pointer, party in data.parties_named():
        if party not in state.parties:
            parties = " and ".join(state.parties)
            raise Rejected(
                "unknown-party",
                f"{party!r} is no party; the parties are {parties}",
                _founding(state),
                pointer=pointer,
            )
    if isinstance(data, Registered) and {party.id for party in data.parties} != set(state.parties):
        parties = " and ".join(state.parties)
        detail = f"the agreement was registered between {parties}"
        raise Rejected("other-parties", detail, _founding(state), pointer="/parties")


def _check_governing(state: Agreement, source: str, data: Event, *, admin: bool) -> None:
    if isinstance(data, GOVERNING) and not admin and source != state.founder[0]:
        detail = "only the source that founded the agreement, or somebody with the scope admin, decides this"
        raise Rejected("founding-source-only", detail, _founding(state))


def _check_what_is_named(state: Agreement, data: Event, *, but: Identity | None = None) -> None:
    if isinstance(data, DuplicateMerged):
        if (path := loops(state, data, but=but)) is not None:
            raise Rejected("merge-loops", "what is kept was itself merged into what is dropped", path)
    elif isinstance(data, DisputeResolved):
        _check_resolution(state, data, but)


def _check_resolution(state: Agreement, data: DisputeResolved, but: Identity | None) -> None:
    predicate = kept_predicate(state, data.predicate)
    for live, earlier in state.of(DisputeResolved):
        if kept_predicate(state, earlier.predicate) == predicate and live.identity != but:
            detail = f"{data.predicate} is resolved already; correct or retract that resolution"
            raise Rejected("already-resolved", detail, live.positions, pointer="/predicate")
    chosen = first_of(state, (data.chosen.source, data.chosen.id))
    if predicate not in claims_by(state, chosen):
        at = state.recorded[chosen].position if chosen in state.recorded else None
        raise Rejected(
            "chosen-not-a-claim",
            f"the chosen event is no live claim on {data.predicate}",
            () if at is None else (at,),
            pointer="/chosen",
        )


def _founding(state: Agreement) -> tuple[int, ...]:
    return state.live[state.founder].positions
