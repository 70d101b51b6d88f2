"""What a request says of who is asking: the header ``Authorization``, or the cookie of a session."""

import re
from typing import Any

from registry.access import SCOPES
from registry.errors import RegistryError

REALM = 'Bearer realm="agreement registry"'
MOST_BYTES = 8192
"""Of a credential; a longer one is not looked at."""

_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)[ \t]*")


class Unauthenticated(RegistryError):
    """The request does not say who is asking, or not so that it can be believed."""

    def __init__(self, detail: str, *, invalid: bool = False, scope: str = "") -> None:
        super().__init__(detail)
        said = [REALM]
        if invalid:
            said.append('error="invalid_token"')
        if scope:
            said.append(f'scope="{scope}"')
        self.challenge = ", ".join(said)
        """The value of ``WWW-Authenticate`` (RFC 6750 section 3): without an error when nothing was shown."""


class Forbidden(RegistryError):
    """Whoever is asking may not do this."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"this needs the scope {scope}: {SCOPES[scope]}")
        self.scope = scope
        self.challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'


class CrossSite(RegistryError):
    """A page of another site has made a browser send this, with the cookie of whoever has signed in."""


def token_of(scope: Any) -> bytes | None:
    """Take the token out of ``Authorization: Bearer`` (RFC 6750 section 2.1); None without that header.

    ``scope`` is that of ASGI. Raises Unauthenticated when the header says something else, or is there twice.
    """
    found: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if found is not None:
                raise Unauthenticated("Authorization is given twice", invalid=True)
            found = value
    if found is None:
        return None
    if len(found) > MOST_BYTES:
        raise Unauthenticated(f"Authorization is over {MOST_BYTES} bytes", invalid=True)
    match = _BEARER.fullmatch(found)
    if match is None:
        raise Unauthenticated("Authorization is not of the form `Bearer <token>`", invalid=True)
    return match[1]


def cookie_of(scope: Any, names: tuple[str, ...]) -> str | None:
    """Find the value of the first cookie with one of the names."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                given, _, said = pair.strip().partition("=")
                if given in names:
                    return str(said)
    return None
