"""Views: how the service reads its read models, away from the event loop."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine

from registry.errors import Unavailable
from registry.projections.generations import Generation, live
from registry.projections.model import ReadModel
from registry.store.database import reachable

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8


class Views:
    """Runs queries on read connections, in threads of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="views")

    async def read(
        self, query: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``query(connection, ...)``. Raises Unavailable when the database cannot be reached."""
        call = partial(self.read_now, query, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def read_now(
        self, query: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a query in the caller's thread."""
        with reachable(), self._engine.connect() as connection:
            return query(connection, *args, **kwargs)

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown()


def live_of(connection: Connection, model: ReadModel) -> Generation:
    """Find the generation that is read. Raises Unavailable while the first one is being built."""
    generation = live(connection, model)
    if generation is None:
        raise Unavailable(f"the read model {model.name} is being built")
    return generation


def tracked(connection: Connection, models: Sequence[ReadModel]) -> int:
    """Tell up to which position all of some read models have come; 0 while one is built for the first time."""
    lives = [live(connection, model) for model in models]
    return min((0 if one is None else one.position for one in lives), default=0)
