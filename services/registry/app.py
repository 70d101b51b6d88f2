"""The composition root: what the service is made of, and in which order it starts and stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.datastructures import State

from registry.api.routes import exception_handlers, guards, openapi_config, route_handlers
from registry.config import Settings
from registry.store.database import open_reader, open_writer
from registry.store.principals import principal_id
from registry.store.reader import Reader
from registry.store.sequencer import Sequencer
from registry.store.states import States
from registry.store.writer import Writer


def create_app(settings: Settings) -> Litestar:
    """Put the service together on a migrated database. Nothing is opened before the lifespan starts."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        writing = open_writer(settings.database, lock_timeout=settings.lock_timeout)
        reading = open_reader(settings.database, lock_timeout=settings.lock_timeout)
        states = States(settings.state_cache_events)
        sequencer = Sequencer(Writer(writing, states), queue_events=settings.queue_events)
        try:
            app.state.settings = settings
            app.state.reader = Reader(reading, states)
            app.state.sequencer = sequencer
            app.state.principal = await asyncio.to_thread(principal_id, writing, "development", "auth off")
            sequencer.start()
            yield
        finally:
            await sequencer.close()
            writing.dispose()
            reading.dispose()

    return Litestar(
        route_handlers=route_handlers,
        exception_handlers=exception_handlers,
        guards=guards,
        openapi_config=openapi_config,
        state=State(),
        lifespan=[lifespan],
    )
