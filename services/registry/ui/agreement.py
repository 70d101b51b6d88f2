"""GET /a/{id}: one agreement on any day, as known at any time."""

import re
from datetime import date, timedelta
from typing import Any

import msgspec
from litestar import Response

from registry.access import Sight
from registry.domain.agreement import Agreement
from registry.domain.claims_view import ClaimsShown, claims_view
from registry.domain.compare import compare
from registry.domain.explain import Explanation, explain
from registry.domain.shown.behind import record_time
from registry.domain.timeline import Span, timeline
from registry.domain.view import AgreementView, view
from registry.http.answer import Asked
from registry.http.as_of import Known, agreement_id, read_as_of
from registry.http.disclosure import disclosed
from registry.http.freshness import LOG
from registry.http.parameters import day
from registry.http.principal import principal_of
from registry.http.threads import in_thread
from registry.store.reader import Reader
from registry.ui.changes import Difference, differences
from registry.ui.page import answer_page, asked_of, page
from registry.ui.svg.axes import Axes, axes

_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
"""What a browser's field for a time sends: without a zone, which here is UTC."""


MOST_MOMENTS = 12


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the page of an agreement tells."""

    one: AgreementView
    on: date
    today: date
    position: int
    """Up to which the log was read."""
    size: int
    """Where the log ends."""
    is_now: bool
    """Whether it is today, with all that is known."""
    past_knowledge: bool
    claims: tuple[ClaimsShown, ...]
    explanation: Explanation
    axes: Axes
    spans: tuple[Span, ...]
    since_then: tuple[Difference, ...]
    """What differs today."""
    before: int | None
    """The position of the event before the last that is known; None at the first."""
    after: int | None
    """The position of the first event that is not known; None when all are."""
    moments: tuple["Moment", ...]
    days: tuple[date, ...]
    """Days on which the status changes, and the day before each."""


class Moment(msgspec.Struct, frozen=True):
    """A point of knowledge worth a look: the end of what one source told in one go."""

    position: int
    recorded_at: str
    source: str


@page("/a/{id:str}", reads=(LOG,))
async def get_agreement_page(request: Asked) -> Response[Any]:
    """Show an agreement."""
    given = asked_of(request, "valid_as_of", "known_as_of")
    known_as_of = with_zone(given.get("known_as_of"))
    shown = await in_thread(
        read_shown,
        request.app.state.reader,
        agreement_id(request),
        day(given, "valid_as_of"),
        known_as_of,
        principal_of(request).sight,
    )
    await disclosed(request, agreement=shown.one.id)
    headers = {"Registry-Position": str(shown.position)}
    asked = {"valid_as_of": given.get("valid_as_of"), "known_as_of": known_as_of}
    return answer_page(request, "agreement.html", headers=headers, given=asked, **_fields(shown))


def with_zone(known_as_of: str | None) -> str | None:
    """Say that a time without a zone is in UTC, as RFC 3339 wants it; anything else stays as it is."""
    if known_as_of is None or not (found := _LOCAL.fullmatch(known_as_of)):
        return known_as_of
    return known_as_of + ("Z" if found[1] else ":00Z")


def read_shown(reader: Reader, id: str, on: date, known_as_of: str | None, sight: Sight) -> Shown:
    """Read what the page tells. Raises NotFound and BadParameter."""
    known = read_as_of(reader, id, known_as_of, sight)
    return show(known, on, day({}, "valid_as_of"), reader.position_for(sight, reader.head().size))


def show(known: Known, on: date, today: date, size: int) -> Shown:
    """Put together what the page tells of an agreement as it was known."""
    state, now = known.state, known.now
    past_knowledge = state.position < now.position
    one, latest = view(state, on), view(now, today)
    visible = msgspec.structs.replace(one, visibility=latest.visibility)
    drawn = axes(state, on)
    spans = timeline(state)
    return Shown(
        one=visible,
        on=on,
        today=today,
        position=known.position,
        size=size,
        is_now=on == today and not past_knowledge,
        past_knowledge=past_knowledge,
        claims=claims_view(state),
        explanation=explain(state, on),
        axes=drawn,
        spans=spans,
        since_then=differences(compare(visible, latest), visible, latest),
        before=_neighbour(now, state.position, earlier=True),
        after=_neighbour(now, state.position, earlier=False),
        moments=_moments(now),
        days=_days(spans),
    )


def _neighbour(now: Agreement, position: int, *, earlier: bool) -> int | None:
    positions = (event.position for event in now.recorded.values())
    if earlier:
        return max((one for one in positions if one < position), default=None)
    return min((one for one in positions if one > position), default=None)


def _moments(now: Agreement) -> tuple[Moment, ...]:
    """Find where what one source told in one minute ends; of many the last."""
    found: list[Moment] = []
    minute = ""
    for event in sorted(now.recorded.values(), key=lambda event: event.position):
        time = record_time(event.recorded_at)
        if found and (found[-1].source, minute) == (event.source, time[:16]):
            found.pop()
        minute = time[:16]
        found.append(Moment(event.position, time, event.source))
    return tuple(found[-MOST_MOMENTS:])


def _days(spans: tuple[Span, ...]) -> tuple[date, ...]:
    """Give the days around each change of status."""
    found: list[date] = []
    for span in spans:
        if span.from_ is not None:
            found += [span.from_ - timedelta(days=1), span.from_]
    return tuple(dict.fromkeys(found))


def _fields(shown: Shown) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in shown.__struct_fields__}
