"""Lists over HTTP: strict parameters, pages by cursor, and the whole of a list as CSV or NDJSON.

A list of ``projections`` (see ``projections/listing.py``) becomes a resource by

    @read("/visits", list_operation(VISITS, tag="Calendar"))
    async def get_visits(request: Asked) -> Response[Any]:
        \"\"\"List visits

        All that is planned or was held.
        \"\"\"
        return await answer_list(request, VISITS)

Every field of its filters is a query parameter; one that stands in the path instead is given to both, as
``list_operation(VISITS, ..., path={"agreement": ID})`` and ``answer_list(request, VISITS, agreement=id)``.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Response
from msgspec import Meta

from registry import __version__
from registry.api.csv import CSV, HEADED, header_row, rows
from registry.api.history import CURSOR, NEXT_LINK
from registry.http.accepted import best_form
from registry.http.answer import JSON, NDJSON, PRIVATE, Answer, Asked, digest, fresh_or_304, has
from registry.http.disclosure import ACCESS_REASON, disclosed, names_people
from registry.http.filters import filters_of, parameters_of
from registry.http.parameters import DEFAULT_LIMIT, MAX_LIMIT, BadParameter, limit, query
from registry.http.principal import principal_of
from registry.http.problems import NotAcceptable
from registry.http.routing import Content, Operation, Parameter
from registry.http.slots import streamed
from registry.projections.listing import ForeignCursor, Listing, Page, day_of, page, standing
from registry.projections.views import Views

F = TypeVar("F", bound=msgspec.Struct)
I = TypeVar("I", bound=msgspec.Struct)  # noqa: E741 - an item

STREAM_PAGE = 1000
"""Items read at a time for a stream: what bounds its memory."""

LIMIT = Parameter(
    "limit",
    "Most items of a page",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
FORMS = (JSON, CSV, NDJSON)
CONTROL = ("sort", "limit", "cursor")
"""Parameters that every list has beside its filters."""

_encoder = msgspec.json.Encoder(enc_hook=str)


class Wanted(msgspec.Struct, Generic[F, I], frozen=True):
    """What is asked of a list."""

    listing: Listing[F, I]
    filters: F
    sort: str


def list_operation(
    listing: Listing[F, I],
    *,
    tag: str,
    path: Mapping[str, Parameter] | None = None,
    problems: tuple[int, ...] = (),
) -> Operation:
    """Describe a list. ``path`` has the parameters of filters that stand in the path, by the filter's name."""
    path = path or {}
    sort = Parameter(
        "sort",
        "The order; `-` begins with the last. Rows that sort alike are in the order of their ids",
        {"type": "string", "enum": list(listing.sorts), "default": listing.default_sort},
    )
    return Operation(
        tag=tag,
        reads=listing.models,
        parameters=(
            *path.values(),
            *(one for one in parameters_of(listing.filters) if one.name not in path),
            sort,
            LIMIT,
            CURSOR,
            *((ACCESS_REASON,) if may_name_people(listing.item) else ()),
        ),
        answers={
            200: (
                Content(JSON, _page_schema(listing.name, listing.item)),
                Content(CSV, {"type": "string"}),
                Content(NDJSON, listing.item),
            )
        },
        headers={
            "Link": NEXT_LINK,
            "Registry-Position": "Everything up to this position of the log is in the answer",
        },
        problems=(400, 406, *problems),
    )


async def answer_list(request: Asked, listing: Listing[F, I], **path: Any) -> Response[Any]:
    """Answer with a page of a list, or with all of it, as ``Accept`` asks; ``path`` has filters of the path."""
    names = [name for name in listing.filters.__struct_fields__ if name not in path]
    given = _given(request, *names)
    form = best_form(request, FORMS)
    if form is None:
        raise NotAcceptable(f"lists are given as {JSON} (a page), and as {CSV} and {NDJSON} (all of it)")
    wanted = Wanted(listing, filters_of(listing.filters, given, path), _sort(listing, given))
    size = limit(given)
    if form != JSON and (paging := given.keys() & {"limit", "cursor"}):
        raise BadParameter(min(paging), f"is for pages of {JSON}; {form} is the whole list")
    if form != JSON:
        return await _all(request, wanted, form)
    answer = _answer_page(request, given, await _page(request, wanted, given.get("cursor"), size))
    if names_people(answer.content):
        await disclosed(request)
    return answer


def _given(request: Asked, *names: str) -> dict[str, str]:
    """Read the query. Raises BadParameter, with the reason when somebody asks what was known on a day."""
    given = query(request, *names, *CONTROL, "known_as_of")
    if "known_as_of" in given:
        raise BadParameter(
            "known_as_of", "is for one agreement; a list tells what is known now, on any day (`valid_as_of`)"
        )
    return given


def _sort(listing: Listing[F, I], given: Mapping[str, str]) -> str:
    sort = given.get("sort", listing.default_sort)
    if sort not in listing.sorts:
        raise BadParameter("sort", f"is none of {', '.join(listing.sorts)}")
    return sort


async def _page(request: Asked, wanted: Wanted[F, I], cursor: str | None, size: int) -> Page[I]:
    views: Views = request.app.state.views
    try:
        return await views.read(
            page,
            wanted.listing,
            wanted.filters,
            sight=principal_of(request).sight,
            sort=wanted.sort,
            cursor=cursor,
            limit=size,
        )
    except ForeignCursor:
        raise BadParameter("cursor", "is none that this list gave out for these filters and order") from None


def _answer_page(request: Asked, given: Mapping[str, str], found: Page[Any]) -> Answer:
    headers = {"Registry-Position": str(found.position), "Vary": "Accept"}
    if found.next is not None:
        link = urlencode({**given, "cursor": found.next})
        headers["Link"] = f'<{request.scope["path"]}?{link}>; rel="next"'
    shown = {"items": found.items, "next": found.next}
    content = _encoder.encode(shown if found.next else {"items": found.items})
    return fresh_or_304(request, content, etag=digest(content), headers=headers)


async def _all(request: Asked, wanted: Wanted[F, I], form: str) -> Response[Any]:
    """Stream a whole list. Its first page is read before the answer begins, so that it can still be a problem.

    Its ETag names what it is made of, as its bytes are not known before they have been sent. What changes meanwhile
    may be in them; the ETag is then no longer that of the list.
    """
    listing = wanted.listing
    if "valid_as_of" in listing.filters.__struct_fields__:  # one day for all pages, also across midnight
        on = day_of(wanted.filters)
        wanted = Wanted(listing, msgspec.structs.replace(wanted.filters, valid_as_of=on), wanted.sort)
    views: Views = request.app.state.views
    sight = principal_of(request).sight
    now = await views.read(standing, listing, sight=sight)
    asked = _encoder.encode([form, __version__, wanted.filters, day_of(wanted.filters), wanted.sort, sight])
    etag = digest(now.made_of, asked)
    headers = {"Registry-Position": str(now.position), "Vary": "Accept"}
    if form == CSV:
        headers["Content-Disposition"] = f'attachment; filename="{listing.name}.csv"'
    if has(request, etag):
        return fresh_or_304(request, b"", etag=etag, headers=headers)
    first = await _page(request, wanted, None, STREAM_PAGE)
    if may_name_people(listing.item):
        await disclosed(request)
    headers |= {"ETag": f'"{etag}"', "Cache-Control": PRIVATE}
    if form == NDJSON:
        chunks = _chunks(request, wanted, first, _encoder.encode_lines)
        return streamed(request, chunks, media_type=NDJSON, headers=headers)
    chunks = _chunks(request, wanted, first, rows, head=header_row(listing.item))
    return streamed(request, chunks, media_type=f"{HEADED}; charset=utf-8", headers=headers)


async def _chunks(
    request: Asked,
    wanted: Wanted[F, I],
    found: Page[I],
    write: Callable[[tuple[I, ...]], bytes],
    head: bytes = b"",
) -> AsyncGenerator[bytes, None]:
    """Yield a list page by page, each read in a transaction of its own."""
    yield head + write(found.items)
    while found.next is not None:
        found = await _page(request, wanted, found.next, STREAM_PAGE)
        yield write(found.items)


@lru_cache
def may_name_people(item: type[msgspec.Struct]) -> bool:
    """Tell whether items of a list can have to do with a person."""
    return names_people(msgspec.json.encode(msgspec.json.schema(item, schema_hook=lambda _: {})))


@lru_cache
def _page_schema(name: str, item: type[I]) -> type[msgspec.Struct]:
    """Make the type of a page, for the description of the API."""
    items = Annotated[tuple[item, ...], Meta(description="In the order asked for")]  # type: ignore[valid-type]
    cursor = Annotated[str, Meta(description="The cursor of the next page; absent on the last")]
    title = "".join(word.capitalize() for word in name.replace("_", "-").split("-"))
    return msgspec.defstruct(
        f"{title}Page", [("items", items), ("next", cursor | msgspec.UnsetType, msgspec.UNSET)], frozen=True
    )
