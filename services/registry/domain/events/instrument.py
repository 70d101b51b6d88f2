"""The instrument: what it is, what it is called, how it came about, what it covers."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from registry.domain.edtf import Edtf
from registry.domain.events.event import Event, Fault, Key, Predicate, event_type
from registry.domain.values import AgreementId, Identifier, Line, Party, Place, T, Tag, Text

Kind = Annotated[
    Literal["loi", "mou", "treaty", "agreement", "protocol", "exchange-of-notes", "joint-statement", "other"],
    Meta(description="What kind of instrument it is"),
]
LegalCharacter = Annotated[
    Literal["binding", "non-binding"], Meta(description="Whether it binds under international law")
]
EntryMode = Annotated[
    Literal["on-signature", "ratification", "fixed-date", "notification"],
    Meta(description="What brings it into force"),
]
Visibility = Annotated[Literal["public", "restricted"], Meta(description="Who may read the agreement")]


def _given(**fields: str | None) -> list[tuple[Predicate, str]]:
    """Give the fields that have a value: what a source leaves out it does not claim."""
    return [(predicate, value) for predicate, value in fields.items() if value is not None]


@event_type("agreement.registered.v1")
class Registered(Event, frozen=True, kw_only=True):
    """A source knows of an agreement. The first founds it; each one is a claim on its fields."""

    title: Annotated[T, Meta(description="What the instrument is called")]
    parties: Annotated[tuple[Party, ...], Meta(description="The two parties", min_length=2, max_length=2)]
    kind: Kind | None = None
    legal_character: LegalCharacter | None = None
    entry_mode: EntryMode | None = None
    subjects: Annotated[tuple[Line, ...], Meta(description="What it is about, in catchwords")] = ()
    external_ids: Annotated[tuple[Line, ...], Meta(description="Its references elsewhere")] = ()
    visibility: Visibility | None = None

    examples = (
        {
            "title": {"en": "Letter of Intent on cooperation in digital assets"},
            "parties": [
                {"id": "pak", "kind": "state", "name": {"en": "Pakistan"}, "country": "PAK"},
                {"id": "slv", "kind": "state", "name": {"en": "El Salvador"}, "country": "SLV"},
            ],
            "kind": "loi",
            "legal_character": "non-binding",
            "entry_mode": "on-signature",
            "subjects": ["digital assets"],
            "external_ids": ["gazette 2025/117"],
            "visibility": "public",
            "cites": [{"publication_id": "report-b", "basis": "stated"}],
        },
    )

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        for tag, title in self.title.items():
            yield f"title.{tag}", title
        yield from _given(kind=self.kind, legal_character=self.legal_character, entry_mode=self.entry_mode)

    def keys(self) -> Iterator[Key]:
        yield "registered:"

    def faults(self) -> Iterator[Fault]:
        if self.parties[0].id == self.parties[1].id:
            yield Fault("parties-not-distinct", "/parties/1/id", "the two parties are one and the same")


@event_type("agreement.classified.v1")
class Classified(Event, frozen=True, kw_only=True):
    """A claim on what the instrument is; at least one of the three fields."""

    kind: Kind | None = None
    legal_character: LegalCharacter | None = None
    entry_mode: EntryMode | None = None

    examples = (
        {
            "kind": "loi",
            "legal_character": "non-binding",
            "entry_mode": "on-signature",
            "cites": [{"publication_id": "report-b", "basis": "inferred"}],
        },
    )

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        yield from _given(kind=self.kind, legal_character=self.legal_character, entry_mode=self.entry_mode)

    def faults(self) -> Iterator[Fault]:
        if self.kind is None and self.legal_character is None and self.entry_mode is None:
            yield Fault("empty-claim", "", "it claims neither kind nor legal_character nor entry_mode")


@event_type("agreement.negotiation-opened.v1")
class NegotiationOpened(Event, frozen=True, kw_only=True):
    """The parties began to negotiate."""

    occurred: Annotated[Edtf, Meta(description="The day negotiation opened")]
    venue: Annotated[Place, Meta(description="Where it opened")] | None = None

    examples = ({"occurred": "2025-03", "venue": {"name": "Islamabad", "country": "PAK"}},)


@event_type("agreement.text-adopted.v1")
class TextAdopted(Event, frozen=True, kw_only=True):
    """The negotiators agreed on the text."""

    occurred: Annotated[Edtf, Meta(description="The day the text was adopted")]
    languages: Annotated[tuple[Tag, ...], Meta(description="The languages of the text")] = ()

    examples = ({"occurred": "2025-06-2X", "languages": ["en", "es"]},)


@event_type("agreement.negotiation-abandoned.v1")
class NegotiationAbandoned(Event, frozen=True, kw_only=True):
    """The parties gave the negotiation up."""

    occurred: Annotated[Edtf, Meta(description="The day it was given up")]
    reason: Annotated[Text, Meta(description="Why")] | None = None

    examples = ({"occurred": "2025-09-30", "reason": "No agreement on scope."},)


@event_type("agreement.title-given.v1")
class TitleGiven(Event, frozen=True, kw_only=True):
    """A claim on what the instrument is called."""

    title: Annotated[T, Meta(description="What it is called, by language")]

    examples = ({"title": {"es": "Carta de intenciones sobre activos digitales"}},)

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        for tag, title in self.title.items():
            yield f"title.{tag}", title


@event_type("agreement.visibility-changed.v1")
class VisibilityChanged(Event, frozen=True, kw_only=True):
    """Who may read the agreement changed; the last recorded holds."""

    visibility: Visibility
    reason: Annotated[Text, Meta(description="Why")]

    examples = ({"visibility": "restricted", "reason": "Under embargo until announced."},)


@event_type("agreement.cooperation-area-added.v1")
class CooperationAreaAdded(Event, frozen=True, kw_only=True):
    """An area of cooperation is agreed, or in prospect."""

    area_id: Annotated[Identifier, Meta(description="Id of the area in this agreement")]
    label: Annotated[T, Meta(description="What the area is called")]
    state: Annotated[
        Literal["agreed", "prospective"], Meta(description="Whether it is agreed or only in prospect")
    ]
    occurred: Annotated[Edtf, Meta(description="Since when")] | None = None

    part = "area_id"
    examples = (
        {
            "area_id": "digital-identity",
            "label": {"en": "digital identity"},
            "state": "prospective",
            "occurred": "2025-07-16",
        },
    )

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        yield f"area.{self.area_id}.state", self.state


@event_type("agreement.cooperation-area-removed.v1")
class CooperationAreaRemoved(Event, frozen=True, kw_only=True):
    """An area of cooperation was given up."""

    area_id: Annotated[Identifier, Meta(description="Id of the area in this agreement")]
    occurred: Annotated[Edtf, Meta(description="The day it was given up")]
    reason: Annotated[Text, Meta(description="Why")]

    part = "area_id"
    examples = (
        {"area_id": "crypto-mining", "occurred": "2026", "reason": "No longer pursued by either party."},
    )


@event_type("agreement.linked.v1")
class Linked(Event, frozen=True, kw_only=True):
    """The agreement stands in a relation to another one, registered or not."""

    other_id: Annotated[AgreementId, Meta(description="The other agreement; never checked")]
    relation: Annotated[
        Literal["amends", "replaces", "renews", "implements", "parent", "follows"],
        Meta(description="What this agreement does to the other; `parent`: the other stands above it"),
    ]

    examples = ({"other_id": "pak-slv-2024-framework", "relation": "implements"},)
