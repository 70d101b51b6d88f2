"""The lane in front of the framework for the one request that comes in thousands: POST /events.

The framework routes, wraps and guards every request for what any route might need; that takes as long as all else
an append does in this process. The lane calls the same handler with the same request and leaves the rest out.
"""

from collections.abc import Callable
from typing import Any

from litestar import Litestar, Response
from litestar.types import ASGIApp, Receive, Send

from registry.api.posting import post_events
from registry.http.answer import Asked
from registry.http.principal import let_in
from registry.http.problems import answer_problem

PATH = "/events"


class Lane:
    """An ASGI application: the lane, and behind it the framework for everything else."""

    def __init__(self, app: Litestar, front: Callable[[Any], ASGIApp]) -> None:
        self.app = app
        self.rest = front(app)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.rest(scope, receive, send)
            return
        scope["litestar_app"] = self.app
        scope["route_handler"] = post_events
        request = Asked(scope, receive=receive, send=send)
        try:
            await let_in(request)
            answer: Response[Any] = await post_events.fn(request)
        except Exception as error:  # noqa: BLE001 - like the framework, which hands over every error
            answer = answer_problem(request, error)
        await answer.to_asgi_response(app=None, request=request)(scope, receive, send)
