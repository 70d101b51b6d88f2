"""Signature."""

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta

from registry.domain.edtf import Edtf
from registry.domain.events.event import Event, Fault, Key, Owned, Predicate, event_type, party_of_actor
from registry.domain.values import Actor, Line, PartyRef, Place, Value


class Signature(Value, frozen=True, kw_only=True):
    """The signature of one party."""

    party: Annotated[PartyRef, Meta(description="The party signed for")]
    actor: Annotated[Actor, Meta(description="Who signed")] | None = None
    capacity: Annotated[Line, Meta(description="The office in which the person signed")] | None = None
    ad_referendum: Annotated[bool, Meta(description="The signature needs the party's confirmation")] = False


@event_type("agreement.signed.v1")
class Signed(Event, frozen=True, kw_only=True):
    """One or both parties signed: a claim on date and place for each party named."""

    signatures: Annotated[
        tuple[Signature, ...], Meta(description="One signature a party", min_length=1, max_length=2)
    ]
    occurred: Annotated[Edtf, Meta(description="The day of signature")]
    place: Annotated[Place, Meta(description="Where it was signed")] | None = None

    personal = (Owned(at="signatures/*", person="actor/person", values=("actor/person/name", "capacity")),)
    examples = (
        {
            "signatures": [
                {
                    "party": "pak",
                    "actor": {
                        "person": {
                            "person_id": "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11",
                            "name": "A. Signatory",
                        }
                    },
                    "capacity": "Minister of State",
                },
                {
                    "party": "slv",
                    "actor": {"institution_id": "national-bitcoin-office"},
                    "ad_referendum": True,
                },
            ],
            "occurred": "2025-07-16",
            "place": {"name": "San Salvador", "country": "SLV"},
            "cites": [{"publication_id": "report-b", "locator": "paragraph 2", "basis": "inferred"}],
            "confidence": "high",
        },
    )

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        for signature in self.signatures:
            yield f"signature.{signature.party}.date", self.occurred
            if self.place is not None:
                yield f"signature.{signature.party}.place", self.place

    def keys(self) -> Iterator[Key]:
        for signature in self.signatures:
            yield f"signed:{signature.party}"

    def parties_named(self) -> Iterator[tuple[str, str]]:
        for i, signature in enumerate(self.signatures):
            yield f"/signatures/{i}/party", signature.party
            yield from party_of_actor(f"/signatures/{i}/actor", signature.actor)

    def faults(self) -> Iterator[Fault]:
        parties = [signature.party for signature in self.signatures]
        if len(set(parties)) < len(parties):
            yield Fault("party-repeated", "/signatures/1/party", "a party signs once in one event")


@event_type("agreement.signature-confirmed.v1")
class SignatureConfirmed(Event, frozen=True, kw_only=True):
    """A party confirmed a signature given ad referendum."""

    party: Annotated[PartyRef, Meta(description="The party that confirmed")]
    occurred: Annotated[Edtf, Meta(description="The day of confirmation")]

    examples = ({"party": "slv", "occurred": "2025-08-01"},)

    def keys(self) -> Iterator[Key]:
        yield f"signature-confirmed:{self.party}"

    def parties_named(self) -> Iterator[tuple[str, str]]:
        yield "/party", self.party
