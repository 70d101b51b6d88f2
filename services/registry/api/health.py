"""Whether the service lives, and whether it may be sent requests."""

import asyncio
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from msgspec import Meta

from registry.errors import Unavailable
from registry.http.answer import JSON, Answer, Asked
from registry.http.parameters import query
from registry.http.routing import Content, Operation, read
from registry.http.threads import in_thread
from registry.projections.operate import ProjectionStatus
from registry.store.migrate import newest_revision
from registry.store.reader import Reader

TIMEOUT = 5.0
"""Seconds after which the database counts as gone."""

needed_revision = cache(newest_revision)
"""The newest migration of this installation, which does not change while it runs."""

NO_STORE = {"Cache-Control": "no-store"}


class Health(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Annotated[Literal["ok"], Meta(description="Always `ok`")]


class ReadModelHealth(msgspec.Struct, frozen=True):
    """One read model."""

    name: str
    behind: Annotated[int, Meta(description="Positions of the log that are not in its rows yet")]
    parked: Annotated[int, Meta(description="Agreements whose rows cannot be made; all others go on")]


class Ready(msgspec.Struct, frozen=True):
    """The service can do its work."""

    status: Annotated[Literal["ready"], Meta(description="Always `ready`; else the answer is a problem")]
    revision: Annotated[str, Meta(description="The migration the database is at")]
    position: Annotated[int, Meta(description="The last position of the log")]
    read_models: Annotated[tuple[ReadModelHealth, ...], Meta(description="How far each has come")]


@read(
    "/healthz",
    Operation(tag="Operations", answers={200: Content(JSON, Health)}, tagged=False),
    same_for_all=True,
)
async def get_healthz(request: Asked) -> Response[Any]:
    """Tell whether the process lives

    Nothing else is looked at: a database that is gone is no reason to start the process anew.
    """
    query(request)
    return Answer(msgspec.json.encode(Health("ok")), headers=NO_STORE)


@read(
    "/readyz",
    Operation(tag="Operations", answers={200: Content(JSON, Ready)}, tagged=False),
    same_for_all=True,
)
async def get_readyz(request: Asked) -> Response[Any]:
    """Tell whether the service can do its work

    The database can be reached and is at the newest migration, and every read model of this version has been
    built; else the answer is a 503 that says what is missing. What is parked makes nothing unready.
    """
    query(request)
    reader: Reader = request.app.state.reader
    try:
        async with asyncio.timeout(TIMEOUT):
            newest = await in_thread(needed_revision)
            revision = await in_thread(reader.revision)
            if revision != newest:
                raise Unavailable(f"the database is at migration {revision}, the service needs {newest}", 5)
            head = await in_thread(reader.head)
            read_models = _read_models(await in_thread(request.app.state.operator.status))
    except TimeoutError:
        raise Unavailable("the database does not answer", 5) from None
    return Answer(msgspec.json.encode(Ready("ready", newest, head.size, read_models)), headers=NO_STORE)


def _read_models(statuses: list[ProjectionStatus]) -> tuple[ReadModelHealth, ...]:
    """Tell how far each has come. Raises Unavailable while one has not been built."""
    if missing := [status.name for status in statuses if not status.ready]:
        raise Unavailable(f"being built: {', '.join(missing)}", 1)
    return tuple(
        ReadModelHealth(
            status.name,
            min(each.behind for each in status.generations if each.state == "live"),
            len(status.parked),
        )
        for status in statuses
    )
