"""Follow-ups: what is to be done by when in all agreements, as it stood on any day."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Column, Index, Row, Select, and_, not_, select
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement
from registry.domain.dates import first_day
from registry.domain.events import FollowUpScheduled
from registry.domain.follow_ups import FollowUp, follow_ups
from registry.domain.merges import dropped_ids, kept_id
from registry.domain.values import AgreementId, Identifier, T
from registry.projections.columns import (
    AgreementRef,
    earliest,
    latest,
    of_party,
    own_columns,
    own_values,
    shown,
    shown_column,
    span_columns,
    through_time,
)
from registry.projections.listing import LAST_DAY, Listing, Source, holds_on, visible
from registry.projections.model import ReadModel, Rows, Word

VERSION = 1

State = Literal["open", "completed", "dropped"]


class FollowUpFilters(msgspec.Struct, frozen=True, kw_only=True):
    agreement: Annotated[AgreementId, Meta(description="The id of the agreement")] | None = None
    party: Annotated[Identifier, Meta(description="The id of a party of the agreement")] | None = None
    owner: Annotated[Identifier, Meta(description="The id of the party that is to do it")] | None = None
    state: (
        Annotated[tuple[State, ...], Meta(description="What became of it by the day `valid_as_of`")] | None
    ) = None
    overdue: (
        Annotated[
            bool,
            Meta(description="Whether it is open on the day `valid_as_of` and its last day is over by then"),
        ]
        | None
    ) = None
    due_before: Annotated[date, Meta(description="Only what is certainly due before this day")] | None = None
    valid_as_of: (
        Annotated[date, Meta(description="The day on which it is open or overdue; today in UTC by default")]
        | None
    ) = None


class FollowUpItem(msgspec.Struct, frozen=True, kw_only=True):
    """A follow-up of an agreement, on the day asked for."""

    agreement: AgreementRef
    follow_up_id: Annotated[str, Meta(description="Its id in the agreement")]
    merged_ids: Annotated[tuple[str, ...], Meta(description="The ids that were merged into this one")]
    text: Annotated[T | None, Meta(description="What is to be done; null if nothing introduces it")]
    commitment_id: Annotated[str | None, Meta(description="The commitment that it serves")]
    owner: Annotated[str | None, Meta(description="The party that is to do it")]
    state: Annotated[str, Meta(description="`open`, `completed` or `dropped`")]
    overdue: Annotated[bool, Meta(description="Whether it is open and its last day is over")] = False
    due: Annotated[
        str | None, Meta(description="By when, as it stood on the day; EDTF, null if nothing says")
    ]
    due_earliest: Annotated[str | None, Meta(description="The first day this can mean; null if that is open")]
    due_latest: Annotated[str | None, Meta(description="The last day this can mean; null if that is open")]
    last_step: Annotated[str | None, Meta(description="When something was done about it last; EDTF")]
    sources: Annotated[int, Meta(description="How many sources tell of it")]


def _main() -> Sequence[SchemaItem]:
    return [
        *own_columns(),
        *span_columns(),
        Column("follow_up_id", Word, nullable=False),
        Column("owner", Word),
        Column("state", Word, nullable=False),
        Column("due", Word, nullable=False),
        Column("due_earliest", Word, nullable=False),
        Column("due_latest", Word, nullable=False),
        shown_column(),
        Index(None, "due", "agreement", "follow_up_id"),
    ]


def _rows(state: Agreement) -> Rows:
    own = own_values(state)
    main: list[dict[str, Any]] = []
    for one in follow_ups(state).values():
        fixed = _fixed(state, one)
        turning = (first_day(step.occurred) for step in (*one.progressed, *one.completed, *one.dropped))
        main += ({**own, **row} for row in through_time(turning, partial(_row, one, fixed)))
    return {"": main}


def _fixed(state: Agreement, one: FollowUp) -> FollowUpItem:
    """Make the item, but for what depends on the day."""
    plan = one.scheduled[0].live.data if one.scheduled else None
    text = commitment = owner = None
    if isinstance(plan, FollowUpScheduled):
        text, owner = plan.text, plan.owner
        if plan.commitment_id is not None:
            commitment = kept_id(state, "commitment", plan.commitment_id)
    said = [plan.live for plan in one.scheduled]
    said += [step.live for step in (*one.progressed, *one.completed, *one.dropped)]
    return FollowUpItem(
        agreement=state.id,
        follow_up_id=one.id,
        merged_ids=dropped_ids(state, "follow-up", one.id),
        text=text,
        commitment_id=commitment,
        owner=owner,
        state="",
        due=None,
        due_earliest=None,
        due_latest=None,
        last_step=None,
        sources=len({live.source for live in said}),
    )


def _row(one: FollowUp, fixed: FollowUpItem, on: date) -> dict[str, Any]:
    due = one.due(on)
    steps = (*one.progressed, *one.completed, *one.dropped)
    done = [step.occurred for step in steps if first_day(step.occurred) <= on]
    last_step = max(done, key=lambda when: (first_day(when), when.text), default=None)
    item = msgspec.structs.replace(
        fixed,
        state=one.state(on),
        due=str(due) if due else None,
        due_earliest=due.earliest.isoformat() if due and due.earliest else None,
        due_latest=due.latest.isoformat() if due and due.latest else None,
        last_step=str(last_step) if last_step else None,
    )
    return {
        "follow_up_id": one.id,
        "owner": item.owner,
        "state": item.state,
        "due": first_day(due).isoformat() if due else LAST_DAY,
        "due_earliest": earliest(due),
        "due_latest": latest(due),
        "shown": shown(item),
    }


def _query(source: Source, filters: FollowUpFilters) -> Select[Any]:
    main = source.tables(FOLLOW_UPS)[""]
    overdue = and_(main.c.state == "open", main.c.due_latest < source.on)
    query = select(main.c.due, main.c.agreement, main.c.follow_up_id, main.c.shown)
    query = query.add_columns(overdue.label("overdue")).where(
        visible(source.sight, main), holds_on(main, source.on)
    )
    if filters.state is not None:
        query = query.where(main.c.state.in_(filters.state))
    for name in ("agreement", "owner"):
        if (value := getattr(filters, name)) is not None:
            query = query.where(main.c[name] == value)
    if filters.party is not None:
        query = query.where(of_party(main, filters.party))
    if filters.overdue is not None:
        query = query.where(overdue if filters.overdue else not_(overdue))
    if filters.due_before is not None:
        query = query.where(main.c.due_latest < filters.due_before.isoformat())
    return query


_decode = msgspec.json.Decoder(FollowUpItem).decode


def _make(row: Row[Any]) -> FollowUpItem:
    return msgspec.structs.replace(_decode(row.shown), overdue=bool(row.overdue))


FOLLOW_UPS = ReadModel("follow_ups", VERSION, {"": _main}, _rows)

LIST = Listing(
    name="follow-ups",
    models=(FOLLOW_UPS,),
    filters=FollowUpFilters,
    item=FollowUpItem,
    query=_query,
    make=_make,
    sorts={"due": "due", "-due": "due"},
    key=("agreement", "follow_up_id"),
)
