"""GET /events/{position}/entry: the bytes of an event that the log is made of, and what opens them."""

from base64 import b64encode
from typing import Annotated, Any

import msgspec
from litestar import Response
from msgspec import Meta

from registry.api.events import POSITION, event_position
from registry.errors import NotFound
from registry.http.answer import JSON, Asked, digest, fresh_or_304
from registry.http.disclosure import ACCESS_REASON, disclosed
from registry.http.freshness import LOG
from registry.http.parameters import query
from registry.http.principal import principal_of
from registry.http.routing import Content, Operation, read
from registry.http.threads import in_thread
from registry.store.head import Head, read_head
from registry.store.openings import Opened, read_opened

Base64 = Annotated[str, Meta(description="Bytes in base64 (RFC 4648 section 4)")]


class OpenPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an event that is shown, and the salt that ties it to its commitment."""

    no: Annotated[int, Meta(description="Its number; 0 is what is not personal")]
    salt: Base64
    data: Base64


class EventEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the log holds it: hash the entry, open the commitments, then ask for a proof."""

    position: Annotated[int, Meta(description="The position of the event; its leaf index is one less")]
    entry: Annotated[Base64, Meta(description="The exact bytes hashed into the leaf, in base64")]
    leaf_hash: Annotated[str, Meta(description="SHA-256 of a zero byte and the entry, in hexadecimal digits")]
    parts: Annotated[list[OpenPart], Meta(description="The parts that are open to whoever asks")]
    withheld: Annotated[
        list[int], Meta(description="Numbers of parts that are kept and not shown: personal values")
    ]


@read(
    "/events/{position:str}/entry",
    Operation(
        tag="Events",
        reads=(LOG,),
        parameters=(POSITION, ACCESS_REASON),
        answers={200: Content(JSON, EventEntry)},
        problems=(400, 404),
    ),
)
async def get_entry(request: Asked) -> Response[Any]:
    """Read the entry of one event

    The bytes that the leaf is the hash of, and for each part that is open its salt and its data, so that the
    commitments in the entry can be recomputed. A part that is neither open nor withheld has been erased; the
    agreement has an event that says so.
    """
    query(request)
    position = event_position(request)
    head: Head = await request.app.state.views.read(read_head)
    sight = principal_of(request).sight
    found: Opened | None = await request.app.state.views.read(read_opened, position)
    hidden = () if found is None or sight.restricted else (found.stream,)
    if found is None or await in_thread(request.app.state.reader.restricted_among, hidden):
        raise NotFound(f"there is no event at position {position}")
    open_to_asker = [part for part in found.parts if part.number == 0 or sight.parts]
    shown = EventEntry(
        position=position,
        entry=b64encode(found.entry).decode(),
        leaf_hash=found.leaf_hash.hex(),
        parts=[
            OpenPart(no=part.number, salt=b64encode(part.salt).decode(), data=b64encode(part.data).decode())
            for part in open_to_asker
        ],
        withheld=[part.number for part in found.parts if part not in open_to_asker],
    )
    if len(open_to_asker) > 1:
        await disclosed(request, position=position)
    content = msgspec.json.encode(shown)
    end = await in_thread(request.app.state.reader.position_for, sight, head.size)
    headers = {"Registry-Position": str(max(end, position))}
    return fresh_or_304(request, content, etag=digest(content), headers=headers)
