"""How the description of the API says who may do what."""

from typing import Any

from registry.access import SCOPES
from registry.http.access import OPEN_TO_ALL
from registry.http.sessions import PLAIN

DISCOVERY = "/.well-known/openid-configuration"
SCHEMES = ("key", "token", "session")
BASIC = "basic"
"""The way that calendars and feeds take beside them."""


def schemes(issuer: str) -> dict[str, Any]:
    """Describe each way to say who is asking. ``issuer``: the one whose tokens are taken here, if there is one."""
    token: dict[str, Any] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    if issuer:
        token = {"type": "openIdConnect", "openIdConnectUrl": issuer.rstrip("/") + DISCOVERY}
    return {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, which the operator of the registry makes: `Authorization: Bearer agr_…`",
            "x-scopes": dict(SCOPES),
        },
        "token": {
            **token,
            "description": "A token of the OpenID Connect issuer that the registry trusts, if any",
        },
        BASIC: {
            "type": "http",
            "scheme": "basic",
            "description": "An API key as a password, with any user name or none: for programs that subscribe to "
            "calendars and feeds",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": PLAIN,
            "description": f"The cookie of whoever has signed in to the pages; over https `__Host-{PLAIN}`",
        },
    }


def needs(scope: str, *, basic: bool = False) -> dict[str, Any]:
    """Describe what an operation asks for: any of the ways, with the scope; ``x-scope`` says it once more.

    ``basic``: a key may come as a password.
    """
    if scope == OPEN_TO_ALL:
        return {"security": []}
    return {
        "security": [{scheme: [scope]} for scheme in (*SCHEMES, *((BASIC,) if basic else ()))],
        "x-scope": scope,
    }
