"""The description of the streams: AsyncAPI 3, for who listens to GET /events or reads all of it in lines."""

from functools import cache
from typing import Any

import msgspec
from litestar import Response

from registry import __version__
from registry.api import components
from registry.api.events import get_events
from registry.api.example_events import RECEIPT, posted_example
from registry.api.live import EVENT_STREAM
from registry.api.operations import LICENSE, describe_parameter
from registry.domain.cloudevents import outgoing
from registry.domain.codec import Joined
from registry.domain.events import EVENT_TYPES, Event
from registry.http.answer import CLOUDEVENT, JSON, NDJSON, Asked, digest, fresh_or_304
from registry.http.parameters import query
from registry.http.routing import MIN_POSITION, OPERATION, Content, Operation, read

Schema = dict[str, Any]

ABOUT = (
    "What has been recorded, event by event, in the order of its positions. It is described from the side of who "
    "reads: every operation is a `receive`. Nothing is lost between two connections, and each event may be told from "
    "every other by its position, so that to read again from an earlier one is always safe."
)
CHANNELS = {
    "live": (
        EVENT_STREAM,
        "Events as they are recorded",
        (
            f"With `Accept: {EVENT_STREAM}`: what is recorded from now on, or behind the position in "
            "`Last-Event-ID` or `after`. Of each event of the stream `id` is the position, `event` the type and "
            "`data` the message. A comment "
            "comes after 15 seconds of silence. When the service stops, the stream ends; connect again."
        ),
    ),
    "history": (
        NDJSON,
        "All events so far",
        (
            f"With `Accept: {NDJSON}`: everything that is recorded, or what is behind `after`, one message a "
            "line. It ends at the position in the header `Registry-Position`."
        ),
    ),
}
ONLY_LIVE = {"party"}
ONLY_PAGES = {"limit", "cursor"}


@read(
    "/asyncapi.json",
    Operation(tag="Operations", answers={200: Content(JSON, {"type": "object"})}),
    same_for_all=True,
)
async def get_asyncapi(request: Asked) -> Response[Any]:
    """Read the description of the streams

    AsyncAPI 3, in JSON.
    """
    query(request)
    content = _encoded()
    return fresh_or_304(request, content, etag=digest(content))


@cache
def _encoded() -> bytes:
    return msgspec.json.encode(document())


def document() -> dict[str, Any]:
    """Describe both streams of events, with a message for every event type."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Agreement Registry: streams of events",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": LICENSE["name"], "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CLOUDEVENT,
        "servers": {
            "registry": {
                "host": "{host}",
                "protocol": "http",
                "description": "The registry, behind TLS wherever it is not on the same machine",
                "variables": {"host": {"default": "127.0.0.1:8000", "description": "Host and port"}},
            }
        },
        "channels": {name: _channel(name) for name in CHANNELS},
        "operations": {f"receive-{name}": _operation(name) for name in CHANNELS},
        "components": {
            "messages": {name: _message(cls) for name, cls in EVENT_TYPES.items()},
            "schemas": _schemas(),
        },
    }


def _channel(name: str) -> Schema:
    media_type, title, description = CHANNELS[name]
    return {
        "address": "/events",
        "title": title,
        "description": description,
        "servers": [{"$ref": "#/servers/registry"}],
        "messages": {type_: {"$ref": f"#/components/messages/{type_}"} for type_ in EVENT_TYPES},
        "tags": [{"name": media_type}],
    }


def _operation(name: str) -> Schema:
    _, title, _ = CHANNELS[name]
    channel = f"#/channels/{name}"
    return {
        "action": "receive",
        "channel": {"$ref": channel},
        "title": title,
        "messages": [{"$ref": f"{channel}/messages/{type_}"} for type_ in EVENT_TYPES],
        "bindings": {"http": {"method": "GET", "query": _query(name), "bindingVersion": "0.3.0"}},
    }


def _query(name: str) -> Schema:
    """Describe which parameters a stream takes: those of GET /events that are not about pages."""
    operation: Operation = get_events.opt[OPERATION]
    others = ONLY_PAGES if name == "live" else ONLY_PAGES | ONLY_LIVE
    properties = {}
    for parameter in (*operation.parameters, MIN_POSITION):
        if parameter.where == "query" and parameter.name not in others:
            described = describe_parameter(parameter)
            properties[parameter.name] = {"description": described["description"], **described["schema"]}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _message(cls: type[Event]) -> Schema:
    return {
        "name": cls.type,
        "title": cls.short_name,
        "contentType": CLOUDEVENT,
        "payload": {"$ref": f"{components.PREFIX}recorded.{cls.type}"},
        "examples": [{"name": cls.short_name, "payload": recorded_example(cls)}],
    }


def _schemas() -> dict[str, Schema]:
    every = components.of_events()
    data = {name: schema for name, schema in every.items() if name in EVENT_TYPES or name.startswith("data.")}
    recorded = components.of_recorded_events()
    del recorded["RecordedEvent"]  # here every message has the schema of its type
    return dict(sorted((data | recorded).items()))


def recorded_example(cls: type[Event]) -> dict[str, Any]:
    """Give an event of one type as it is given back."""
    event = posted_example(cls)
    written = outgoing(
        source=event["source"],
        id=event["id"],
        type=event["type"],
        subject=event["subject"],
        position=RECEIPT["position"],
        version=RECEIPT["version"],
        recorded_time=RECEIPT["recorded_at"],
        leaf_hash=bytes.fromhex(RECEIPT["leaf_hash"]),
        joined=Joined(attrs={}, body=event["data"], principal="", erased=(), pointers_erased=()),
    )
    recorded: dict[str, Any] = msgspec.json.decode(written)
    return recorded
