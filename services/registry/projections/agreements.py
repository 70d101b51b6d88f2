"""Agreements: a row each with what a list shows of it, and what it is found by.

Nothing in here depends on today: status and overdue are rows with the days on which they hold.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement
from registry.domain.claims import claimed
from registry.domain.codec import ERASED_TEXT
from registry.domain.course import course
from registry.domain.dates import day_after, first_day, last_day
from registry.domain.edtf import Edtf
from registry.domain.engagements import possible_duplicates
from registry.domain.events import CooperationAreaAdded, Registered, StatementRecorded
from registry.domain.follow_ups import FollowUp, follow_ups
from registry.domain.shown.behind import record_time
from registry.domain.timeline import timeline
from registry.domain.values import T
from registry.domain.view import UNCLAIMED
from registry.projections.columns import (
    earliest,
    latest,
    own_columns,
    own_values,
    shown,
    shown_column,
    span_columns,
    through_time,
)
from registry.projections.listing import FIRST_DAY, LAST_DAY
from registry.projections.mentions import comparable, mentions
from registry.projections.model import ReadModel, Rows, Word, the_only_row
from registry.projections.words import kept_words, word_columns

VERSION = 3

NO_DAYS = "~", ""
"""The first and the last day of what has no date: behind and before every day, so that it meets none and comes last."""

LANGUAGE = "en"
"""The language of the title that stands for all of them, if there is one in it."""


class PartyNamed(msgspec.Struct, frozen=True, kw_only=True):
    """A party, as the founding event names it."""

    id: Annotated[str, Meta(description="The id of the party")]
    kind: Annotated[str, Meta(description="What kind of party it is")]
    name: Annotated[T, Meta(description="Its name by language")]
    country: Annotated[str | None, Meta(description="Its country, by code")] = None

    def __str__(self) -> str:
        """Give its id: what stands for it in one cell of a table."""
        return self.id


class AgreementItem(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement as a list shows it, on the day asked for."""

    id: Annotated[str, Meta(description="The id of the agreement")]
    title: Annotated[
        str | None, Meta(description="In English, or else in the first language by its tag; null if erased")
    ]
    titles: Annotated[dict[str, str], Meta(description="The title by language")]
    parties: Annotated[
        tuple[PartyNamed, ...], Meta(description="The two parties; none if the founding event was erased")
    ]
    kind: Annotated[str, Meta(description="`unspecified` where no source says")]
    legal_character: Annotated[str, Meta(description="`undetermined` where no source says")]
    entry_mode: Annotated[str, Meta(description="`unknown` where no source says")]
    status: Annotated[str, Meta(description="The stable code, such as `in-force`")] = ""
    status_label: Annotated[str, Meta(description="The words to show, such as `in effect`")] = ""
    since: Annotated[str | None, Meta(description="From when; EDTF, null when no date decides")] = None
    certain: Annotated[bool, Meta(description="Whether every reading of imprecise dates agrees")] = True
    overdue: Annotated[bool, Meta(description="Whether a follow-up is open after its last day")] = False
    signed: Annotated[
        str | None, Meta(description="The day of signature; EDTF, from the first signature to the last")
    ]
    subjects: Annotated[tuple[str, ...], Meta(description="What it is about, in catchwords")]
    external_ids: Annotated[tuple[str, ...], Meta(description="Its references elsewhere")]
    disputed: Annotated[tuple[str, ...], Meta(description="Predicates on which sources disagree")]
    possible_duplicates: Annotated[
        int, Meta(description="Engagements that may be the same as another of the agreement")
    ]
    visibility: Annotated[str, Meta(description="Who may read it: `public` or `restricted`")]
    source: Annotated[str, Meta(description="The source of the event that founded it")]
    version: Annotated[int, Meta(description="How many events it has")]
    position: Annotated[int, Meta(description="Of its last event")]
    recorded_at: Annotated[str, Meta(description="When that was recorded, RFC 3339 in UTC")]


def _main() -> Sequence[SchemaItem]:
    return [
        the_only_row(),
        *own_columns(),
        *word_columns(),
        Column("kind", Word, nullable=False),
        Column("legal_character", Word, nullable=False),
        Column("entry_mode", Word, nullable=False),
        Column("source", Word, nullable=False),
        Column("disputed", Integer, nullable=False),
        Column("title_order", Word, nullable=False),
        Column("signed_earliest", Word, nullable=False),
        Column("signed_latest", Word, nullable=False),
        Column("position", BigInteger, nullable=False, index=True),
        Column("recorded_at", BigInteger, nullable=False, index=True),
        shown_column(),
        Index(None, "one_party", "other_party"),
        Index(None, "title_order", "agreement"),
        Index(None, "signed_earliest", "agreement"),
        Index(None, "signed_latest", "agreement"),
    ]


def _status() -> Sequence[SchemaItem]:
    return [
        *span_columns(),
        Column("status", Word, nullable=False),
        Column("label", Word, nullable=False),
        Column("since", Word),
        Column("certain", Boolean, nullable=False),
        Index(None, "status", "first", "last", "agreement"),
    ]


def _overdue() -> Sequence[SchemaItem]:
    return [*span_columns(), Index(None, "first", "last")]


def _spoken_words() -> Sequence[SchemaItem]:
    return [the_only_row(), *word_columns()]


def _mention() -> Sequence[SchemaItem]:
    return [
        Column("what", Word, nullable=False),
        Column("value", Word, nullable=False),
        Index(None, "what", "value", "agreement"),
    ]


def _rows(state: Agreement) -> Rows:
    own = own_values(state)
    signatures = _signatures(state)
    item = _item(state, own["visibility"], _signed(signatures))
    first_signed, last_signed = _days_of(signatures)
    return {
        "": [
            {
                **own,
                "id": state.recorded[state.founder].position,
                "words": kept_words((*_texts(state), *_gists(state, personal=False))),
                "kind": item.kind,
                "legal_character": item.legal_character,
                "entry_mode": item.entry_mode,
                "source": item.source,
                "disputed": len(item.disputed),
                "title_order": comparable(item.title or ""),
                "signed_earliest": first_signed,
                "signed_latest": last_signed,
                "position": state.position,
                "recorded_at": state.recorded_at,
                "shown": shown(item),
            }
        ],
        "status": [
            {
                "first": one.from_.isoformat() if one.from_ else FIRST_DAY,
                "last": one.until.isoformat() if one.until else LAST_DAY,
                "status": one.status,
                "label": one.status_label,
                "since": one.since.date if one.since else None,
                "certain": one.certain,
            }
            for one in timeline(state)
        ],
        "overdue": _overdue_days(list(follow_ups(state).values())),
        "spoken": _spoken(state),
        "mention": [{"what": what, "value": value} for what, value in mentions(state)],
    }


def _item(state: Agreement, visibility: str, signed: str | None) -> AgreementItem:
    groups = claimed(state)
    titles = {name[6:]: group.claims[0].value for name, group in groups.items() if name[:6] == "title."}
    says = {name: groups[name].shown.value if name in groups else word for name, word in UNCLAIMED.items()}
    registrations = [data for _, data in state.of(Registered)]
    founding = state.live[state.founder].data
    return AgreementItem(
        id=state.id,
        title=titles.get(LANGUAGE) or next(iter(titles.values()), None),
        titles=titles,
        parties=tuple(
            PartyNamed(id=party.id, kind=party.kind, name=party.name, country=party.country)
            for party in (founding.parties if isinstance(founding, Registered) else ())
        ),
        kind=says["kind"],
        legal_character=says["legal_character"],
        entry_mode=says["entry_mode"],
        signed=signed,
        subjects=tuple(sorted({one for data in registrations for one in data.subjects})),
        external_ids=tuple(sorted({one for data in registrations for one in data.external_ids})),
        disputed=tuple(name for name, group in groups.items() if group.differ and group.disputed),
        possible_duplicates=sum(1 for others in possible_duplicates(state).values() if others),
        visibility=visibility,
        source=state.founder[0],
        version=state.version,
        position=state.position,
        recorded_at=record_time(state.recorded_at),
    )


def _signatures(state: Agreement) -> list[Edtf]:
    return [one.claim.value for one in course(state).signatures.values()]


def _days_of(dates: list[Edtf]) -> tuple[str, str]:
    """Give the first and the last day that dates can mean, taken together."""
    return (min(map(earliest, dates)), max(map(latest, dates))) if dates else NO_DAYS


def _signed(dates: list[Edtf]) -> str | None:
    """Write the dates of signature as one: from the first day to the last if they differ."""
    texts = {when.text for when in dates}
    if len(texts) <= 1:
        return next(iter(texts), None)
    first, last = _days_of(dates)
    return f"{'..' if first == FIRST_DAY else first}/{'..' if last == LAST_DAY else last}"


def _texts(state: Agreement) -> Iterator[str]:
    """Yield what anybody finds an agreement by: its titles and its areas."""
    for name, group in claimed(state).items():
        if name.startswith("title."):
            for claim in group.claims:
                yield claim.value
    for _, area in state.of(CooperationAreaAdded):
        yield from area.label.values()


def _gists(state: Agreement, *, personal: bool) -> Iterator[str]:
    """Yield what was said and has not been erased: what a person said, which is personal, or all else."""
    for _, statement in state.of(StatementRecorded):
        by_person = statement.speaker is not None and statement.speaker.person is not None
        if by_person == personal and statement.gist != ERASED_TEXT:
            yield from statement.gist.values()


def _spoken(state: Agreement) -> list[dict[str, Any]]:
    """Give the row with all words of an agreement in which a person spoke: only some may search in it."""
    gists = tuple(_gists(state, personal=True))
    if not gists:
        return []
    words = kept_words((*_texts(state), *_gists(state, personal=False), *gists))
    return [{"id": state.recorded[state.founder].position, "words": words}]


def _overdue_days(given: list[FollowUp]) -> list[dict[str, Any]]:
    """Give the days on which at least one follow-up is overdue."""
    if not given:
        return []

    def row_on(day: date) -> dict[str, Any]:
        return {"overdue": any(one.overdue(day) for one in given)}

    return [
        {"first": row["first"], "last": row["last"]}
        for row in through_time(_turning_days(given), row_on)
        if row["overdue"]
    ]


def _turning_days(given: list[FollowUp]) -> Iterator[date]:
    for one in given:
        for plan in one.scheduled:
            yield day_after(last_day(plan.due))
        for step in (*one.progressed, *one.completed, *one.dropped):
            yield first_day(step.occurred)
            if step.new_due is not None:
                yield day_after(last_day(step.new_due))


AGREEMENTS = ReadModel(
    "agreements",
    VERSION,
    {"": _main, "status": _status, "overdue": _overdue, "spoken": _spoken_words, "mention": _mention},
    _rows,
)
