"""The warnings that an event is accepted with. Whoever posts may have mistyped; the registry only says so."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import msgspec

from registry.domain import edtf
from registry.domain.agreement import Agreement, Live
from registry.domain.claims import shown
from registry.domain.codec import names_in_texts
from registry.domain.dates import first_day, last_day
from registry.domain.edtf import Edtf
from registry.domain.envelope import Posted
from registry.domain.events import (
    Amended,
    Classified,
    CooperationAreaRemoved,
    DuplicateMerged,
    EngagementCancelled,
    EngagementRescheduled,
    EnteredIntoForce,
    EventCorrected,
    FollowUpCompleted,
    FollowUpDropped,
    FollowUpProgressed,
    FollowUpScheduled,
    PublicationRecorded,
    Registered,
    Renewed,
    Signed,
    Superseded,
    Terminated,
    TreatyRegistered,
)
from registry.domain.events.event import Event
from registry.domain.happening import first_day_out, happened
from registry.domain.introduced import introduced


class Advice(msgspec.Struct, frozen=True):
    """A warning in a receipt."""

    code: str
    """Stable."""
    detail: str
    positions: tuple[int, ...] = ()
    """Of the events concerned, beside the one posted."""


Check = Callable[[Agreement, Any], Iterator[Advice]]


def advise(state: Agreement | None, event: Posted) -> tuple[Advice, ...]:
    """Give the warnings for an event that is about to be accepted."""
    data = event.data.replacing if isinstance(event.data, EventCorrected) else event.data
    found: list[Advice] = []
    if state is not None:
        for check in CHECKS.get(type(data), ()):
            found += check(state, data)
        if (when := happened(data)) is not None:
            found += _after_the_end(state, data, when)
    if isinstance(data, PublicationRecorded):
        found += _publication(data, event)
    if isinstance(data, (Registered, Classified)):
        found += _binding_loi(state, data)
    if event.personal:
        found += [
            Advice("name-in-text", f"the text at {place} contains a name given in the event")
            for place in names_in_texts(event.personal, event.body)
        ]
    return tuple(found)


def _force_before_signature(state: Agreement, data: EnteredIntoForce) -> Iterator[Advice]:
    later = [live for live, when in _signings(state) if last_day(data.date) < first_day(when)]
    if later:
        detail = f"it enters into force on {data.date}, before it was signed"
        yield Advice("entry-into-force-before-signature", detail, _positions(later))


def _signature_after_force(state: Agreement, data: Signed) -> Iterator[Advice]:
    before = [
        live for live, force in state.of(EnteredIntoForce) if last_day(force.date) < first_day(data.occurred)
    ]
    if before:
        detail = f"it is signed on {data.occurred}, after it entered into force"
        yield Advice("entry-into-force-before-signature", detail, _positions(before))


def _never_in_force(state: Agreement, _: Event) -> Iterator[Advice]:
    if "entry-into-force" in state.index:
        return
    mode = shown(state, "entry_mode")
    if mode is None or mode.value != "on-signature" or not any(_signings(state)):
        yield Advice("termination-without-entry-into-force", "nothing says that it was ever in force")


def _unsigned(state: Agreement, data: Renewed | Amended) -> Iterator[Advice]:
    if not any(_signings(state)):
        what = "renewal" if isinstance(data, Renewed) else "amendment"
        yield Advice(f"{what}-without-signature", "no signature is claimed")


def _registered_elsewhere(state: Agreement, _: Event) -> Iterator[Advice]:
    character = shown(state, "legal_character")
    if character is not None and character.value == "non-binding":
        detail = "the instrument is said to be non-binding"
        yield Advice("registration-of-non-binding", detail, character.live.positions)


def _non_binding(state: Agreement, data: Registered | Classified) -> Iterator[Advice]:
    taken_in = [live for live, _ in state.of(TreatyRegistered)]
    if data.legal_character == "non-binding" and taken_in:
        detail = "a treaty registry has taken the instrument in"
        yield Advice("registration-of-non-binding", detail, _positions(taken_in))


def _binding_loi(state: Agreement | None, data: Registered | Classified) -> Iterator[Advice]:
    kind, character = data.kind, data.legal_character
    behind: list[Live] = []
    if state is not None and kind is None and character == "binding" and (known := shown(state, "kind")):
        kind, behind = known.value, [known.live]
    if (
        state is not None
        and character is None
        and kind == "loi"
        and (known := shown(state, "legal_character"))
    ):
        character, behind = known.value, [known.live]
    if kind == "loi" and character == "binding":
        yield Advice("binding-loi", "a letter of intent is said to be binding", _positions(behind))


def _publication(data: PublicationRecorded, event: Posted) -> Iterator[Advice]:
    if data.published is None:
        return
    read = data.retrieved or _day_of(event.attrs.get("time", ""))
    if read is not None and last_day(read) < first_day(data.published):
        detail = f"it is dated {data.published}, later than {read}, when it was read or recorded"
        yield Advice("publication-later-than-record", detail)


def _day_of(time: str) -> Edtf | None:
    """Give the day of an RFC 3339 time; None without one, and for the year 0000, which EDTF does not have."""
    return edtf.parse(time[:10]) if time and not time.startswith("0000") else None


def _part(what: str, field: str) -> Check:
    """Make the check that the part named by a field has been introduced by some event."""

    def check(state: Agreement, data: Event) -> Iterator[Advice]:
        part_id = getattr(data, field)
        if part_id is not None and not introduced(state, what, part_id):
            yield Advice("part-not-seen", f"no event has introduced the {what} {part_id!r} yet")

    return check


def _merged_parts(state: Agreement, data: DuplicateMerged) -> Iterator[Advice]:
    for field in ("kept_id", "dropped_id"):
        yield from _part(data.what, field)(state, data)


def _after_the_end(state: Agreement, data: Event, when: Edtf) -> Iterator[Advice]:
    if isinstance(data, (Terminated, Superseded)):
        end = last_day(data.date)
        later = [live for live in state.live.values() if _from(happened(live.data), end)]
        if later:
            yield Advice(
                "after-the-end", f"something happened after this end on {data.date}", _positions(later)
            )
    elif (out := first_day_out(state)) and _from(when, out[0]):
        yield Advice("after-the-end", f"the agreement was at its end by {out[0]}", out[1].positions)


def _from(when: Edtf | None, end: date) -> bool:
    """Tell whether something certainly happened when the agreement was no longer in force."""
    return when is not None and when.earliest is not None and when.earliest >= end


def _signings(state: Agreement) -> Iterator[tuple[Live, Edtf]]:
    for live, data in state.of(Signed):
        yield live, data.occurred


def _positions(lives: list[Live]) -> tuple[int, ...]:
    return tuple(sorted(position for live in lives for position in live.positions))


CHECKS: dict[type[Event], tuple[Check, ...]] = {
    Registered: (_non_binding,),
    Classified: (_non_binding,),
    EnteredIntoForce: (_force_before_signature,),
    Signed: (_signature_after_force,),
    Terminated: (_never_in_force,),
    Renewed: (_unsigned,),
    Amended: (_unsigned,),
    TreatyRegistered: (_registered_elsewhere,),
    EngagementRescheduled: (_part("engagement", "engagement_id"),),
    EngagementCancelled: (_part("engagement", "engagement_id"),),
    FollowUpScheduled: (_part("commitment", "commitment_id"),),
    FollowUpProgressed: (_part("follow-up", "follow_up_id"),),
    FollowUpCompleted: (_part("follow-up", "follow_up_id"),),
    FollowUpDropped: (_part("follow-up", "follow_up_id"),),
    CooperationAreaRemoved: (_part("area", "area_id"),),
    DuplicateMerged: (_merged_parts,),
}
