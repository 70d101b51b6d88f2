"""The composition root: what the service is made of, and in which order it starts and stops."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from litestar import Litestar
from litestar.datastructures import State
from sqlalchemy import Engine

from registry.access import AGREEMENTS_READ, ANYBODY, DEVELOPMENT, EVENTS_READ, SCOPES, TOKEN, Principal
from registry.api.answers import Answers
from registry.api.lane import Lane
from registry.api.metrics import own_families
from registry.api.routes import before_request, openapi_config, route_handlers
from registry.api.streams import Streams
from registry.audit.configured import public_keys, witness_keys
from registry.audit.publisher import open_publisher
from registry.audit.witness import open_witness
from registry.config import Settings
from registry.http.fellows import Fellows
from registry.http.gate import Gate
from registry.http.keys import KeyRing
from registry.http.lines import access_lines
from registry.http.rates import Rates
from registry.http.refusals import no_refusals
from registry.http.sessions import Sessions
from registry.http.slots import Slots
from registry.http.threads import Turns
from registry.http.watched import Requests, Watched
from registry.projections.catalogue import CATALOGUE
from registry.projections.clearing import Clearing
from registry.projections.operate import Operator
from registry.projections.runner import Runner
from registry.projections.traced import Traced, tracing
from registry.projections.views import Views
from registry.store.access_log import AccessLog
from registry.store.api_keys import Keys, note_used, read_live
from registry.store.arrivals import Arrivals, Listener, listens
from registry.store.database import open_reader, open_writer, pool_use
from registry.store.erasure import Eraser
from registry.store.follower import Follower
from registry.store.forecast import forecast
from registry.store.page_sessions import PageSessions
from registry.store.principals import principal_id
from registry.store.reader import Reader
from registry.store.sequencer import Sequencer
from registry.store.states import States
from registry.store.tail import Tail
from registry.store.writer import Writer
from registry.ui.either import Either
from registry.ui.routes import answer_stray, page_handlers

if TYPE_CHECKING:
    from registry.http.tokens import Tokens

EASE = 0.0001
"""Seconds for which whoever waits for the interpreter may have it while rows are made."""


def create_app(settings: Settings) -> Litestar:
    """Put the service together on a migrated database. Nothing is opened before the lifespan starts."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        app.state.turns = Turns()
        async with AsyncExitStack() as stack:
            stack.callback(app.state.turns.close)
            await start(app, settings, stack)
            yield

    return Litestar(
        route_handlers=[*route_handlers, *page_handlers],
        exception_handlers={Exception: answer_stray},
        before_request=before_request,
        openapi_config=openapi_config,
        state=State(
            {
                "refusals": no_refusals(),
                "requests": Requests(),
                "rebuilds": set(),
                "drawings": {},
            }
        ),
        logging_config=None,  # the framework would write every library's INFO to standard error
        lifespan=[lifespan],
    )


def create_service(settings: Settings) -> Watched:
    """Put together what a server runs: the application behind the lane for appends, and both watched."""
    app = create_app(settings)
    return Watched(app, Lane(app, Either), app.state.requests, access_lines(settings))


async def start(app: Litestar, settings: Settings, stack: AsyncExitStack) -> None:
    """Open and start everything; ``stack`` stops it in the opposite order."""
    writing = open_writer(settings.database, lock_timeout=settings.lock_timeout)
    stack.callback(writing.dispose)
    reading = open_reader(settings.database, lock_timeout=settings.lock_timeout)
    stack.callback(reading.dispose)
    states, tail = States(settings.state_cache_events), Tail()
    reader = Reader(reading, states)
    arrivals = Arrivals()
    sequencer = Sequencer(
        Writer(writing, states, tail), queue_events=settings.queue_events, arrivals=arrivals
    )
    app.state.sequencer, app.state.forecast = sequencer, partial(forecast, reading, states)
    views = Views(reading)
    stack.callback(views.close)
    follower = Follower(reader, states, arrivals)
    stack.push_async_callback(cancel, [asyncio.create_task(follower.run())])
    streams = Streams(reader, arrivals, tail, age=settings.stream_seconds)
    streams.start()
    stack.push_async_callback(streams.stop)

    app.state.settings = settings
    app.state.reader = reader
    app.state.follower = follower
    app.state.answers = Answers()
    app.state.views = views
    app.state.operator = Operator(writing, reader)
    app.state.eraser = Eraser(writing, states)
    app.state.clearing = Clearing(writing, reader, forget=app.state.answers.forget)
    app.state.streams = streams
    app.state.principal = Principal(
        id=await asyncio.to_thread(principal_id, writing, DEVELOPMENT, "auth off"),
        kind=DEVELOPMENT,
        label="auth off",
        scopes=frozenset(SCOPES),
    )

    app.state.access_log = await stack.enter_async_context(AccessLog(writing))
    app.state.gate = await open_gate(app, settings, writing, reading, stack)
    if listens(settings.database):
        start_listening(settings, arrivals, stack)
    traced = await start_tracing(app, settings, stack) if settings.otlp_endpoint else None
    start_projections(writing, reader, sequencer, stack, traced)
    await asyncio.to_thread(app.state.clearing.begin)
    stack.push_async_callback(cancel, [asyncio.create_task(app.state.clearing.run())])
    publisher = await asyncio.to_thread(
        open_publisher,
        settings,
        writing,
        reader,
        arrivals=arrivals,
        on_standing=partial(setattr, sequencer, "read_only"),
    )
    stack.callback(publisher.close)
    app.state.publisher = publisher
    head = await asyncio.to_thread(reader.head)
    app.state.verifier_keys = await asyncio.to_thread(public_keys, settings, head.origin)
    app.state.witness_keys = await asyncio.to_thread(witness_keys, settings)
    app.state.witness = await asyncio.to_thread(open_witness, settings, writing, reader)
    app.state.pools = lambda: {"writing": pool_use(writing), "reading": pool_use(reading)}
    app.state.fellows = await stack.enter_async_context(
        Fellows(settings.metrics_directory, partial(own_families, app.state))
    )
    await publisher.begin()
    stack.push_async_callback(cancel, [asyncio.create_task(publisher.run())])
    sequencer.start()
    stack.push_async_callback(sequencer.close)
    spare_the_collector()


def start_listening(settings: Settings, arrivals: Arrivals, stack: AsyncExitStack) -> None:
    """Begin to hear of what other processes append."""
    listener = Listener(settings.database, arrivals, asyncio.get_running_loop())
    listener.start()
    stack.push_async_callback(asyncio.to_thread, listener.stop)


async def start_tracing(app: Litestar, settings: Settings, stack: AsyncExitStack) -> Traced:
    """Begin to send traces of requests and commits; returns what is told of the work of read models."""
    from registry.http.tracing import open_tracing  # the library is an extra

    spans = await asyncio.to_thread(open_tracing, settings.otlp_endpoint)
    stack.push_async_callback(asyncio.to_thread, spans.close)
    app.state.requests.spans = spans
    app.state.sequencer.commits.traces = spans
    return tracing(app.state.reader, spans)


def start_projections(
    writing: Engine, reader: Reader, sequencer: Sequencer, stack: AsyncExitStack, traced: Traced | None
) -> None:
    """Begin to keep the read models up to date."""
    # One thread makes the rows of all read models: they wait for the same interpreter and, on SQLite, for the
    # same connection, so more of them would only stand in the way of appends.
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="projections")
    stack.callback(executor.shutdown)

    def rest(seconds: float) -> float:
        """Leave an append three quarters of the interpreter, for as long as there is one."""
        return min(1.0, 3 * seconds * len(CATALOGUE)) if sequencer.busy else 0.0

    def ease() -> None:
        """Let appends go on between two agreements: else they wait up to 5 ms for the interpreter, each time."""
        if sequencer.busy:
            time.sleep(EASE)

    wait = sequencer.arrivals.wait
    runners = [
        Runner(
            writing, reader, model, executor=executor, wait=wait, rest=rest, ease=ease, traced=traced
        ).run()
        for model in CATALOGUE
    ]
    stack.push_async_callback(cancel, [asyncio.create_task(runner) for runner in runners])


def spare_the_collector() -> None:
    """Have the garbage collector look less often at what stays anyway."""
    gc.collect()
    gc.freeze()  # what is here now stays for good, so the collector need not look at it again and again
    # Of what has come since, no more is looked at in one go than takes some milliseconds: everybody waits for it.
    gc.set_threshold(5_000, 2, 5_000)


async def open_gate(
    app: Litestar, settings: Settings, writing: Engine, reading: Engine, stack: AsyncExitStack
) -> Gate:
    """Put together what knows who is asking: by keys, sessions and tokens."""
    ring = KeyRing(partial(read_live, reading), partial(note_used, writing))
    stack.push_async_callback(ring.close)
    app.state.api_keys = Keys(writing)
    app.state.sessions = Sessions(PageSessions(writing, reading), ring)
    stack.push_async_callback(app.state.sessions.close)
    rates = Rates(settings)
    app.state.slots = Slots(settings, rates.clients)
    return Gate(
        ring,
        app.state.sessions,
        rates,
        tokens=tokens(settings, writing, stack) if settings.oidc_issuer else None,
        everybody=app.state.principal if settings.auth == "off" else None,
        anybody=await asyncio.to_thread(anybody, writing) if settings.public_read else None,
        opened=("/metrics",) if settings.metrics_open else (),
    )


def tokens(settings: Settings, writing: Engine, stack: AsyncExitStack) -> "Tokens":
    """Put together what verifies the tokens of the issuer."""
    # They bring an HTTP client and more, which take a fifth of a start to load.
    from registry.http.issuer import Issuer
    from registry.http.tokens import Tokens

    issuer = Issuer(settings.oidc_issuer, settings.oidc_jwks_url)
    stack.push_async_callback(issuer.close)
    return Tokens(
        issuer,
        audience=settings.oidc_audience,
        scope_claim=settings.oidc_scope_claim,
        principal_id=partial(principal_id, writing, TOKEN),
    )


def anybody(writing: Engine) -> Principal:
    """Return whoever shows no credentials where reading is public."""
    return Principal(
        id=principal_id(writing, ANYBODY, "public read"),
        kind=ANYBODY,
        label="public read",
        scopes=frozenset((AGREEMENTS_READ, EVENTS_READ)),
    )


async def cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until each has let go of what it holds."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
