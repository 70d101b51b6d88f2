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
from registry.http.problems import Checked, NotReady
from registry.http.routing import Content, Operation, read
from registry.http.standing import Standing, standing
from registry.http.threads import in_thread
from registry.projections.lag import Lag
from registry.store.migrate import newest_revision

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
    seconds: Annotated[float, Meta(description="For how long the first of these positions is recorded")] = 0.0


class Ready(msgspec.Struct, frozen=True):
    """The service can do its work."""

    status: Annotated[Literal["ready"], Meta(description="Always `ready`; else the answer is a problem")]
    revision: Annotated[str, Meta(description="The migration the database is at")]
    position: Annotated[int, Meta(description="The last position of the log")]
    read_models: Annotated[tuple[ReadModelHealth, ...], Meta(description="How far each has come")]
    read_only: Annotated[bool, Meta(description="Whether events are refused, as the log is behind")] = False
    checks: Annotated[tuple[Checked, ...], Meta(description="Everything that was looked at")] = ()


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

    The service is not stopping, the database can be reached and has every migration that this version needs, every
    read model of this version has been built, and neither they nor the checkpoints lag too long; else the answer is
    a 503 whose `checks` say what is missing. What is parked makes nothing unready, nor does a log that is behind what
    it has signed: then everything can be read and nothing appended.
    """
    query(request)
    state = request.app.state
    if state.requests.draining:
        raise NotReady((Checked("serving", "failed", "the service is stopping"),), 1)
    checks = [Checked("serving", "ok", "requests are taken")]
    try:
        async with asyncio.timeout(TIMEOUT):
            newest = await in_thread(needed_revision)
            now = await in_thread(standing, state)
    except TimeoutError:
        raise NotReady((*checks, Checked("database", "failed", "the database does not answer")), 5) from None
    except Unavailable as error:
        raise NotReady((*checks, Checked("database", "failed", error.detail)), 5) from error
    checks += [
        Checked("database", "ok", "it answers"),
        _migrations(now.revision, newest),
        _built(now.read_models),
        _lag(now.read_models, state.settings.ready_lag),
        _checkpoint(now, state.settings.ready_lag, signs=state.publisher.signs),
        _appends(state.sequencer.read_only),
    ]
    if any(check.state == "failed" for check in checks):
        raise NotReady(tuple(checks), 5 if checks[2].state == "failed" else 1)
    ready = Ready(
        "ready",
        now.revision or "",
        now.checkpoint.log_size,
        tuple(ReadModelHealth(e.name, e.behind, e.parked, round(e.seconds, 3)) for e in now.read_models),
        bool(state.sequencer.read_only),
        tuple(checks),
    )
    return Answer(msgspec.json.encode(ready), headers=NO_STORE)


def _migrations(revision: str | None, newest: str) -> Checked:
    # A later migration than this version knows is one of an upgrade under way: a migration takes nothing away that
    # the version before it needs, so the replicas of that version serve until they are replaced.
    if revision is None or revision < newest:
        return Checked(
            "migrations", "failed", f"the database is at migration {revision}, the service needs {newest}"
        )
    return Checked("migrations", "ok", f"the database is at migration {revision}")


def _built(read_models: list[Lag]) -> Checked:
    if missing := [each.name for each in read_models if not each.ready]:
        return Checked("read-models", "failed", f"being built: {', '.join(missing)}")
    if parked := sum(each.parked for each in read_models):
        return Checked("read-models", "warning", f"{parked} parked: rows that cannot be made")
    return Checked("read-models", "ok", "all are built")


def _lag(read_models: list[Lag], most: int) -> Checked:
    late = [each for each in read_models if each.ready and each.seconds > most]
    if late:
        names = ", ".join(f"{each.name} by {each.seconds:.0f} s" for each in late)
        return Checked("lag", "failed", f"behind the log: {names}")
    return Checked("lag", "ok", f"no read model is more than {most} s behind")


def _checkpoint(now: Standing, most: int, *, signs: bool) -> Checked:
    if not signs:
        return Checked("checkpoint", "ok", "this process has no key to sign with")
    lag = now.checkpoint
    if lag.seconds > most:
        return Checked(
            "checkpoint", "failed", f"{lag.log_size - lag.size} events are under none for {lag.seconds:.0f} s"
        )
    return Checked("checkpoint", "ok", f"the last is of {lag.size} events, the log has {lag.log_size}")


def _appends(read_only: str) -> Checked:
    return Checked("appends", "warning" if read_only else "ok", read_only or "events are taken")
