"""GET /: the board, which tells what is in effect, due, disputed and new; for programs, where everything is."""

from collections.abc import Awaitable, Callable, Hashable
from datetime import date
from functools import partial
from typing import Any

import msgspec
from litestar import Response

from registry.access import AGREEMENTS_READ, Sight
from registry.domain.envelope import Recorded
from registry.domain.sentences import sentence
from registry.domain.shown.behind import record_time
from registry.domain.wording import title_of
from registry.http.answer import JSON, Asked, digest, fresh_or_304
from registry.http.parameters import day, query
from registry.http.principal import require
from registry.http.routing import HTML_PAGE, Content, Operation
from registry.http.threads import in_thread
from registry.projections import activity, agreement_list, follow_ups, listing
from registry.projections.activity import ACTIVITY, StatsFilters
from registry.projections.agreement_list import AgreementFilters
from registry.projections.agreements import AGREEMENTS, AgreementItem
from registry.projections.follow_ups import FOLLOW_UPS, FollowUpFilters
from registry.projections.views import Views
from registry.store.reader import Reader
from registry.ui.accepted import prefers_json
from registry.ui.page import VARIES, answer_page, asked_of, page
from registry.ui.svg.columns import columns
from registry.ui.svg.stacked import Stacked, stacked

MOST = 6
"""Most lines of one section of the board."""
MOST_NEWS = 8
MOST_DRAWN = 32
"""Drawings that are kept: of some days and readers."""

LINKS = (
    ("/docs", "How to post events and to read agreements"),
    ("/openapi.json", "The same for programs (OpenAPI 3.1)"),
    ("/asyncapi.json", "The streams of events for programs (AsyncAPI 3)"),
    ("/agreements", "Every agreement, with what is true of it on a day"),
    ("/events", "Every event, in the order in which it was recorded"),
    ("/log", "Where the log ends, and the root hash over all of it"),
    ("/limits", "How much fits into one request"),
    ("/problems", "What an error means, and what to do"),
    ("/readyz", "Whether the registry can do its work"),
)


class Link(msgspec.Struct, frozen=True):
    href: str
    title: str


class Index(msgspec.Struct, frozen=True):
    """Where everything is."""

    title: str
    links: tuple[Link, ...]


INDEX = msgspec.json.encode(Index("Agreement Registry", tuple(Link(*link) for link in LINKS)))


class News(msgspec.Struct, frozen=True):
    """An event that came in, and the agreement that it is about."""

    position: int
    recorded_at: str
    agreement: str
    title: str
    source: str
    says: str


@page(
    "/",
    reads=(AGREEMENTS, FOLLOW_UPS, ACTIVITY),
    operation=Operation(
        tag="Operations",
        reads=(AGREEMENTS, FOLLOW_UPS, ACTIVITY),
        answers={200: (HTML_PAGE, Content(JSON, Index))},
    ),
)
async def get_board(request: Asked) -> Response[Any]:
    """Start here

    The board as a page; for programs that ask for JSON, links to everything.
    """
    if prefers_json(request.headers.get("accept", "")):
        query(request)
        return fresh_or_304(request, INDEX, etag=digest(INDEX), headers={"Vary": "Accept"})
    sight = require(request, AGREEMENTS_READ).sight
    given = asked_of(request, "valid_as_of")
    on = day(given, "valid_as_of")
    views: Views = request.app.state.views
    reader: Reader = request.app.state.reader

    async def some(**narrowed: Any) -> listing.Page[AgreementItem]:
        filters = AgreementFilters(valid_as_of=on, **narrowed)
        return await views.read(
            partial(listing.page, sight=sight, sort="-updated", limit=MOST), agreement_list.LIST, filters
        )

    stats, position = await views.read(activity.stats, StatsFilters(valid_as_of=on), sight=sight)
    due = await views.read(
        partial(listing.page, sight=sight, limit=MOST),
        follow_ups.LIST,
        FollowUpFilters(valid_as_of=on, state=("open",)),
    )
    statuses = await drawn(
        request, (position, sight, on, stats.totals), partial(through_time, views, sight, on)
    )
    newest = await views.read(
        partial(listing.page, sight=sight, sort="-updated", limit=MOST_NEWS), agreement_list.LIST
    )
    running = await some(status=("in-force", "provisional"))
    return answer_page(
        request,
        "board.html",
        headers={"Registry-Position": str(position), "Vary": f"Accept, {VARIES}"},
        on=on,
        today=day({}, "valid_as_of"),
        asked_on="valid_as_of" in given,
        stats=stats,
        running=running,
        due=due,
        disputed=await some(disputed=True),
        news=await in_thread(news, reader, newest.items),
        activity=columns(stats.recorded, stats.happened, day({}, "valid_as_of").isoformat()[:7]),
        statuses=statuses,
    )


async def through_time(views: Views, sight: Sight, on: date) -> Stacked:
    """Draw how many agreements were in which status on which day."""
    turns = await views.read(activity.status_through_time, sight=sight)
    return await in_thread(stacked, turns, on)


async def drawn(request: Asked, key: Hashable, draw: Callable[[], Awaitable[Stacked]]) -> Stacked:
    """Give what was drawn for the same position, reader and day, or draw it: it looks at every agreement.

    The totals are in the key because agreements that become restricted leave no position that can be seen.
    """
    kept: dict[Hashable, Stacked] = request.app.state.drawings
    if key not in kept:
        found = await draw()
        if len(kept) >= MOST_DRAWN:
            kept.clear()
        kept[key] = found
    return kept[key]


def news(reader: Reader, newest: tuple[AgreementItem, ...]) -> list[News]:
    """Find the newest events: they are all of the agreements that changed last."""
    states = reader.agreements({item.id: item.position for item in newest})
    titles = {id: title_of(state) for id, state in states.items()}
    every: list[Recorded] = [event for state in states.values() for event in state.recorded.values()]
    last = sorted(every, key=lambda event: event.position, reverse=True)[:MOST_NEWS]
    return [
        News(
            event.position,
            record_time(event.recorded_at),
            event.subject,
            titles[event.subject],
            event.source,
            sentence(event),
        )
        for event in last
    ]
