"""Coming into force."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from registry.domain.edtf import Edtf
from registry.domain.events.event import Event, Key, Predicate, event_type
from registry.domain.values import Line, PartyRef


@event_type("agreement.ratified.v1")
class Ratified(Event, frozen=True, kw_only=True):
    """A party expressed its consent to be bound, or notified that its procedures are complete."""

    party: Annotated[PartyRef, Meta(description="The party that ratified")]
    form: Annotated[
        Literal["ratification", "acceptance", "approval", "notification"],
        Meta(description="How it expressed its consent"),
    ]
    occurred: Annotated[Edtf, Meta(description="The day the consent took effect towards the other party")]
    instrument_date: Annotated[Edtf, Meta(description="The date on the instrument itself")] | None = None

    examples = (
        {"party": "pak", "form": "ratification", "occurred": "2025-11-03", "instrument_date": "2025-10-28"},
    )

    def keys(self) -> Iterator[Key]:
        yield f"ratified:{self.party}"

    def parties_named(self) -> Iterator[tuple[str, str]]:
        yield "/party", self.party


@event_type("agreement.provisionally-applied.v1")
class ProvisionallyApplied(Event, frozen=True, kw_only=True):
    """The parties apply the agreement before it is in force."""

    from_: Annotated[Edtf, Meta(description="The first day of provisional application")] = msgspec.field(
        name="from"
    )

    examples = ({"from": "2025-08-01"},)


@event_type("agreement.provisional-application-ended.v1")
class ProvisionalApplicationEnded(Event, frozen=True, kw_only=True):
    """Provisional application ended."""

    occurred: Annotated[Edtf, Meta(description="The day it ended")]

    examples = ({"occurred": "2026-01-31"},)


@event_type("agreement.entered-into-force.v1")
class EnteredIntoForce(Event, frozen=True, kw_only=True):
    """A claim on the day from which the agreement is in force, past or still ahead."""

    date: Annotated[Edtf, Meta(description="The first day in force")]
    method: Annotated[Line, Meta(description="What brought it about, as the source puts it")] | None = None

    examples = ({"date": "2025-12-01", "method": "thirty days after the second notification"},)

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        yield "entry-into-force", self.date


@event_type("agreement.treaty-registered.v1")
class TreatyRegistered(Event, frozen=True, kw_only=True):
    """A registry of treaties, such as that of the United Nations, took the instrument in."""

    registry: Annotated[Line, Meta(description="The registry of treaties")]
    number: Annotated[Line, Meta(description="Its number there")]
    date: Annotated[Edtf, Meta(description="The day of registration there")]

    examples = ({"registry": "UNTS", "number": "I-58211", "date": "2026-02"},)
