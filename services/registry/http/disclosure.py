"""Writing down, before it is answered, that somebody is shown what is not for everybody."""

import re
from hashlib import sha256

from registry.http.answer import Asked
from registry.http.principal import principal_of
from registry.http.reasons import REASON, reason
from registry.http.routing import Parameter
from registry.store.access_log import Access, AccessLog
from registry.store.recorder import now

ACCESS_REASON = Parameter(
    REASON,
    "Why you read this, for the access log; at most 200 characters that name nobody. It may be required.",
    {"type": "string"},  # it is looked at only where something is disclosed
    where="header",
)
_PATH_PARAMETER = re.compile(r"\{(\w+):\w+\}")


async def disclosed(
    request: Asked, *, agreement: str | None = None, position: int | None = None, always: bool = False
) -> None:
    """Write down what the request is about to be shown; whoever may not see personal values costs nothing.

    To be awaited where the answer is known and not yet given, once a request. ``always``: also when no personal value
    is in it, as with bundles and entries. ``agreement``: one that exists, never what was merely asked for. Raises
    Unavailable, and BadHeader when a reason is asked for and not given.
    """
    principal = principal_of(request)
    if not (always or principal.sight.parts):
        return
    why = reason(request)
    log: AccessLog = request.app.state.access_log
    await log.write(
        Access(
            at=now(),
            principal=principal.id,
            what=f"{request.method} {template(request)}",
            agreement=agreement,
            position=position,
            asked=asked(request),
            reason=why,
        )
    )


def names_people(content: bytes) -> bool:
    """Tell whether JSON that is shown has to do with a person: without one there is no personal value in it."""
    return b'"person_id"' in content


def template(request: Asked) -> str:
    """Name the route, without what stands in its path."""
    (path,) = request.route_handler.paths
    return _PATH_PARAMETER.sub(r"{\1}", path)


def asked(request: Asked) -> str | None:
    """Digest path and query, where they say more than the route does."""
    query: bytes = request.scope["query_string"]
    if not query and not request.scope.get("path_params"):
        return None
    return sha256(request.scope["path"].encode() + b"?" + query).hexdigest()
