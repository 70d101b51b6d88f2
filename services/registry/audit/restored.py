"""Whether a database that was put back is where its log was seen to be, by what lies outside of it."""

from collections.abc import Sequence

import httpx
import msgspec
from sqlalchemy import Engine

from registry.audit.configured import WitnessAddress
from registry.audit.standing import Behind, Kept, look
from registry.audit.witnesses import TIMEOUT, Asking, Refused
from registry.errors import Unavailable
from registry.store.arrivals import Arrivals
from registry.store.reader import Reader


class Standing(msgspec.Struct, frozen=True):
    """What was found out."""

    behind: str
    """Why the service will take no events; empty when nothing speaks against it."""
    confirmed: bool
    """Whether anything outside the database says that the log is where it was."""
    silent: tuple[str, ...]
    """Witnesses that did not say."""


async def ask_around(
    engine: Engine,
    kept: Kept | None,
    witnesses: Sequence[WitnessAddress],
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Standing:
    """Hold the log against the kept checkpoint and against what its witnesses have seen.

    What a witness has seen is noted in the database, where every process of the service finds it. The kept
    checkpoint is read and never written. Raises Unavailable.
    """
    reader = Reader(engine)
    silent, agreed = [], 0
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, transport=transport) as client:
        for witness in witnesses:
            try:
                await Asking(witness, engine, reader, Arrivals(), client).ask()
                agreed += 1
            except (Refused, Unavailable, httpx.HTTPError) as error:
                silent.append(f"{witness.key.name}: {str(error) or type(error).__name__}")
    try:
        look(reader, kept)
    except Behind as error:
        return Standing(str(error), confirmed=False, silent=tuple(silent))
    in_file = kept is not None and kept.read() is not None
    return Standing("", confirmed=in_file or agreed > 0, silent=tuple(silent))
