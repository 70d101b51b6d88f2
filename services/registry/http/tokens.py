"""Tokens of an OpenID Connect issuer (RFC 7519, RFC 9068, RFC 8725): from what one says to a principal."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import jwt
import msgspec

from registry.access import SCOPES, TOKEN, Principal
from registry.http.credentials import Unauthenticated
from registry.http.issuer import ALGORITHMS, Issuer
from registry.http.threads import in_thread

LEEWAY = 30
"""Seconds by which the clocks of the issuer and of this service may differ."""
TRUSTED = 60.0
"""Seconds for which a token that was verified is not verified again."""
MOST_KNOWN = 1000
"""Tokens that are remembered; a false one is never remembered."""
MOST_SUBJECT = 255
"""Characters of ``sub`` (OpenID Connect Core 1.0 section 2)."""
SOURCES = "registry_sources"
PARTIES = "registry_parties"
"""The claims that bind what a token may post; without them it is bound to nothing."""

_WRONG = (
    (jwt.ExpiredSignatureError, "the token has expired"),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.InvalidAudienceError, "the token is for another audience"),
    (jwt.InvalidIssuerError, "the token is of another issuer"),
    (jwt.MissingRequiredClaimError, "the token lacks one of the claims iss, aud, exp and sub"),
    (jwt.InvalidSignatureError, "the signature of the token is wrong"),
)


class Known(msgspec.Struct, frozen=True):
    """A token that was verified."""

    principal: Principal
    ends: float
    """In seconds since 1970."""
    until: float
    """Up to when it is not verified again, on the monotonic clock."""


class Tokens:
    """Verifies the tokens of one issuer. Belongs to the event loop.

    ``principal_id`` gives the random id of whoever has this name, in a thread: only that id ever stands in the log.
    """

    def __init__(
        self, issuer: Issuer, *, audience: str, scope_claim: str, principal_id: Callable[[str], str]
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._scope_claim = scope_claim
        self._principal_id = principal_id
        self._known: OrderedDict[bytes, Known] = OrderedDict()

    async def who(self, token: bytes) -> Principal:
        """Tell whose a token is. Raises Unauthenticated, or Unavailable when that cannot be found out."""
        digest = sha256(token).digest()
        known = self._known.get(digest)
        if known is not None and time.monotonic() < known.until and time.time() < known.ends:
            return known.principal
        claims = await self._verified(token.decode("ascii"))
        principal = await self._principal(claims)
        ends = float(claims["exp"]) + LEEWAY
        self._known[digest] = Known(principal, ends, time.monotonic() + TRUSTED)
        self._known.move_to_end(digest)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return principal

    def knows(self, token: bytes) -> bool:
        """Tell whether a token was verified before."""
        return sha256(token).digest() in self._known

    async def _verified(self, token: str) -> dict[str, Any]:
        """Verify signature, issuer, audience and times; the algorithm is one of ours, and the key is of its type."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise _refused("the token cannot be read") from None
        algorithm, id = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise _refused(f"the token is signed with none of {', '.join(ALGORITHMS)}")
        if "crit" in header or not isinstance(id, str | None):
            raise _refused("the token asks for what is not known here")
        key = await self._issuer.key(algorithm, id)
        if key is None:
            raise _refused("the token is signed with a key that the issuer does not have")
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer.url,
                leeway=LEEWAY,
                options={"require": ["iss", "aud", "exp", "sub"]},
            )
        except jwt.PyJWTError as error:
            detail = next(
                (said for kind, said in _WRONG if isinstance(error, kind)), "the token is not valid"
            )
            raise _refused(detail) from None

    async def _principal(self, claims: Mapping[str, Any]) -> Principal:
        subject = claims["sub"]
        if not 0 < len(subject) <= MOST_SUBJECT:
            raise _refused(f"the claim sub is not 1 to {MOST_SUBJECT} characters")
        label = f"{self._issuer.url} {subject}"
        scopes = claims.get(self._scope_claim, "")
        given = scopes.split() if isinstance(scopes, str) else _texts(claims, self._scope_claim)
        sources, parties = _bound(claims, SOURCES), _bound(claims, PARTIES)
        return Principal(
            id=await in_thread(self._principal_id, label),
            kind=TOKEN,
            label=label,
            scopes=frozenset(given) & SCOPES.keys(),
            sources=sources,
            parties=parties,
        )


def _bound(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """Read what a token is bound to. An empty list would bind it to nothing: it is refused, not read as free."""
    if claim not in claims:
        return ()
    bound = _texts(claims, claim)
    if not bound:
        raise _refused(f"the claim {claim} is empty")
    return bound


def _texts(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    try:
        return msgspec.convert(claims[claim], tuple[str, ...])
    except msgspec.ValidationError:
        raise _refused(f"the claim {claim} is no list of strings") from None


def _refused(detail: str) -> Unauthenticated:
    return Unauthenticated(detail, invalid=True)
