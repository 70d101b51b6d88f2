"""Withholding: an agreement as those see it who may not read personal values.

Nothing that is derived reads a personal part, so everything else is the same as for those who may.
"""

from itertools import count

import msgspec

from registry.domain.agreement import Agreement, Identity, standing
from registry.domain.bodies import body_of
from registry.domain.codec import event_and_missing, join, owners_of, split
from registry.domain.envelope import Recorded
from registry.domain.events import EventCorrected

WITHHELD = "withheld"
"""Where a state keeps what is made of it here."""

Memo = dict[Identity, tuple[Recorded, Recorded]]
"""Events with what is left of them, by identity."""


def withhold(event: Recorded) -> Recorded:
    """Give an event as it reads without its personal values: as from the log, had only part 0 been read."""
    data = event.data
    if not (data.personal or isinstance(data, EventCorrected)):
        return event
    body, missing = body_of(data), frozenset(event.places_erased)
    owners = {at: person for at, person in owners_of(data.type, body).items() if at not in missing}
    if not owners:
        return event
    part0, *people = split(data.type, body, {}, "", owners)
    # What is erased has left the open parts in their order, so their numbers can still be told.
    numbers = [
        number for number, _ in zip((n for n in count(1) if n not in event.erased), people, strict=False)
    ]
    left, _, places = event_and_missing(data.type, join(part0, {}, range(1, len(people) + 1)))
    return msgspec.structs.replace(event, data=left, withheld=tuple(numbers), places_withheld=places)


def without_personal_values(state: Agreement, memo: Memo | None = None) -> Agreement:
    """Give the state of the same agreement without personal values; it is for reading alone and never evolved.

    It is made once a state. ``memo`` is for whoever asks for several states of one agreement.
    """
    if WITHHELD not in state.derived:
        state.derived[WITHHELD] = _without(state, {} if memo is None else memo)
    known: Agreement | None = state.derived[WITHHELD]
    return state if known is None else known


def _without(state: Agreement, memo: Memo) -> Agreement | None:
    """Make the state without personal values; None when there are none in it."""
    left: dict[Identity, Recorded] = {}
    for identity, event in state.recorded.items():
        kept = memo.get(identity)
        if kept is None or kept[0] is not event:
            kept = memo[identity] = event, withhold(event)
        if kept[1] is not event:
            left[identity] = kept[1]
    if not left:
        return None
    draft = state.copy()
    draft.recorded.update(left)
    for identity, live in state.live.items():
        if identity in left or any(correction.identity in left for correction in live.corrections):
            # What is live stays so, as no retraction is personal.
            draft.live[identity] = standing(draft, identity) or live
    return draft
