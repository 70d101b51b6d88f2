"""The gate: from what a request shows to the principal who is asking."""

from typing import Any

from registry.access import Principal
from registry.http.credentials import Unauthenticated, token_of
from registry.http.keys import KeyRing
from registry.http.sessions import Sessions


class Gate:
    """Knows who may be asking. Belongs to the event loop.

    ``everybody`` is who every request comes from with ``REGISTRY_AUTH=off``, ``anybody`` whoever shows nothing
    with ``REGISTRY_PUBLIC_READ=true``.
    """

    def __init__(
        self,
        keys: KeyRing,
        sessions: Sessions,
        *,
        everybody: Principal | None = None,
        anybody: Principal | None = None,
    ) -> None:
        self.keys = keys
        self._sessions = sessions
        self._everybody = everybody
        self._anybody = anybody

    async def who(self, scope: Any) -> Principal:
        """Tell who is asking, by what the ASGI scope of a request shows.

        A token that is sent counts, and nothing beside it. A cookie is sent by a browser whether somebody means it
        or not, so one whose session is over is as good as none.

        Raises Unauthenticated when nothing is shown, or what is shown does not hold; CrossSite when a page of
        another site has sent it; Unavailable when it cannot be found out.
        """
        if self._everybody is not None:
            return self._everybody
        token = token_of(scope)
        if token is not None:
            return (await self.keys.find(token)).principal
        signed_in = await self._sessions.who(scope)
        if signed_in is not None:
            return signed_in
        if self._anybody is not None:
            return self._anybody
        raise Unauthenticated("the request does not say who is asking")
