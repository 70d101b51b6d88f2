"""Publications: what has been recorded of each, and whose claims rest on it."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import BigInteger, Column, Index, Row, Select, Text, exists, func, select
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement
from registry.domain.events import PublicationRecorded
from registry.domain.shown.behind import said_now
from registry.domain.values import AgreementId, EventSource, Identifier
from registry.projections.columns import (
    LINE,
    NESTED,
    AgreementRef,
    SourceRef,
    of_party,
    own_columns,
    own_values,
    read_lines,
    shown_lines,
)
from registry.projections.listing import Listing, Source, visible
from registry.projections.model import ReadModel, Rows, Word

VERSION = 1

DESCRIBED_BY = ("publisher", "title", "url", "published", "retrieved", "sha256", "lang")


class PublicationFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Only what matches is counted and shown."""

    publication: Annotated[Identifier, Meta(description="The id of the publication")] | None = None
    agreement: Annotated[AgreementId, Meta(description="In this agreement alone")] | None = None
    party: Annotated[Identifier, Meta(description="In agreements of this party alone")] | None = None
    source: (
        Annotated[EventSource, Meta(description="In agreements in which this source records or cites it")]
        | None
    ) = None
    recorded: (
        Annotated[bool, Meta(description="Whether anybody has recorded it, or it is only cited")] | None
    ) = None


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """What one event says of a publication."""

    agreement: AgreementRef
    source: SourceRef
    id: Annotated[str, Meta(description="The id of the event")]
    position: Annotated[int, Meta(description="The position of the event")]
    publisher: Annotated[str | None, Meta(description="Who published it")] = None
    title: Annotated[str | None, Meta(description="Its title")] = None
    url: Annotated[str | None, Meta(description="Where it is")] = None
    published: Annotated[str | None, Meta(description="The day of publication; EDTF")] = None
    retrieved: Annotated[str | None, Meta(description="The day it was read there; EDTF")] = None
    sha256: Annotated[str | None, Meta(description="SHA-256 of the file that was read")] = None
    lang: Annotated[str | None, Meta(description="Its language")] = None


class Citing(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what one source claims rests on a publication."""

    source: SourceRef
    agreements: Annotated[int, Meta(description="In how many agreements it cites it")] = 1
    events: Annotated[int, Meta(description="How many of its events cite it")]
    inferred: Annotated[int, Meta(description="In how many of them the source concluded it")]


class PublicationItem(msgspec.Struct, frozen=True, kw_only=True):
    """A publication. Of several records each detail is that of the first that has it, by source and event id."""

    publication_id: Annotated[str, Meta(description="Its id in the whole registry")]
    publisher: Annotated[str | None, Meta(description="Who published it")]
    title: Annotated[str | None, Meta(description="Its title")]
    url: Annotated[str | None, Meta(description="Where it is")]
    published: Annotated[str | None, Meta(description="The day of publication; EDTF")]
    retrieved: Annotated[str | None, Meta(description="The day it was read there; EDTF")]
    sha256: Annotated[str | None, Meta(description="SHA-256 of the file that was read, in hexadecimal")]
    lang: Annotated[str | None, Meta(description="Its language")]
    agreements: Annotated[int, Meta(description="In how many agreements it is recorded or cited")]
    recorded: Annotated[int, Meta(description="How many events record it; 0 if it is only cited")]
    cited: Annotated[int, Meta(description="How many events cite it")]
    recordings: Annotated[
        tuple[Recording, ...], Meta(description=f"The first {NESTED} of them, by source and event id")
    ]
    cited_by: Annotated[
        tuple[Citing, ...], Meta(description=f"The first {NESTED} sources that cite it, by name")
    ]


def _main() -> Sequence[SchemaItem]:
    return [
        *own_columns(),
        Column("publication_id", Word, nullable=False),
        Column("recorded", BigInteger, nullable=False),
        Column("cited", BigInteger, nullable=False),
        Column("recordings", Text),
        Column("cited_by", Text),
        Index(None, "publication_id", "agreement"),
    ]


def _teller() -> Sequence[SchemaItem]:
    return [
        Column("publication_id", Word, nullable=False),
        Column("source", Word, nullable=False, index=True),
    ]


def _rows(state: Agreement) -> Rows:
    own = own_values(state)
    recordings = _recordings(state)
    citings = _citings(state)
    main, tellers = [], []
    for id_ in sorted({*recordings, *citings}):
        recorded, cited = recordings.get(id_, []), citings.get(id_, [])
        main.append(
            {
                **own,
                "publication_id": id_,
                "recorded": len(recorded),
                "cited": sum(citing.events for citing in cited),
                "recordings": shown_lines(recorded[:NESTED]),
                "cited_by": shown_lines(cited),
            }
        )
        sources = {recording.source for recording in recorded} | {citing.source for citing in cited}
        tellers += [{"publication_id": id_, "source": source} for source in sorted(sources)]
    return {"": main, "teller": tellers}


def _recordings(state: Agreement) -> dict[str, list[Recording]]:
    found: dict[str, list[Recording]] = {}
    for live, data in sorted(state.of(PublicationRecorded), key=lambda pair: pair[0].identity):
        says = said_now(live)
        details = {name: says[name] for name in DESCRIBED_BY if name in says}
        found.setdefault(data.publication_id, []).append(
            Recording(
                agreement=state.id,
                source=live.source,
                id=live.first.id,
                position=live.first.position,
                **details,
            )
        )
    return found


def _citings(state: Agreement) -> dict[str, list[Citing]]:
    counted: dict[tuple[str, str], tuple[int, int]] = {}
    for live in state.live.values():
        stated: dict[str, bool] = {}
        for cite in live.data.cites:
            stated[cite.publication_id] = stated.get(cite.publication_id, False) or cite.basis == "stated"
        for id_, is_stated in stated.items():
            events, inferred = counted.get((id_, live.source), (0, 0))
            counted[id_, live.source] = events + 1, inferred + (not is_stated)
    found: dict[str, list[Citing]] = {}
    for (id_, source), (events, inferred) in sorted(counted.items()):
        found.setdefault(id_, []).append(Citing(source=source, events=events, inferred=inferred))
    return found


def _query(source: Source, filters: PublicationFilters) -> Select[Any]:
    tables = source.tables(PUBLICATIONS)
    main, teller = tables[""], tables["teller"]
    recorded = func.sum(main.c.recorded)
    query: Select[Any] = (
        select(
            main.c.publication_id,
            func.count().label("agreements"),
            recorded.label("recorded"),
            func.sum(main.c.cited).label("cited"),
            func.aggregate_strings(main.c.recordings, LINE).label("recordings"),
            func.aggregate_strings(main.c.cited_by, LINE).label("cited_by"),
        )
        .where(visible(source.sight, main))
        .group_by(main.c.publication_id)
    )
    if filters.publication is not None:
        query = query.where(main.c.publication_id == filters.publication)
    if filters.agreement is not None:
        query = query.where(main.c.agreement == filters.agreement)
    if filters.party is not None:
        query = query.where(of_party(main, filters.party))
    if filters.source is not None:
        query = query.where(
            exists().where(
                teller.c.agreement == main.c.agreement,
                teller.c.publication_id == main.c.publication_id,
                teller.c.source == filters.source,
            )
        )
    if filters.recorded is not None:
        query = query.having(recorded > 0 if filters.recorded else recorded == 0)
    return query


_recording = msgspec.json.Decoder(Recording).decode
_citing = msgspec.json.Decoder(Citing).decode


def _make(row: Row[Any]) -> PublicationItem:
    recordings = read_lines(row.recordings, _recording)
    recordings.sort(key=lambda one: (one.source, one.id))
    details = {
        name: next((value for one in recordings if (value := getattr(one, name)) is not None), None)
        for name in DESCRIBED_BY
    }
    return PublicationItem(
        publication_id=row.publication_id,
        agreements=row.agreements,
        recorded=int(row.recorded),
        cited=int(row.cited),
        recordings=tuple(recordings[:NESTED]),
        cited_by=_together(read_lines(row.cited_by, _citing))[:NESTED],
        **details,
    )


def _together(citings: Iterable[Citing]) -> tuple[Citing, ...]:
    """Add up what the sources claim in each agreement."""
    found: dict[str, Citing] = {}
    for one in citings:
        known = found.get(one.source)
        found[one.source] = (
            one
            if known is None
            else Citing(
                source=one.source,
                agreements=known.agreements + 1,
                events=known.events + one.events,
                inferred=known.inferred + one.inferred,
            )
        )
    return tuple(found[source] for source in sorted(found))


PUBLICATIONS = ReadModel("publications", VERSION, {"": _main, "teller": _teller}, _rows)

LIST = Listing(
    name="publications",
    models=(PUBLICATIONS,),
    filters=PublicationFilters,
    item=PublicationItem,
    query=_query,
    make=_make,
    sorts={"publication": "publication_id", "-publication": "publication_id"},
    key=("publication_id",),
)
