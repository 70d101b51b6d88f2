"""The lane in front of the framework for what comes in thousands: an event posted, an agreement read.

The framework routes, wraps and guards every request for what any route might need; that takes as long as all else
an append does in this process. The lane calls the same handler with the same request and leaves the rest out.
"""

from collections.abc import Callable
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Send

from registry.api.agreements import get_agreement
from registry.api.posting import post_events
from registry.http.principal import let_in
from registry.http.problems import answer_problem
from registry.http.routing import before_read

EVENTS = "/events"
AGREEMENT = "/agreements/"
AGREEMENT_ROUTE = "/agreements/{id}"


class Lane:
    """An ASGI application: the lane, and behind it the framework for everything else."""

    def __init__(self, app: Litestar, front: Callable[[Any], ASGIApp]) -> None:
        self.app = app
        self.rest = front(app)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        handler = handler_of(scope)
        if handler is None:
            await self.rest(scope, receive, send)
            return
        scope["litestar_app"] = self.app
        scope["route_handler"] = handler
        request = Passing(scope, receive, send)
        try:
            await (let_in if handler is post_events else before_read)(request)
            answer: Response[Any] = await handler.fn(request)
        except Exception as error:  # noqa: BLE001 - like the framework, which hands over every error
            answer = answer_problem(request, error)
        await answer.to_asgi_response(app=None, request=request)(scope, receive, send)


class Passing(Request[Any, Any, State]):
    """A request in the lane. What the framework keeps of one is only made when something of it is asked for."""

    def __init__(self, scope: Any, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send

    def __getattr__(self, name: str) -> Any:
        super().__init__(self.scope, self.receive, self.send)
        return object.__getattribute__(self, name)


def handler_of(scope: Any) -> HTTPRouteHandler | None:
    """Find the handler of a request that may take the lane; one that says more than a path may not."""
    if scope["type"] != "http":
        return None
    path: str = scope["path"]
    if scope["method"] == "POST":
        if path != EVENTS:
            return None
        scope["path_template"] = EVENTS
        return post_events
    id = path.removeprefix(AGREEMENT)
    if scope["method"] != "GET" or id == path or not id or "/" in id or scope["query_string"]:
        return None
    scope["path_params"] = {"id": id}
    scope["path_template"] = AGREEMENT_ROUTE
    return get_agreement
