"""Who is asking: the one place where a request is let in or not."""

from typing import Any

from registry.access import ADMIN, ANYBODY, Principal
from registry.errors import Unavailable
from registry.http.access import OPEN_TO_ALL
from registry.http.answer import Asked
from registry.http.credentials import CrossSite, Forbidden, Unauthenticated
from registry.http.gate import Gate
from registry.http.parameters import check_query
from registry.http.rates import TooManyRequests
from registry.http.told import told_of

__all__ = [
    "CrossSite",
    "Forbidden",
    "Unauthenticated",
    "asks_with",
    "let_in",
    "principal_of",
    "require",
    "takes_basic",
]

NEEDS = "needs"
"""The option of a route under which the scope that it asks for is."""
BASIC_TOO = "basic too"
"""The option of a route that says whether a key may come as a password."""
ASKING = "registry.asking"
"""Where the scope of a request keeps who is asking, once that is known."""


async def let_in(request: Asked) -> None:
    """Stand before every handler. (As a guard it would cost twice what the rest of the routing does.)

    Raises Unauthenticated or Forbidden unless the route is open to all or whoever is asking holds its scope,
    TooManyRequests when they ask too often, and TooLong or Malformed for a query beyond its limits. On a route that
    is open to all nothing that is shown, or that cannot be looked up, is held against anybody.
    """
    told = told_of(request.scope)
    told.template = request.scope["path_template"]
    if request.method == "OPTIONS":  # says which methods there are, which the description says to all
        return
    needs: str = request.route_handler.opt[NEEDS]
    check_query(request.scope["query_string"])
    gate: Gate | None = getattr(request.app.state, "gate", None)
    scope: dict[str, Any] = request.scope  # type: ignore[assignment]  # a room of ours, beside theirs
    if gate is None:  # the service has not begun, and describes itself to whoever writes its contracts
        if needs != OPEN_TO_ALL:
            raise Unavailable("the service is starting")
        return
    opened = needs == OPEN_TO_ALL or (needs == ADMIN and told.template in gate.opened)
    try:
        principal = await gate.who(scope, basic=takes_basic(scope))
    except (Unauthenticated, CrossSite, Unavailable, TooManyRequests):
        gate.rates.count(scope, None)
        if opened:
            return
        raise
    gate.rates.count(scope, principal)
    scope[ASKING] = principal
    told.principal = principal.id
    if not opened and needs not in principal.scopes:
        raise lacking(principal, needs)


def takes_basic(scope: Any) -> bool:
    """Tell whether a key may come as the password of ``Basic`` with a request, whose route is known.

    It may not where a person goes in a browser (``Sec-Fetch-Mode``, which programs that subscribe do not send so):
    asked for a password, it would send that to the pages as well, which know nobody by it and lead on to the form
    for signing in, without end.
    """
    handler = scope.get("route_handler")
    return (
        handler is not None
        and handler.opt.get(BASIC_TOO, False)
        and scope["method"] in ("GET", "HEAD")
        and (b"sec-fetch-mode", b"navigate") not in scope["headers"]
    )


def lacking(principal: Principal, scope: str) -> Unauthenticated | Forbidden:
    """Return why a principal is not let in: whoever has shown nothing is asked to show something first."""
    if principal.kind == ANYBODY:
        return Unauthenticated(f"this needs a key or token with the scope {scope}", scope=scope)
    return Forbidden(scope)


def require(request: Asked, scope: str) -> Principal:
    """Return who is asking, who holds a scope. Raises Unauthenticated or Forbidden."""
    principal = principal_of(request)
    if scope not in principal.scopes:
        raise lacking(principal, scope)
    return principal


def principal_of(request: Asked) -> Principal:
    """Return who is asking, as the request was let in.

    With ``REGISTRY_AUTH=off`` that is the development principal, who holds every scope. Raises Unauthenticated
    on a route that is open to all when nobody known is asking.
    """
    principal: Principal | None = request.scope.get(ASKING)  # type: ignore[assignment]  # ours, among theirs
    if principal is None:
        raise Unauthenticated("the request does not say who is asking")
    return principal


def asks_with(request: Asked, scope: str) -> bool:
    """Tell whether whoever is asking holds a scope; nobody known holds none."""
    principal: Principal | None = request.scope.get(ASKING)  # type: ignore[assignment]  # ours, among theirs
    return principal is not None and scope in principal.scopes
