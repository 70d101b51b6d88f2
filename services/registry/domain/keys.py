"""What one source may claim only once."""

from registry.domain.agreement import Agreement, Identity, keys_of
from registry.domain.events.event import Event
from registry.errors import Rejected


def check_keys(state: Agreement, source: str, data: Event, *, but: Identity | None = None) -> None:
    """Raise Rejected when a live event of the source, other than ``but``, holds a key of this one."""
    for key in keys_of(data):
        for holder in state.index.get(key, ()):
            if holder[0] == source and holder != but:
                raise Rejected(
                    "already-claimed",
                    f"its source has claimed {key} before; correct or retract that event",
                    state.live[holder].positions,
                )
