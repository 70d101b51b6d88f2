"""A service with authentication, and keys for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from api.conftest import Service, serving
from registry.store.api_keys import KeyRequest, create
from registry.store.database import open_writer


def bearer(token: str) -> dict[str, str]:
    """The header that shows a key or token."""
    return {"Authorization": f"Bearer {token}"}


class Guarded(Service):
    """A service that asks who is asking."""

    def key(self, *scopes: str, **bounds: Any) -> str:
        """Make a key in the database, as another process does."""
        engine = open_writer(self.app.state.settings.database)
        _, key = create(engine, KeyRequest(**{"label": "a test", "scopes": scopes, **bounds}))
        engine.dispose()
        return key

    def holder(self, *scopes: str, **bounds: Any) -> dict[str, str]:
        """Make a key, and give the header that shows it."""
        return bearer(self.key(*scopes, **bounds))


@asynccontextmanager
async def guarding(url: str, **settings: Any) -> AsyncIterator[Guarded]:
    """Serve a migrated database with authentication."""
    async with serving(url, **{"auth": "on", **settings}) as service:
        yield Guarded(service.app, service.client)
