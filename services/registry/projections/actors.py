"""Who acted: the persons and institutions that events name, as they are known now."""

from collections.abc import Iterator
from typing import Any

import msgspec

from registry.domain.agreement import Agreement
from registry.domain.engagements import About
from registry.domain.events import EngagementHeld, EngagementPlanned
from registry.domain.merges import kept_id
from registry.domain.shown.behind import said_now
from registry.domain.shown.people import ActorShown, actor


def acting(state: Agreement, body: Any) -> ActorShown:
    """Read an actor of what an event says now; an institution merged into another goes by that one's id."""
    who = actor(body)
    if who.institution_id is None:
        return who
    return msgspec.structs.replace(who, institution_id=kept_id(state, "institution", who.institution_id))


def participants(state: Agreement, about: About) -> Iterator[ActorShown]:
    """Yield who takes part in an engagement by one event."""
    data = about.live.data
    if isinstance(data, (EngagementHeld, EngagementPlanned)) and data.participants:
        for body in said_now(about.live)["participants"]:
            yield acting(state, body)
