"""The rules for corrections and retractions: what they may name, and what may be put in its place."""

from collections.abc import Collection

from registry.domain.agreement import Agreement, Identity, Live, first_of, standing, target_of
from registry.domain.envelope import Recorded
from registry.domain.events import (
    DisputeResolved,
    DuplicateMerged,
    EventCorrected,
    EventRetracted,
    PersonalDataErased,
    Registered,
)
from registry.domain.events.event import Event
from registry.domain.keys import check_keys
from registry.errors import Rejected

OPTIONAL_PARTIES = ("host", "owner", "on_behalf_of")
"""References that an event can be without. They may be corrected; those that say whose act it is may not."""


def check_correction(state: Agreement, source: str, data: EventCorrected, *, admin: bool) -> Live:
    """Raise Rejected unless this correction may be made. Give the event first posted as it stands."""
    target, live = _target(state, source, data, admin=admin)
    if corrections := [
        by for by in state.corrections.get(target.identity, ()) if by not in state.retractions
    ]:
        at = [state.recorded[by].position for by in corrections]
        raise Rejected(
            "already-corrected", "the event has a correction; correct that one", at, pointer="/target"
        )
    if data.target.type != live.first.type:
        detail = f"the event first corrected is of type {live.first.type}"
        raise Rejected("target-type", detail, [live.first.position], pointer="/target/type")
    replacing = data.replacing
    _check_same(live, replacing)
    check_keys(state, live.source, replacing, but=live.identity)
    return live


def check_retraction(state: Agreement, source: str, data: EventRetracted, *, admin: bool) -> Live:
    """Raise Rejected unless this retraction may be made. Give the event first posted as it stands."""
    target, live = _target(state, source, data, admin=admin)
    if target.identity == state.founder:
        detail = "the founding event is corrected, or the agreement retracted as a whole"
        raise Rejected("founder-retracted", detail, [target.position], pointer="/target")
    restored = standing(state, live.identity, without=target.identity)
    if target.identity != live.identity and restored is not None:
        check_keys(state, live.source, restored.data, but=live.identity)
    return live


def check_erasure(state: Agreement, target: Identity, parts: Collection[int]) -> Recorded:
    """Raise Rejected unless these parts of an event may be erased. Give the event.

    Part 0 goes only when nothing depends on it any more: of an event that has been retracted, or that has
    been corrected and is not itself a correction, as its place in the chain stands in part 0.
    """
    event = state.recorded.get(target)
    if event is None:
        raise Rejected("target-unknown", "no event of this agreement has that identity", pointer="/target")
    if isinstance(event.data, (EventRetracted, PersonalDataErased)):
        raise Rejected(
            "target-never", "it holds no personal data and its own agreement needs it", [event.position]
        )
    if 0 in parts:
        live = state.live.get(first_of(state, target))
        standing_by = () if live is None else (live.identity, *(one.identity for one in live.corrections))
        if target in standing_by and not (live and live.corrections and target == live.identity):
            detail = "part 0 can be erased only of an event that no longer counts"
            raise Rejected("erasure-of-what-counts", detail, [event.position], pointer="/parts")
    return event


def _target(
    state: Agreement, source: str, data: EventCorrected | EventRetracted, *, admin: bool
) -> tuple[Recorded, Live]:
    identity = target_of(data)
    target = state.recorded.get(identity)
    if target is None:
        detail = "no event of this agreement has that source and id"
        raise Rejected("target-unknown", detail, pointer="/target")
    if isinstance(target.data, (EventRetracted, PersonalDataErased)):
        detail = "a retraction or an erasure is neither corrected nor retracted"
        raise Rejected("target-never", detail, [target.position], pointer="/target")
    live = state.live.get(first_of(state, identity))
    if live is None or (identity != live.identity and target not in live.corrections):
        gone = _retracted_by(state, identity)
        raise Rejected("target-not-live", "the event has been retracted", gone, pointer="/target")
    # Both count: a claim stays its source's, and a correction made for it stays that of whoever made it.
    if not admin and {target.source, live.source} != {source}:
        raise Rejected(
            "target-of-another-source",
            "only its own source, or somebody with the scope admin, may correct or retract it",
            [target.position],
            pointer="/target/source",
        )
    return target, live


def _retracted_by(state: Agreement, identity: Identity) -> list[int]:
    """Give the positions of the retractions that took an event away, its own or of what it corrects."""
    chain = [identity]
    while isinstance(data := state.recorded[chain[-1]].data, EventCorrected):
        chain.append(target_of(data))
    return [state.recorded[by].position for one in chain for by in state.retractions.get(one, ())]


def _check_same(live: Live, replacing: Event) -> None:
    """Raise Rejected when a replacement is about something else than what it replaces.

    Of an event whose part 0 was erased nothing is known any more that could differ.
    """
    if 0 in live.erased:
        return
    if _about(live.data) != _about(replacing):
        raise Rejected(
            "replacement-part",
            "a replacement is about the same part; retract the event and post another",
            live.positions,
            pointer="/replacement",
        )
    if _parties(live.data) != _parties(replacing):
        raise Rejected(
            "replacement-parties",
            "a replacement names the same parties; retract the event and post another",
            live.positions,
            pointer="/replacement",
        )


def _about(data: Event) -> object:
    if isinstance(data, DisputeResolved):
        return data.predicate
    if isinstance(data, DuplicateMerged):
        return data.what, data.kept_id, data.dropped_id
    return data.part_id


def _parties(data: Event) -> set[str]:
    if isinstance(data, Registered):
        return {party.id for party in data.parties}
    return {
        party for pointer, party in data.parties_named() if pointer.rpartition("/")[2] not in OPTIONAL_PARTIES
    }
