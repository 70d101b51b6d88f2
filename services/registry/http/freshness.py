"""How far a read must have seen the log: ``min_position`` in the query, ``Prefer: wait=`` to wait for it.

Each route says what it reads; the waiting is done here, before any handler.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Literal

from registry.access import EVERYTHING, Sight
from registry.audit.checkpoints import signed_size
from registry.errors import RegistryError, Unavailable
from registry.http.access import OPEN_TO_ALL
from registry.http.answer import PREFERENCE_APPLIED, Asked
from registry.http.parameters import MIN_POSITION, READS, number, pairs
from registry.http.principal import NEEDS, principal_of
from registry.http.threads import in_thread
from registry.projections.model import ReadModel
from registry.projections.views import Views, tracked
from registry.store.reader import Reader

LOG: Literal["log"] = "log"
"""What reads of the log and of one agreement read: everything that is committed."""

CHECKPOINT: Literal["checkpoint"] = "checkpoint"
"""What reads of the last signed checkpoint read: everything that is under it, up to a second less than the log."""

Source = Literal["log", "checkpoint"] | ReadModel
"""What a route reads: the log, its last checkpoint, or a read model; the latter two follow it."""

MAX_WAIT = 30
"""Seconds that a client may ask to wait."""
LOG_POLL = 0.5
"""Seconds after which the log is looked at again without being told to."""
MODEL_POLL = 0.02, 0.25
"""The first and the longest pause between two looks at what follows the log, in seconds."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_SECONDS = re.compile(r"[0-9]{1,9}")


class Behind(RegistryError):
    """What is asked has not come to the position that the request wants to be seen."""

    def __init__(self, what: str, position: int, wanted: int) -> None:
        super().__init__(f"{what} has reached position {position}, not yet {wanted}")
        self.what = what
        self.position = position


async def seen(request: Asked) -> None:
    """Wait until what a route reads has come to the position that a request asks for, if it asks.

    The preference is noted for the answer (RFC 7240 section 3). Raises Behind when it has not come that far in
    time, and BadParameter.
    """
    reads: Sequence[Source] = request.route_handler.opt[READS]
    if not reads or not request.scope["query_string"]:
        return
    wanted = number(pairs(request), MIN_POSITION)
    if wanted is None:
        return
    wait = preferred_wait(request.headers.getall("prefer", []))
    if wait is not None:
        wait = min(wait, MAX_WAIT)
        request.scope.setdefault("state", {})[PREFERENCE_APPLIED] = f"wait={wait}"
    try:
        await reached(request, wanted, reads, wait or 0)
    except Behind as behind:
        # Whether it has come so far it tells anybody; how far, only as far as whoever asks can see.
        reader: Reader = request.app.state.reader
        seen_by_them = await in_thread(reader.position_for, _sight(request), behind.position)
        raise Behind(behind.what, seen_by_them, wanted) from None


async def reached(request: Asked, wanted: int, reads: Sequence[Source], wait: float) -> None:
    """Wait up to ``wait`` seconds until all sources have come to a position. Raises Behind or Unavailable."""
    state = request.app.state
    following = [source for source in reads if source != LOG]
    clock = asyncio.get_running_loop().time
    until = clock() + wait
    pause, longest = MODEL_POLL
    while True:
        size: int = (await in_thread(state.reader.head)).size if LOG in reads else wanted
        position: int = await _come_to(state.views, following) if following and size >= wanted else size
        if position >= wanted:
            return
        if (left := until - clock()) <= 0:
            what = "the log" if size < wanted else "what this is read from"
            raise Behind(what, position, wanted)
        if state.streams.closing.is_set():
            raise Unavailable("the service is stopping")
        if size < wanted:
            await state.sequencer.arrivals.wait(size, min(LOG_POLL, left))
        else:
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, longest)


async def _come_to(views: Views, following: Sequence[Source]) -> int:
    """Tell up to which position all have come that follow the log."""
    models = [source for source in following if isinstance(source, ReadModel)]
    positions = [await views.read(tracked, models)] if models else []
    if CHECKPOINT in following:
        positions.append(await views.read(signed_size))
    return min(positions)


def _sight(request: Asked) -> Sight:
    """Tell what whoever asks may see; on a route that is open to all nobody need be known."""
    if request.route_handler.opt[NEEDS] == OPEN_TO_ALL:
        return EVERYTHING
    return principal_of(request).sight


def preferred_wait(headers: Sequence[str]) -> int | None:
    """Find the preference ``wait`` (RFC 7240 section 4.3), in seconds; None without one that can be read.

    Of several the first counts. What looks alike inside a quoted string or among the parameters of another
    preference is none.
    """
    text = _QUOTED.sub(lambda quoted: quoted[1] if quoted[1].isalnum() else "", ",".join(headers))
    for preference in text.split(","):
        name, _, value = (piece.strip(" \t") for piece in preference.partition(";")[0].partition("="))
        if name.lower() == "wait":
            return int(value) if _SECONDS.fullmatch(value) else None
    return None
