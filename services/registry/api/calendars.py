"""Calendars to subscribe to: of one agreement, of the agreements of a party, and of all."""

import re
from datetime import date
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Response

from registry import __version__
from registry.domain.calendar import Item, items
from registry.domain.values import ID_PATTERN
from registry.domain.wording import title_of
from registry.errors import NotFound
from registry.http.answer import Asked, digest, fresh_or_304, has
from registry.http.as_of import ID, agreement_id, read_as_of
from registry.http.freshness import LOG
from registry.http.parameters import day, query
from registry.http.principal import principal_of
from registry.http.routing import Content, Operation, Parameter, read
from registry.http.threads import in_thread
from registry.projections.agreements import AGREEMENTS
from registry.projections.calendar import CALENDAR, Found, find_items
from registry.projections.views import Views
from registry.store.reader import Reader

MEDIA_TYPE = "text/calendar; charset=utf-8"
WRITER = f"icalendar {version('icalendar')}"
"""What writes the bytes; another version may write others."""
MOST_ITEMS = 2000
"""Items of a calendar of several agreements."""

PARTY = Parameter(
    "id",
    "The id of the party",
    {"type": "string", "pattern": ID_PATTERN},
    required=True,
    where="path",
    example="pak",
)
DAYS = (
    Parameter("from", "Only what may be on this day or a later one", {"type": "string", "format": "date"}),
    Parameter("to", "Only what may be on this day or an earlier one", {"type": "string", "format": "date"}),
)
MODELS = (CALENDAR, AGREEMENTS)
FORM = Content("text/calendar", {"type": "string"})
OPERATION: dict[str, Any] = {"tag": "Agreements", "answers": {200: FORM}}

_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Item).decode


@read(
    "/agreements/{id:str}/calendar.ics",
    Operation(reads=(LOG,), parameters=(ID,), problems=(404,), **OPERATION),
)
async def get_agreement_calendar(request: Asked) -> Response[Any]:
    """Read the calendar of an agreement

    To be subscribed to, as iCalendar. Engagements are events, also those that are cancelled, which say so;
    follow-ups are events and to-dos. All are whole days. An imprecise date is shown on all days that it may mean,
    if they are 31 at most; what is less precise, or has no date, is left out. `SEQUENCE` grows with each change.
    """
    query(request)
    reader: Reader = request.app.state.reader
    known = await in_thread(read_as_of, reader, agreement_id(request), None, principal_of(request).sight)
    shown = tuple(_encode(item).decode() for item in items(known.state))
    return await _answer(request, title_of(known.state), Found(shown, known.position))


@read(
    "/parties/{id:str}/calendar.ics",
    Operation(reads=MODELS, parameters=(PARTY, *DAYS), problems=(400, 404), **OPERATION),
)
async def get_party_calendar(request: Asked) -> Response[Any]:
    """Read the calendar of the agreements of a party

    As that of one agreement. Of more than 2,000 items it has those that end last.
    """
    party = party_id(request)
    return await _answer(request, f"Agreements of {party}", await _find(request, party))


@read("/calendar.ics", Operation(reads=MODELS, parameters=DAYS, problems=(400,), **OPERATION))
async def get_calendar(request: Asked) -> Response[Any]:
    """Read the calendar of all agreements

    As that of one agreement. Of more than 2,000 items it has those that end last.
    """
    return await _answer(request, "Agreements", await _find(request, None))


def party_id(request: Asked) -> str:
    """Take the id of a party out of the path. What can be none is not looked for. Raises NotFound."""
    id: str = request.path_params["id"]
    if not re.match(ID_PATTERN, id):
        raise NotFound("there is no such party: this is no id of one")
    return id


async def _find(request: Asked, party: str | None) -> Found:
    given = query(request, "from", "to")
    start, end = _day(given, "from"), _day(given, "to")
    views: Views = request.app.state.views
    sight = principal_of(request).sight
    return await views.read(find_items, party=party, start=start, end=end, most=MOST_ITEMS, sight=sight)


def _day(given: dict[str, str], name: str) -> date | None:
    return day(given, name) if name in given else None


async def _answer(request: Asked, name: str, found: Found) -> Response[Any]:
    """Answer with a calendar, which is written only if the client does not have it."""
    reader: Reader = request.app.state.reader
    origin, site = (await in_thread(reader.head)).origin, _site(request)
    made_of = (name, origin, site, WRITER, __version__, *found.items)
    etag = digest(*(piece.encode() for piece in made_of))
    content = b"" if has(request, etag) else await in_thread(_write, name, found, origin, site)
    headers = {"Registry-Position": str(found.position)}
    return fresh_or_304(request, content, etag=etag, media_type=MEDIA_TYPE, headers=headers)


def _write(name: str, found: Found, origin: str, site: str) -> bytes:
    from registry.api.ical import write_calendar  # its library is loaded, in a thread, by the first calendar

    return write_calendar(name, map(_decode, found.items), origin=origin, site=site)


def _site(request: Asked) -> str:
    """Give the URL that the client knows the service by; empty when it does not tell one."""
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host}" if _HOST.fullmatch(host) else ""
