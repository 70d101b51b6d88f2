"""Blocking reads, away from the event loop."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function that waits for the database; unlike ``asyncio.to_thread`` it copies no context."""
    return await asyncio.get_running_loop().run_in_executor(None, partial(function, *args, **kwargs))
