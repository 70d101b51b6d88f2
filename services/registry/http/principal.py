"""Who is asking: the one place where a request is let in or not."""

from registry.access import SCOPES, Principal
from registry.errors import RegistryError
from registry.http.access import OPEN_TO_ALL
from registry.http.answer import Asked

NEEDS = "needs"
"""The option of a route under which the scope that it asks for is."""
ASKING = "asking"
"""Where a request keeps who is asking, once that is known."""


class Unauthenticated(RegistryError):
    """The request does not say who is asking."""


class Forbidden(RegistryError):
    """Whoever is asking may not do this."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"this needs the scope {scope}: {SCOPES[scope]}")
        self.scope = scope


async def let_in(request: Asked) -> None:
    """Stand before every handler. (As a guard it would cost twice what the rest of the routing does.)

    Raises Unauthenticated or Forbidden unless the route is open to all or whoever is asking holds its scope.
    """
    if request.method == "OPTIONS":  # says which methods there are, which the description says to all
        return
    needs: str = request.route_handler.opt[NEEDS]
    if needs != OPEN_TO_ALL:
        require(request, needs)


def require(request: Asked, scope: str) -> Principal:
    """Return who is asking, who holds a scope. Raises Unauthenticated or Forbidden."""
    principal = principal_of(request)
    if scope not in principal.scopes:
        raise Forbidden(scope)
    return principal


def principal_of(request: Asked) -> Principal:
    """Return who is asking.

    With ``REGISTRY_AUTH=off`` that is the development principal, who holds every scope. Raises Unauthenticated.
    """
    state = request.app.state
    if state.settings.auth == "off":
        principal: Principal = state.principal
        return principal
    raise Unauthenticated("this registry answers those it knows, and the request does not say who is asking")


def asks_with(request: Asked, scope: str) -> bool:
    """Tell whether whoever is asking holds a scope; nobody known holds none."""
    try:
        return scope in principal_of(request).scopes
    except Unauthenticated:
        return False
