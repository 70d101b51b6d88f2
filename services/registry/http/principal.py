"""Who is asking: the one place where a request is let in or not."""

from registry.errors import RegistryError
from registry.http.answer import OPEN, Asked


class Unauthenticated(RegistryError):
    """The request does not say who is asking."""


async def let_in(request: Asked) -> None:
    """Stand before every handler. (As a guard it would cost twice what the rest of the routing does.)

    Raises Unauthenticated unless the route is open to anybody or somebody is asking.
    """
    if not request.route_handler.opt.get(OPEN):
        principal_of(request)


def principal_of(request: Asked) -> str:
    """Return the random id of the principal that a request acts as.

    With ``REGISTRY_AUTH=off`` that is the development principal. Raises Unauthenticated otherwise: this
    release knows no credentials yet.
    """
    state = request.app.state
    if state.settings.auth == "off":
        principal: str = state.principal
        return principal
    raise Unauthenticated("this registry answers those it knows, and the request does not say who is asking")
