"""GET /limits: how much fits into one request."""

from typing import Annotated, Any

import msgspec
from litestar import Response
from msgspec import Meta

from registry.config import Settings
from registry.domain.attributes import MAX_ID, MAX_SOURCE
from registry.domain.strict_json import MAX_DEPTH, MAX_INTEGER
from registry.http.answer import JSON, Asked, digest, fresh_or_304
from registry.http.freshness import MAX_WAIT
from registry.http.parameters import DEFAULT_LIMIT, MAX_LIMIT, query
from registry.http.routing import Content, Operation, read


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What this registry takes. The first three are settings, the others hold everywhere."""

    max_event_bytes: Annotated[int, Meta(description="Bytes of one event; in a batch as compact JSON")]
    max_batch_bytes: Annotated[int, Meta(description="Bytes of the body of a batch")]
    max_batch_events: Annotated[int, Meta(description="Events of a batch")]
    max_id_characters: Annotated[int, Meta(description="Characters of an event's `id`")] = MAX_ID
    max_source_characters: Annotated[int, Meta(description="Characters of a `source`")] = MAX_SOURCE
    max_json_depth: Annotated[int, Meta(description="Levels of arrays and objects in a body")] = MAX_DEPTH
    max_integer: Annotated[int, Meta(description="Largest integer in JSON")] = MAX_INTEGER
    default_page_limit: Annotated[int, Meta(description="Items of a page that asks for no `limit`")] = (
        DEFAULT_LIMIT
    )
    max_page_limit: Annotated[int, Meta(description="Largest `limit` of a page")] = MAX_LIMIT
    max_wait_seconds: Annotated[int, Meta(description="Longest `Prefer: wait`, in seconds")] = MAX_WAIT


@read("/limits", Operation(tag="Operations", answers={200: Content(JSON, Limits)}))
async def get_limits(request: Asked) -> Response[Any]:
    """Read the limits of this registry"""
    query(request)
    settings: Settings = request.app.state.settings
    content = msgspec.json.encode(
        Limits(
            max_event_bytes=settings.max_event_bytes,
            max_batch_bytes=settings.max_batch_bytes,
            max_batch_events=settings.max_batch_events,
        )
    )
    return fresh_or_304(request, content, etag=digest(content))
