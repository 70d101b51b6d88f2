"""What would become of events if they were posted now: everything up to ``decide``, and nothing is written.

The head is read and not locked, so a forecast holds up nobody; what is posted between a forecast and the post itself
may change the answer.
"""

from collections.abc import Sequence

from sqlalchemy import Engine

from registry.merkle.entry import event_uuid
from registry.store.database import reachable
from registry.store.group import Accepted, Group, Replay, Request, Slot
from registry.store.head import read_head
from registry.store.receipt import Forecast, written
from registry.store.states import States
from registry.store.writer import load_states, open_group


def forecast(engine: Engine, states: States, requests: Sequence[Request]) -> list[list[Forecast] | Exception]:
    """Say of each request what it would be answered, in the order given; each sees what those before it would do.

    Of one that would be refused the exception is given, a Refusal with the index of the event to blame. Raises
    Unavailable when the database cannot be reached.
    """
    with reachable(), engine.connect() as connection:
        load_states(connection, states, requests)
        group = open_group(connection, states, read_head(connection), requests)
        return [_foreseen(group, request) for request in requests]


def _foreseen(group: Group, request: Request) -> list[Forecast] | Exception:
    slots = group.decided(request)
    return slots if isinstance(slots, Exception) else [_of(group, slot) for slot in slots]


def _of(group: Group, slot: Slot) -> Forecast:
    if isinstance(slot, Replay) and slot.row is not None:
        source, id, agreement = slot.row.source, slot.row.event_id, slot.row.stream_id
        version = slot.row.version
    else:
        accepted = slot if isinstance(slot, Accepted) else group.at(slot.position)
        source, id, agreement = accepted.posted.source, accepted.posted.id, accepted.posted.subject
        version = accepted.version
    return Forecast(
        agreement=agreement,
        version=version,
        event_uuid=written(event_uuid(source, id)),
        warnings=slot.warnings if isinstance(slot, Accepted) else (),
        replayed=isinstance(slot, Replay),
    )
