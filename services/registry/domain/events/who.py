"""Who stands behind the parties: institutions and the offices of persons."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from registry.domain.edtf import Edtf
from registry.domain.events.event import Event, Owned, ends_before, event_type
from registry.domain.values import Identifier, PartyRef, Person, T


@event_type("agreement.institution-linked.v1")
class InstitutionLinked(Event, frozen=True, kw_only=True):
    """An institution of a party has to do with the agreement."""

    institution_id: Annotated[Identifier, Meta(description="Registry-wide id of the institution")]
    name: Annotated[T, Meta(description="What it is called")]
    party: Annotated[PartyRef, Meta(description="The party it belongs to")]
    role: Annotated[
        Literal["lead", "signatory", "negotiator", "regulator", "mentioned"],
        Meta(description="What it has to do with the agreement"),
    ]
    established: Annotated[Edtf, Meta(description="The day it was established")] | None = None

    examples = (
        {
            "institution_id": "pakistan-crypto-council",
            "name": {"en": "Pakistan Crypto Council"},
            "party": "pak",
            "role": "lead",
            "established": "2025-03",
        },
    )

    def parties_named(self) -> Iterator[tuple[str, str]]:
        yield "/party", self.party


@event_type("agreement.role-held.v1")
class RoleHeld(Event, frozen=True, kw_only=True):
    """A person held an office for a party. What the source says about the person can be erased."""

    person: Annotated[Person, Meta(description="The person")]
    title: Annotated[T, Meta(description="The office")]
    institution_id: Annotated[Identifier, Meta(description="The institution it belongs to")] | None = None
    party: Annotated[PartyRef, Meta(description="The party it was held for")]
    from_: Annotated[Edtf, Meta(description="The first day in office")] | None = msgspec.field(
        name="from", default=None
    )
    to: Annotated[Edtf, Meta(description="The last day in office")] | None = None

    personal = (Owned(at="", person="person", values=("person/name", "title", "from", "to")),)
    examples = (
        {
            "person": {"person_id": "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11", "name": "A. Signatory"},
            "title": {"en": "Minister of State"},
            "institution_id": "pakistan-crypto-council",
            "party": "pak",
            "from": "2025-05",
            "to": "2026/..",
        },
    )

    def __post_init__(self) -> None:
        # Not a fault: those are decided upon, and a decision never reads a personal value.
        if ends_before(self.from_, self.to):
            raise ValueError("the office ends before it starts")

    def parties_named(self) -> Iterator[tuple[str, str]]:
        yield "/party", self.party
