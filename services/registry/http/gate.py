"""The gate: from what a request shows to the principal who is asking."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from registry.access import Principal
from registry.http.credentials import Unauthenticated, is_basic, password_of, said_by, token_of
from registry.http.keys import KeyRing
from registry.http.rates import Rates
from registry.http.sessions import Sessions

if TYPE_CHECKING:
    from registry.http.tokens import Tokens

DOTS = 2
"""In a token (RFC 7515 section 7.1); a key has none."""


class Gate:
    """Knows who may be asking. Belongs to the event loop.

    ``tokens`` verifies those of an issuer, where one is configured. ``everybody`` is who every request comes from
    with ``REGISTRY_AUTH=off``, ``anybody`` whoever shows nothing with ``REGISTRY_PUBLIC_READ=true``. ``opened`` are
    the templates of routes for administrators that are open to all, as an operator has set it.
    """

    def __init__(
        self,
        keys: KeyRing,
        sessions: Sessions,
        rates: Rates,
        *,
        tokens: "Tokens | None" = None,
        everybody: Principal | None = None,
        anybody: Principal | None = None,
        opened: Collection[str] = (),
    ) -> None:
        self.keys = keys
        self.rates = rates
        self.opened = opened
        self._sessions = sessions
        self._tokens = tokens
        self._everybody = everybody
        self._anybody = anybody

    async def who(self, scope: Any, *, basic: bool = False) -> Principal:
        """Tell who is asking, by what the ASGI scope of a request shows.

        ``basic`` says whether a key may come as a password. What is sent in ``Authorization`` counts, and nothing
        beside it. A cookie is sent by a browser whether somebody means it
        or not, so one whose session is over is as good as none.

        Raises Unauthenticated when nothing is shown, or what is shown does not hold; CrossSite when a page of
        another site has sent it; Unavailable when it cannot be found out; TooManyRequests when too much that does
        not hold came from there, and this is not known to hold.
        """
        if self._everybody is not None:
            return self._everybody
        try:
            said = said_by(scope)
            if said is not None:
                token, tokens = self._read(said, basic=basic)
                if self.rates.any_failed and not (tokens or self.keys).knows(token):
                    self.rates.check_failures(scope)
                return await self._shown(token, tokens)
        except Unauthenticated:
            self.rates.failed(scope)
            raise
        signed_in = await self._sessions.who(scope)
        if signed_in is not None:
            return signed_in
        if self._anybody is not None:
            return self._anybody
        raise Unauthenticated("the request does not say who is asking")

    async def holds(self, scope: Any, principal: Principal) -> bool:
        """Tell whether what a request has shown still stands for a principal, when it was let in some time ago.

        This is no use of a session, and nothing that is wrong with it is held against anybody. Raises Unavailable.
        """
        if self._everybody is not None:
            return True
        try:
            said = said_by(scope)
            if said is not None:
                return await self._shown(*self._read(said, basic=False)) == principal
        except Unauthenticated:
            return False
        return (await self._sessions.who(scope, used=False) or self._anybody) == principal

    async def _shown(self, token: bytes, tokens: "Tokens | None") -> Principal:
        return await tokens.who(token) if tokens else (await self.keys.find(token)).principal

    def _read(self, said: bytes, *, basic: bool) -> tuple[bytes, "Tokens | None"]:
        """Read what ``Authorization`` says; beside it, who verifies that if it is no key. A password is always one."""
        if basic and is_basic(said):
            return password_of(said), None
        token = token_of(said)
        return token, self._tokens if token.count(b".") == DOTS else None
