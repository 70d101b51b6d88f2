"""Who is asking: the one place where a request is let in or not."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from registry.errors import RegistryError

OPEN = "open"
"""The option of a route that anybody may read, whoever they are."""


class Unauthenticated(RegistryError):
    """The request does not say who is asking."""


async def let_in(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard every route; a plain function would be sent to a thread.

    Raises Unauthenticated unless the route is open to anybody or somebody is asking.
    """
    if not handler.opt.get(OPEN):
        principal_of(connection)


def principal_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Return the random id of the principal that a request acts as.

    With ``REGISTRY_AUTH=off`` that is the development principal. Raises Unauthenticated otherwise: this
    release knows no credentials yet.
    """
    state = connection.app.state
    if state.settings.auth == "off":
        principal: str = state.principal
        return principal
    raise Unauthenticated("this registry answers those it knows, and the request does not say who is asking")
