"""The table of who may use which route. A route without a line here cannot be declared."""

from collections.abc import Mapping
from typing import Final

from registry.access import ADMIN, AGREEMENTS_READ, EVENTS_READ, EVENTS_WRITE, LOG_AUDIT

OPEN_TO_ALL: Final = ""
"""Stands for no scope: anybody may, without saying who they are."""

ROUTES: Mapping[tuple[str, str], str] = {
    ("POST", "/events"): EVENTS_WRITE,
    ("GET", "/events"): EVENTS_READ,
    ("GET", "/events/{position:str}"): EVENTS_READ,
    ("GET", "/events/{position:str}/entry"): EVENTS_READ,
    ("GET", "/agreements"): AGREEMENTS_READ,
    ("GET", "/agreements/{id:str}"): AGREEMENTS_READ,
    ("GET", "/agreements/{id:str}/timeline"): AGREEMENTS_READ,
    ("GET", "/agreements/{id:str}/events"): EVENTS_READ,
    ("GET", "/agreements/{id:str}/explain"): AGREEMENTS_READ,
    ("GET", "/agreements/{id:str}/claims"): AGREEMENTS_READ,
    ("GET", "/agreements/{id:str}/history"): AGREEMENTS_READ,
    ("GET", "/agreements/{id:str}/compare"): AGREEMENTS_READ,
    ("GET", "/agreements/{id:str}/calendar.ics"): AGREEMENTS_READ,
    ("GET", "/agreements/{id:str}/feed.atom"): AGREEMENTS_READ,
    ("GET", "/parties"): AGREEMENTS_READ,
    ("GET", "/parties/{id:str}"): AGREEMENTS_READ,
    ("GET", "/parties/{id:str}/calendar.ics"): AGREEMENTS_READ,
    ("GET", "/parties/{id:str}/feed.atom"): AGREEMENTS_READ,
    ("GET", "/pairs"): AGREEMENTS_READ,
    ("GET", "/pairs/{a:str}/{b:str}"): AGREEMENTS_READ,
    ("GET", "/engagements"): AGREEMENTS_READ,
    ("GET", "/follow-ups"): AGREEMENTS_READ,
    ("GET", "/institutions"): AGREEMENTS_READ,
    ("GET", "/people"): AGREEMENTS_READ,
    ("GET", "/facts"): AGREEMENTS_READ,
    ("GET", "/publications"): AGREEMENTS_READ,
    ("GET", "/sources"): AGREEMENTS_READ,
    ("GET", "/stats"): AGREEMENTS_READ,
    ("GET", "/calendar.ics"): AGREEMENTS_READ,
    ("GET", "/feed.atom"): AGREEMENTS_READ,
    ("GET", "/agreements/{id:str}/events/{position:str}/erasures"): ADMIN,
    ("POST", "/agreements/{id:str}/events/{position:str}/erasures"): ADMIN,
    ("GET", "/people/{id:str}/erasures"): ADMIN,
    ("POST", "/people/{id:str}/erasures"): ADMIN,
    ("GET", "/projections"): ADMIN,
    ("POST", "/projections/{name:str}/rebuild"): ADMIN,
    ("POST", "/projections/{name:str}/check"): ADMIN,
    ("POST", "/projections/{name:str}/parked/{id:str}/retry"): ADMIN,
    ("POST", "/projections/{name:str}/parked/{id:str}/skip"): ADMIN,
    ("GET", "/log/bundle"): EVENTS_READ,  # and agreements:read, which the route asks for itself
    ("GET", "/keys"): ADMIN,
    ("POST", "/keys"): ADMIN,
    ("DELETE", "/keys/{id:str}"): ADMIN,
    ("POST", "/log/exports"): ADMIN,
    ("GET", "/tile/entries/{tile:path}"): LOG_AUDIT,
    # The log can be checked by anybody: hashes, proofs and checkpoints say nothing of what is in it.
    ("GET", "/log"): OPEN_TO_ALL,
    ("GET", "/log/keys"): OPEN_TO_ALL,
    ("GET", "/log/proof/inclusion"): OPEN_TO_ALL,
    ("GET", "/log/proof/inclusion.tlog-proof"): OPEN_TO_ALL,
    ("GET", "/log/proof/consistency"): OPEN_TO_ALL,
    ("GET", "/checkpoint"): OPEN_TO_ALL,
    ("GET", "/tile/{tile:path}"): OPEN_TO_ALL,
    ("POST", "/add-checkpoint"): OPEN_TO_ALL,
    ("GET", "/metrics"): ADMIN,  # unless REGISTRY_METRICS_OPEN=true opens it to all
    ("GET", "/healthz"): OPEN_TO_ALL,
    ("GET", "/readyz"): OPEN_TO_ALL,
    ("GET", "/limits"): OPEN_TO_ALL,
    ("GET", "/openapi.json"): OPEN_TO_ALL,
    ("GET", "/asyncapi.json"): OPEN_TO_ALL,
    ("GET", "/schemas/{file:str}"): OPEN_TO_ALL,
    ("GET", "/docs"): OPEN_TO_ALL,
    # The index is for all; the board, which browsers get here, asks for agreements:read itself.
    ("GET", "/"): OPEN_TO_ALL,
    ("GET", "/a/{id:str}"): AGREEMENTS_READ,
    ("GET", "/search"): AGREEMENTS_READ,
    ("GET", "/parties.html"): AGREEMENTS_READ,
    ("GET", "/p/{id:str}"): AGREEMENTS_READ,
    ("GET", "/pair/{a:str}/{b:str}"): AGREEMENTS_READ,
    ("GET", "/calendar"): AGREEMENTS_READ,
    ("GET", "/log.html"): EVENTS_READ,
    ("GET", "/log/{position:str}"): EVENTS_READ,
    ("GET", "/verify"): OPEN_TO_ALL,
    ("GET", "/sign-in"): OPEN_TO_ALL,
    ("POST", "/sign-in"): OPEN_TO_ALL,
    ("POST", "/sign-out"): OPEN_TO_ALL,
    ("GET", "/post"): EVENTS_WRITE,
    ("POST", "/post"): EVENTS_WRITE,
    ("GET", "/operate"): ADMIN,
    ("POST", "/operate/projections/{name:str}/rebuild"): ADMIN,
    ("POST", "/operate/projections/{name:str}/parked/{id:str}/retry"): ADMIN,
    ("GET", "/operate/projections/{name:str}/parked/{id:str}/skip"): ADMIN,
    ("POST", "/operate/projections/{name:str}/parked/{id:str}/skip"): ADMIN,
    ("POST", "/operate/keys"): ADMIN,
    ("GET", "/operate/keys/{id:str}/revoke"): ADMIN,
    ("POST", "/operate/keys/{id:str}/revoke"): ADMIN,
    ("GET", "/static/{hash:str}/{name:str}"): OPEN_TO_ALL,
    ("GET", "/problems"): OPEN_TO_ALL,
    ("GET", "/problems/{name:str}"): OPEN_TO_ALL,
}
"""The scope that each route asks for, by method and path; HEAD asks for what GET asks for."""

SUBSCRIBED: Final = frozenset(
    {
        "/calendar.ics",
        "/agreements/{id:str}/calendar.ics",
        "/parties/{id:str}/calendar.ics",
        "/feed.atom",
        "/agreements/{id:str}/feed.atom",
        "/parties/{id:str}/feed.atom",
    }
)
"""Paths to which programs subscribe that can show a name and a password and nothing else: a key may be the password
(``Basic``, RFC 7617), for GET and HEAD.

No other path may be here. A browser that was once given a password keeps it, and sends it with every request to this
host, also with those that a page of another site makes it send: it would be a cookie without ``SameSite``.
"""


def needed(method: str, path: str) -> str:
    """Give the scope that a route asks for. Raises LookupError when the table has no line for it."""
    try:
        return ROUTES[method, path]
    except KeyError:
        raise LookupError(f"{method} {path} has no line in the table of who may use which route") from None
