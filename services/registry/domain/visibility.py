"""Who may know that an agreement exists, and which events can change that."""

from typing import NoReturn

from registry.domain.agreement import Agreement, Identity, first_of, target_of
from registry.domain.envelope import Posted
from registry.domain.events import EventCorrected, EventRetracted, Registered, VisibilityChanged
from registry.domain.events.event import Event
from registry.errors import Rejected

RESTRICTED = "restricted"


def visibility(state: Agreement) -> str:
    """Give who may read an agreement: as last recorded, else as it was founded, else ``public``."""
    changes = [(live.first.position, data.visibility) for live, data in state.of(VisibilityChanged)]
    if changes:
        return max(changes)[1]
    founding = state.live[state.founder].data
    return (founding.visibility if isinstance(founding, Registered) else None) or "public"


def is_restricted(state: Agreement) -> bool:
    """Tell whether only those with the scope for it may know of an agreement."""
    return visibility(state) == RESTRICTED


def may_change(state: Agreement, data: Event) -> bool:
    """Tell whether an event that the state has taken in can have changed who may know of its agreement."""
    if isinstance(data, VisibilityChanged):
        return True
    if isinstance(data, Registered):
        return data.visibility == RESTRICTED
    if isinstance(data, (EventCorrected, EventRetracted)):
        return _says_who_may(state, first_of(state, target_of(data)))
    return False


def refuse_founding(event: Posted) -> NoReturn:
    """Refuse to found an agreement whose id is that of one that whoever posts may not see. Raises Rejected."""
    raise Rejected("id-taken", f"the id {event.subject!r} is taken; choose another")


def _says_who_may(state: Agreement, identity: Identity) -> bool:
    named = state.recorded.get(identity)
    # Of an event whose part 0 is gone nothing says what it was but its type.
    return named is not None and named.type.startswith(
        ("agreement.visibility-changed.", "agreement.registered.")
    )
