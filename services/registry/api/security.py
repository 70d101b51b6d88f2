"""How the description of the API says who may do what."""

from typing import Any

from registry.access import SCOPES
from registry.http.access import OPEN_TO_ALL
from registry.http.sessions import PLAIN

DISCOVERY = "/.well-known/openid-configuration"
SCHEMES = ("key", "token", "session")


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
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": PLAIN,
            "description": f"The cookie of whoever has signed in to the pages; over https `__Host-{PLAIN}`",
        },
    }


def needs(scope: str) -> dict[str, Any]:
    """Describe what an operation asks for: any of the ways, with the scope; ``x-scope`` says it once more."""
    if scope == OPEN_TO_ALL:
        return {"security": []}
    return {"security": [{scheme: [scope]} for scheme in SCHEMES], "x-scope": scope}
