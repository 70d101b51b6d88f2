"""The gate: from what a request shows to the principal who is asking."""

from typing import Any

from registry.access import Principal
from registry.http.credentials import Unauthenticated, token_of
from registry.http.keys import KeyRing


class Gate:
    """Knows who may be asking. Belongs to the event loop.

    ``everybody`` is who every request comes from with ``REGISTRY_AUTH=off``, ``anybody`` whoever shows nothing
    with ``REGISTRY_PUBLIC_READ=true``.
    """

    def __init__(
        self, keys: KeyRing, *, everybody: Principal | None = None, anybody: Principal | None = None
    ) -> None:
        self.keys = keys
        self._everybody = everybody
        self._anybody = anybody

    async def who(self, scope: Any) -> Principal:
        """Tell who is asking, by what the ASGI scope of a request shows.

        Raises Unauthenticated when that is nothing, or false, and Unavailable when it cannot be found out.
        """
        if self._everybody is not None:
            return self._everybody
        token = token_of(scope)
        if token is not None:
            return (await self.keys.find(token)).principal
        if self._anybody is not None:
            return self._anybody
        raise Unauthenticated("the request does not say who is asking")
