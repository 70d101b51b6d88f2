"""Facts: what sources claim about the parties and other things, of all agreements."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta
from sqlalchemy import Boolean, Column, Index, Row, Select, select
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement
from registry.domain.claims import Claim, claimed
from registry.domain.events import FactRecorded
from registry.domain.values import AgreementId, Identifier, Line, T, Unit
from registry.projections.columns import (
    AgreementRef,
    SourceRef,
    of_party,
    own_columns,
    own_values,
    shown,
    shown_column,
)
from registry.projections.listing import Listing, Source, visible
from registry.projections.model import ReadModel, Rows, Word

VERSION = 1

ValueKind = Literal["quantity", "text", "truth", "date"]


class FactFilters(msgspec.Struct, frozen=True, kw_only=True):
    agreement: Annotated[AgreementId, Meta(description="The id of the agreement")] | None = None
    party: Annotated[Identifier, Meta(description="The id of a party of the agreement")] | None = None
    about: Annotated[Identifier, Meta(description="A party, or a free id such as `bitcoin`")] | None = None
    predicate: Annotated[Line, Meta(description="What is said about it, such as `reserve`")] | None = None
    value_kind: Annotated[ValueKind, Meta(description="What kind of value it has")] | None = None
    unit: Annotated[Unit, Meta(description="The unit of a quantity, such as `USD`")] | None = None
    outlook: Annotated[bool, Meta(description="Whether it is an expectation or opinion")] | None = None
    disputed: Annotated[bool, Meta(description="Whether sources disagree on it")] | None = None


class FactValueShown(msgspec.Struct, frozen=True, kw_only=True):
    """One source's value of a fact."""

    source: SourceRef
    value: Annotated[str, Meta(description="As in the fact itself")]
    unit: Annotated[str | None, Meta(description="Of a quantity")] = None
    per: Annotated[str | None, Meta(description="The unit it is counted by")] = None
    comparator: Annotated[str | None, Meta(description="Whether it is this, more, less or about this")] = None
    as_of: Annotated[str | None, Meta(description="The day for which it is said; EDTF")] = None
    basis: Annotated[str, Meta(description="`stated` or `inferred`")]
    confidence: Annotated[str | None, Meta(description="How sure the source is")] = None
    position: Annotated[int, Meta(description="Of the event first posted")]


class FactItem(msgspec.Struct, frozen=True, kw_only=True):
    """A fact, with the value that is shown and every source's own."""

    agreement: AgreementRef
    fact_id: Annotated[str, Meta(description="Its id in the agreement")]
    about: Annotated[str, Meta(description="A party, or a free id such as `bitcoin`")]
    predicate: Annotated[str, Meta(description="What is said about it, such as `reserve`")]
    value_kind: Annotated[str, Meta(description="`quantity`, `text`, `truth` or `date`")]
    value: Annotated[
        str,
        Meta(
            description="A decimal number, `true` or `false`, an EDTF date, or a text: in English if it is given in it"
        ),
    ]
    unit: Annotated[str | None, Meta(description="Of a quantity: ISO 4217, `BTC` or UCUM")]
    per: Annotated[str | None, Meta(description="The unit that a quantity is counted by, as BTC in a price")]
    comparator: Annotated[
        str | None,
        Meta(description="`eq`, `gt`, `lt` or `approx`"),
    ]
    text: Annotated[T | None, Meta(description="A text in all its languages")]
    as_of: Annotated[str | None, Meta(description="The day for which it is said; EDTF")]
    outlook: Annotated[bool, Meta(description="Whether it is an expectation or opinion")]
    disputed: Annotated[bool, Meta(description="Whether sources disagree on it and nobody has settled it")]
    sources: Annotated[int, Meta(description="How many sources claim the value that is shown")]
    claims: Annotated[
        tuple[FactValueShown, ...], Meta(description="What each source says, the shown one first")
    ]


def _main() -> Sequence[SchemaItem]:
    return [
        *own_columns(),
        Column("fact_id", Word, nullable=False),
        Column("about", Word, nullable=False),
        Column("predicate", Word, nullable=False),
        Column("value_kind", Word, nullable=False),
        Column("unit", Word),
        Column("outlook", Boolean, nullable=False),
        Column("disputed", Boolean, nullable=False),
        shown_column(),
        Index(None, "about", "agreement", "fact_id"),
        Index(None, "predicate"),
    ]


def _rows(state: Agreement) -> Rows:
    if FactRecorded not in state.index:
        return {"": []}
    own = own_values(state)
    facts = (group for name, group in claimed(state).items() if name.startswith("fact."))
    return {"": [{**own, **_row(state, group.claims, group.disputed)} for group in facts]}


def _row(state: Agreement, claims: tuple[Claim, ...], disputed: bool) -> dict[str, Any]:
    fact = _fact(claims[0])
    best = _value(claims[0])
    item = FactItem(
        agreement=state.id,
        fact_id=fact.fact_id,
        about=fact.about,
        predicate=fact.predicate,
        value_kind=_kind(fact),
        value=best.value,
        unit=best.unit,
        per=best.per,
        comparator=best.comparator,
        text=fact.text,
        as_of=best.as_of,
        outlook=fact.outlook,
        disputed=disputed,
        sources=claims[0].sources,
        claims=tuple(map(_value, claims)),
    )
    return {
        "fact_id": item.fact_id,
        "about": item.about,
        "predicate": item.predicate,
        "value_kind": item.value_kind,
        "unit": item.unit,
        "outlook": item.outlook,
        "disputed": disputed,
        "shown": shown(item),
    }


def _fact(claim: Claim) -> FactRecorded:
    """Give the event of a claim on a fact, which no other class makes."""
    return cast("FactRecorded", claim.live.data)


def _kind(fact: FactRecorded) -> ValueKind:
    if fact.quantity is not None:
        return "quantity"
    if fact.text is not None:
        return "text"
    return "date" if fact.date is not None else "truth"


def _value(claim: Claim) -> FactValueShown:
    fact, quantity = _fact(claim), _fact(claim).quantity
    return FactValueShown(
        source=claim.live.source,
        value=_text(fact),
        unit=quantity.unit if quantity else None,
        per=quantity.per if quantity else None,
        comparator=quantity.comparator if quantity else None,
        as_of=str(fact.as_of) if fact.as_of else None,
        basis=claim.basis,
        confidence=fact.confidence,
        position=claim.live.first.position,
    )


def _text(fact: FactRecorded) -> str:
    """Write a value as one text; of several languages English, or else the first by its tag."""
    if fact.quantity is not None:
        return fact.quantity.value
    if fact.text is not None:
        return fact.text.get("en") or fact.text[min(fact.text)]
    return str(fact.date) if fact.date is not None else "true" if fact.truth else "false"


def _query(source: Source, filters: FactFilters) -> Select[Any]:
    main = source.tables(FACTS)[""]
    query = select(main.c.about, main.c.predicate, main.c.agreement, main.c.fact_id, main.c.shown).where(
        visible(source.sight, main)
    )
    for name in ("agreement", "about", "predicate", "value_kind", "unit", "outlook", "disputed"):
        if (value := getattr(filters, name)) is not None:
            query = query.where(main.c[name] == value)
    if filters.party is not None:
        query = query.where(of_party(main, filters.party))
    return query


_decode = msgspec.json.Decoder(FactItem).decode


def _make(row: Row[Any]) -> FactItem:
    return _decode(row.shown)


FACTS = ReadModel("facts", VERSION, {"": _main}, _rows)

LIST = Listing(
    name="facts",
    models=(FACTS,),
    filters=FactFilters,
    item=FactItem,
    query=_query,
    make=_make,
    sorts={"about": "about", "-about": "about", "predicate": "predicate", "-predicate": "predicate"},
    key=("agreement", "fact_id"),
)
