"""Evidence: publications, what was said, facts about the parties, documents."""

from collections.abc import Iterator
from decimal import Decimal as Number
from typing import Annotated, Any, Literal

from msgspec import Meta

from registry.domain.edtf import Edtf
from registry.domain.events.event import Event, Fault, Owned, Predicate, event_type, party_of_actor
from registry.domain.values import Actor, Identifier, Line, Q, Sha256, T, Tag, Url, Value


@event_type("agreement.publication-recorded.v1")
class PublicationRecorded(Event, frozen=True, kw_only=True):
    """A publication that claims may cite. What is not known of it is left out."""

    publication_id: Annotated[Identifier, Meta(description="Registry-wide id of the publication")]
    publisher: Annotated[Line, Meta(description="Who published it")] | None = None
    title: Annotated[Line, Meta(description="Its title")] | None = None
    url: Annotated[Url, Meta(description="Where it is")] | None = None
    published: Annotated[Edtf, Meta(description="The day of publication")] | None = None
    retrieved: Annotated[Edtf, Meta(description="The day it was read there")] | None = None
    sha256: (
        Annotated[Sha256, Meta(description="SHA-256 of the file that was read, in hexadecimal")] | None
    ) = None
    lang: Annotated[Tag, Meta(description="Its language")] | None = None

    examples = (
        {
            "publication_id": "report-b",
            "publisher": "Report B",
            "title": "Pakistan and El Salvador on digital assets",
            "url": "https://report-b.example/2025/07/digital-assets",
            "published": "2025-07",
            "retrieved": "2025-07-20",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "lang": "en",
        },
    )


@event_type("agreement.statement-recorded.v1")
class StatementRecorded(Event, frozen=True, kw_only=True):
    """Somebody said something about the agreement. When a person is named, the gist is personal."""

    statement_id: Annotated[Identifier, Meta(description="Id of the statement in this agreement")]
    speaker: Annotated[Actor, Meta(description="Who said it")] | None = None
    attribution: Annotated[
        Literal["named", "anonymous", "officials", "analysts"],
        Meta(description="To whom the source attributes it"),
    ]
    gist: Annotated[T, Meta(description="What was said, in short; it names nobody else")]
    quoted: Annotated[bool, Meta(description="The source gives it as a quotation")]
    occurred: Annotated[Edtf, Meta(description="The day it was said")] | None = None

    part = "statement_id"
    personal = (Owned(at="", person="speaker/person", values=("speaker/person/name", "gist")),)
    examples = (
        {
            "statement_id": "strategic-relationship",
            "speaker": {
                "person": {"person_id": "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11", "name": "A. Signatory"},
                "on_behalf_of": "pak",
            },
            "attribution": "named",
            "gist": {"en": "The visit opens a strategic relationship."},
            "quoted": True,
            "occurred": "2025-07-16",
        },
        {
            "statement_id": "more-active-role",
            "attribution": "analysts",
            "gist": {"en": "A more active role is to be expected."},
            "quoted": False,
        },
    )

    def parties_named(self) -> Iterator[tuple[str, str]]:
        yield from party_of_actor("/speaker", self.speaker)


class FactValue(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What a source claims about something. Quantities compare as numbers: 6237 is 6237.0."""

    about: str
    predicate: str
    quantity: Q | None = None
    text: dict[str, str] | None = None
    truth: bool | None = None
    date: Edtf | None = None

    def _comparable(self) -> tuple[Any, ...]:
        quantity = self.quantity and (
            Number(self.quantity.value),
            self.quantity.unit,
            self.quantity.per,
            self.quantity.comparator,
        )
        text = self.text and frozenset(self.text.items())
        return self.about, self.predicate, quantity, text, self.truth, self.date

    def __eq__(self, other: object) -> bool:
        return self._comparable() == other._comparable() if isinstance(other, FactValue) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._comparable())


@event_type("agreement.fact-recorded.v1")
class FactRecorded(Event, frozen=True, kw_only=True):
    """A claim about a party or anything else: exactly one of a quantity, a text, a truth and a date."""

    fact_id: Annotated[Identifier, Meta(description="Id of the fact in this agreement")]
    about: Annotated[Identifier, Meta(description="A party, or a free id such as `bitcoin`")]
    predicate: Annotated[Line, Meta(description="What is said about it, such as `reserve`")]
    quantity: Annotated[Q, Meta(description="How much")] | None = None
    text: Annotated[T, Meta(description="What, in words")] | None = None
    truth: Annotated[bool, Meta(description="Whether it is so")] | None = None
    date: Annotated[Edtf, Meta(description="When")] | None = None
    as_of: Annotated[Edtf, Meta(description="The day for which it is said")] | None = None
    outlook: Annotated[
        bool, Meta(description="It is an expectation or opinion, listed by source and never disputed")
    ] = False

    part = "fact_id"
    examples = (
        {
            "fact_id": "btc-price",
            "about": "bitcoin",
            "predicate": "price",
            "quantity": {"value": "123000", "unit": "USD", "per": "BTC", "comparator": "gt"},
            "as_of": "2025-07~",
            "cites": [{"publication_id": "report-b", "basis": "inferred"}],
        },
        {"fact_id": "legal-tender", "about": "slv", "predicate": "bitcoin-legal-tender", "truth": True},
        {"fact_id": "legal-tender-since", "about": "slv", "predicate": "legal-tender-since", "date": "2021"},
        {
            "fact_id": "roadmap",
            "about": "pak",
            "predicate": "outlook",
            "text": {"en": "May serve as a roadmap for emerging markets."},
            "outlook": True,
        },
    )

    @property
    def disputable(self) -> bool:
        return not self.outlook

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        yield (
            f"fact.{self.fact_id}",
            FactValue(
                about=self.about,
                predicate=self.predicate,
                quantity=self.quantity,
                text=self.text,
                truth=self.truth,
                date=self.date,
            ),
        )

    def faults(self) -> Iterator[Fault]:
        given = [name for name in ("quantity", "text", "truth", "date") if getattr(self, name) is not None]
        if not given:
            yield Fault("empty-claim", "", "a fact gives a quantity, a text, a truth or a date")
        elif len(given) > 1:
            yield Fault(
                "one-value", f"/{given[1]}", f"a fact gives exactly one value, not {' and '.join(given)}"
            )


@event_type("agreement.document-attached.v1")
class DocumentAttached(Event, frozen=True, kw_only=True):
    """A document of the agreement, known by its digest; the file itself stays outside."""

    doc_id: Annotated[Identifier, Meta(description="Id of the document in this agreement")]
    kind: Annotated[Line, Meta(description="What the document is, such as `text` or `annex`")]
    lang: Annotated[Tag, Meta(description="Its language")] | None = None
    authentic: Annotated[bool, Meta(description="Whether this text is authentic")] | None = None
    sha256: Annotated[Sha256, Meta(description="SHA-256 of the file, in hexadecimal")]
    url: Annotated[Url, Meta(description="Where the file is")] | None = None

    part = "doc_id"
    examples = (
        {
            "doc_id": "text-en",
            "kind": "text",
            "lang": "en",
            "authentic": True,
            "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            "url": "https://treaties.example/pak-slv-2025.pdf",
        },
    )
