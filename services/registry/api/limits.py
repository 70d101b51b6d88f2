"""GET /limits: how much fits into one request, how often one may ask, and how long anything may take."""

from typing import Annotated, Any

import msgspec
from litestar import Response
from msgspec import Meta

from registry.config import Settings
from registry.domain.attributes import MAX_ID, MAX_SOURCE
from registry.domain.strict_json import MAX_DEPTH, MAX_INTEGER, MAX_VALUES
from registry.http.answer import JSON, Asked, digest, fresh_or_304
from registry.http.freshness import MAX_WAIT
from registry.http.parameters import (
    DEFAULT_LIMIT,
    MAX_HEADERS,
    MAX_LIMIT,
    MAX_PARAMETERS,
    MAX_QUERY,
    MAX_TARGET,
    query,
)
from registry.http.routing import Content, Operation, read


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What this registry takes. What has no default here is a setting, all else holds everywhere."""

    max_event_bytes: Annotated[int, Meta(description="Bytes of one event; in a batch as compact JSON")]
    max_batch_bytes: Annotated[int, Meta(description="Bytes of the body of a batch")]
    max_batch_events: Annotated[int, Meta(description="Events of a batch")]
    max_id_characters: Annotated[int, Meta(description="Characters of an event's `id`")] = MAX_ID
    max_source_characters: Annotated[int, Meta(description="Characters of a `source`")] = MAX_SOURCE
    max_json_depth: Annotated[int, Meta(description="Levels of arrays and objects in a body")] = MAX_DEPTH
    max_json_values: Annotated[
        int, Meta(description="Commas and opening brackets in a body, which bound its values")
    ] = MAX_VALUES
    max_integer: Annotated[int, Meta(description="Largest integer in JSON")] = MAX_INTEGER
    default_page_limit: Annotated[int, Meta(description="Items of a page that asks for no `limit`")] = (
        DEFAULT_LIMIT
    )
    max_page_limit: Annotated[int, Meta(description="Largest `limit` of a page")] = MAX_LIMIT
    max_wait_seconds: Annotated[int, Meta(description="Longest `Prefer: wait`, in seconds")] = MAX_WAIT
    max_target_bytes: Annotated[int, Meta(description="Bytes of a path with its query string")] = MAX_TARGET
    max_query_bytes: Annotated[int, Meta(description="Bytes of a query string")] = MAX_QUERY
    max_query_parameters: Annotated[int, Meta(description="Parameters of a query string")] = MAX_PARAMETERS
    max_headers: Annotated[int, Meta(description="Headers of a request")] = MAX_HEADERS
    max_head_bytes: Annotated[int, Meta(description="Bytes of the line and all headers of a request")]
    head_seconds: Annotated[int, Meta(description="Seconds to send the head of a request")]
    body_seconds: Annotated[int, Meta(description="Seconds to send a body, and one more for each 4 KiB")]
    stall_seconds: Annotated[
        int, Meta(description="Seconds after which a client that takes under 4 KiB/s of an answer is dropped")
    ]
    write_rate: Annotated[int, Meta(description="Writes a second of a key or token, per process; 0: any")]
    read_rate: Annotated[int, Meta(description="Reads a second of a key or token, per process; 0: any")]
    address_rate: Annotated[
        int,
        Meta(description="Reads a second, and writes, of an address that shows no key or token; 0: any"),
    ]
    burst_seconds: Annotated[int, Meta(description="For how many seconds of it a rate may be used at once")]
    failure_rate: Annotated[
        int, Meta(description="Keys and tokens that do not hold, a minute, of one address; 0: any")
    ]
    max_streams: Annotated[int, Meta(description="Live streams and whole lists sent at once, per process")]
    max_streams_each: Annotated[
        int, Meta(description="The same, for a key or token, or an address that shows none")
    ]
    stream_seconds: Annotated[
        int, Meta(description="Seconds after which a live stream ends; it is taken up with `Last-Event-ID`")
    ]
    max_connections: Annotated[int, Meta(description="Connections held at once, per process")]
    max_connections_each: Annotated[int, Meta(description="The same, of one address")]


@read("/limits", Operation(tag="Operations", answers={200: Content(JSON, Limits)}))
async def get_limits(request: Asked) -> Response[Any]:
    """Read the limits of this registry"""
    query(request)
    settings: Settings = request.app.state.settings
    set_here = {name: getattr(settings, name) for name in Limits.__struct_fields__ if hasattr(settings, name)}
    content = msgspec.json.encode(Limits(**set_here))
    return fresh_or_304(request, content, etag=digest(content))
