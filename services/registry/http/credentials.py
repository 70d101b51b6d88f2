"""What a request says of who is asking: the header ``Authorization``, or the cookie of a session."""

import re
from base64 import b64decode, b64encode
from typing import Any

from registry.access import SCOPES
from registry.errors import RegistryError

REALM = 'Bearer realm="agreement registry"'
BASIC = 'Basic realm="agreement registry", charset="UTF-8"'
"""The challenge beside it where a key may come as a password (RFC 7617 section 2.1)."""
MOST_BYTES = 8192
"""Of a credential; a longer one is not looked at."""

_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)[ \t]*")
_BASIC = re.compile(rb"[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/]+={0,2})[ \t]*")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


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


def said_by(scope: Any) -> bytes | None:
    """Find the value of ``Authorization``; None without that header.

    ``scope`` is that of ASGI. Raises Unauthenticated when the header is there twice, or is too long.
    """
    found: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if found is not None:
                raise Unauthenticated("Authorization is given twice", invalid=True)
            found = value
    if found is not None and len(found) > MOST_BYTES:
        raise Unauthenticated(f"Authorization is over {MOST_BYTES} bytes", invalid=True)
    return found


def is_basic(said: bytes) -> bool:
    """Tell whether ``Authorization`` is of the scheme Basic, well written or not."""
    return said[:6].rstrip().lower() == b"basic"


def token_of(said: bytes) -> bytes:
    """Take the token out of ``Bearer`` (RFC 6750 section 2.1). Raises Unauthenticated when that is not what is said."""
    match = _BEARER.fullmatch(said)
    if match is None:
        raise Unauthenticated("Authorization is not of the form `Bearer <token>`", invalid=True)
    return match[1]


def password_of(said: bytes) -> bytes:
    """Take the password out of ``Basic`` (RFC 7617 section 2); the user name before it may be anything, or nothing.

    Raises Unauthenticated when it is not base64 as RFC 4648 section 4 has it, to the last bit, or has no colon, no
    password or a control character in it.
    """
    match = _BASIC.fullmatch(said)
    plain = b64decode(match[1]) if match is not None and len(match[1]) % 4 == 0 else b""
    if match is None or b64encode(plain) != match[1]:  # also where bits are left over in the last letter
        raise Unauthenticated("Authorization is not of the form `Basic <base64 of name:key>`", invalid=True)
    _, colon, password = plain.partition(b":")
    if not colon:
        raise Unauthenticated("there is no colon in what Basic shows: a key is its password", invalid=True)
    if _CONTROL.search(plain):
        raise Unauthenticated("there is a control character in what Basic shows", invalid=True)
    if not password:
        raise Unauthenticated("the password that Basic shows is empty: a key is its password", invalid=True)
    return password


def cookie_of(scope: Any, names: tuple[str, ...]) -> str | None:
    """Find the value of the first cookie with one of the names."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                given, _, said = pair.strip().partition("=")
                if given in names:
                    return str(said)
    return None
