"""The runner: of all processes, the one with the lease keeps a read model up to date."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

from sqlalchemy import Engine

from registry.errors import Unavailable
from registry.projections.generations import (
    Generation,
    Overtaken,
    begin_generation,
    discard_retired,
    fence_off,
    generations,
    go_live,
    live,
)
from registry.projections.making import Ease
from registry.projections.model import ReadModel
from registry.projections.step import Fault, Projection
from registry.projections.traced import Traced
from registry.store.database import reachable
from registry.store.head import read_head
from registry.store.leases import TTL, Held, acquire, release, renew
from registry.store.reader import Reader

log = logging.getLogger(__name__)

POLL = 0.5
"""Seconds after which the log, or a lease that another holds, is looked at again without being told to."""
RENEWED_EVERY = TTL / 1_000_000 / 3
CLEARED_EVERY = 60.0

Wait = Callable[[int, float], Awaitable[None]]
"""Waits until the log is longer than a position, or for so many seconds."""

Rest = Callable[[float], float]
"""Tells how many seconds to rest after a step that took so many: appends come first, and what comes meanwhile is
done in one go."""


class Runner:
    """Keeps one read model up to date for as long as this process holds its lease.

    Its task owns the lease and the projection. What waits for the database happens in ``executor``, one call
    at a time.
    """

    def __init__(
        self,
        engine: Engine,
        reader: Reader,
        model: ReadModel,
        *,
        executor: Executor,
        wait: Wait,
        rest: Rest = lambda _: 0.0,
        ease: Ease = lambda: None,
        traced: Traced | None = None,
        fault: Fault = lambda _: None,
    ) -> None:
        self._traced = traced
        self._engine = engine
        self._reader = reader
        self._model = model
        self._executor = executor
        self._wait = wait
        self._rest = rest
        self._ease = ease
        self._fault = fault

    async def run(self) -> None:
        """Run until cancelled; whatever happens on the way is logged and tried again."""
        loop = asyncio.get_running_loop()
        while True:
            held = None
            try:
                held = await loop.run_in_executor(self._executor, self._acquire)
                if held is not None:
                    self._fault("acquired")
                    await self._keep_up(held)
            except Unavailable as error:
                log.warning("%s waits: %s", self._model.name, error)
            except Overtaken as error:
                log.info("%s starts over: %s", self._model.name, error)
            except asyncio.CancelledError:
                if held is not None:
                    await asyncio.shield(loop.run_in_executor(self._executor, self._release, held))
                raise
            except Exception:  # a read model that cannot be kept must not take the service down
                log.exception("%s failed", self._model.name)
            await asyncio.sleep(POLL)

    async def _keep_up(self, held: Held) -> None:
        loop = asyncio.get_running_loop()
        projection = await loop.run_in_executor(self._executor, self._take_over, held)
        renewed = cleared = time.monotonic()
        while True:
            if (now := time.monotonic()) - renewed > RENEWED_EVERY:
                await loop.run_in_executor(self._executor, self._renew, held)
                renewed = now
            if now - cleared > CLEARED_EVERY:
                await loop.run_in_executor(self._executor, self._clear)
                cleared = now
            begun = time.monotonic()
            if await loop.run_in_executor(self._executor, self._step, projection):
                await asyncio.sleep(self._rest(time.monotonic() - begun))
            else:
                await self._wait(projection.generation.position, POLL)

    def _acquire(self) -> Held | None:
        with reachable():
            return acquire(self._engine, self._model.lease)

    def _renew(self, held: Held) -> None:
        with reachable():
            if not renew(self._engine, held):
                raise Overtaken(f"{held.name} has another holder")
        self._fault("renewed")

    def _release(self, held: Held) -> None:
        with reachable():
            release(self._engine, held)

    def _clear(self) -> None:
        with reachable(), self._engine.begin() as connection:
            discard_retired(connection, self._model)

    def _take_over(self, held: Held) -> Projection:
        """Find the generation to go on with, or begin the first, and keep every earlier holder out of it."""
        with reachable(), self._engine.begin() as connection:
            generation = live(connection, self._model) or self._first(generations(connection, self._model))
            if generation is None:
                generation = begin_generation(connection, self._model, held.fence)
            generation = fence_off(connection, generation, held)
            self._fault("fenced")
        self._fault("taken over")
        return Projection(self._engine, self._reader, generation, ease=self._ease, fault=self._fault)

    @staticmethod
    def _first(known: list[Generation]) -> Generation | None:
        return next((each for each in known if each.state == "building"), None)

    def _step(self, projection: Projection) -> int:
        before, began = projection.generation, time.time_ns()
        taken = projection.step()
        if taken and self._traced is not None and before.state == "live":
            self._traced(self._model.name, before.position, projection.generation.position, began)
        if projection.generation.state == "building":
            with reachable(), self._engine.begin() as connection:
                if projection.generation.position >= read_head(connection).size:
                    projection.generation = go_live(connection, projection.generation)
                    self._fault("going live")
            self._fault("live")
        return taken
