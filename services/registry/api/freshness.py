"""How far a read must have seen the log: ``min_position`` in the query, ``Prefer: wait=`` to wait for it."""

import asyncio
import re

from registry.api.answer import Asked
from registry.api.parameters import number
from registry.api.routing import Parameter
from registry.api.threads import in_thread
from registry.errors import Unavailable
from registry.store.reader import Reader

MIN_POSITION = Parameter(
    "min_position",
    "A position that the answer must have seen, such as that of a receipt. With the header `Prefer: wait=5` "
    "the answer waits for it up to so many seconds (30 at most); without it, or too late, it is a 503.",
    {"type": "integer", "minimum": 0},
)
MAX_WAIT = 30
"""Seconds."""
POLL = 0.05

_WAIT = re.compile(r"(?:^|[,;])[ \t]*wait[ \t]*=[ \t]*([0-9]{1,4})[ \t]*(?:$|[,;])", re.IGNORECASE)


async def reached(request: Asked, given: dict[str, str]) -> None:
    """Wait until the log has come to the position a request asks for, if it asks (RFC 7240 for ``wait``).

    Raises Unavailable when the log has not come that far in time.
    """
    wanted = number(given, "min_position")
    if wanted is None:
        return
    reader: Reader = request.app.state.reader
    prefer = _WAIT.search(request.headers.get("prefer", ""))
    loop = asyncio.get_running_loop()
    until = loop.time() + (min(int(prefer[1]), MAX_WAIT) if prefer else 0)
    while (size := (await in_thread(reader.head)).size) < wanted:
        if loop.time() >= until:
            raise Unavailable(f"the log has reached position {size}, not yet {wanted}")
        await asyncio.sleep(POLL)
