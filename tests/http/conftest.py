"""Keys for a service."""

from collections.abc import Callable, Iterator

import pytest

from registry.store.api_keys import KeyRequest, create
from registry.store.database import open_writer

MakeKey = Callable[..., tuple[str, str]]
"""Makes a key of these scopes; returns its id and the key."""


@pytest.fixture
def make_key(database_url: str) -> Iterator[MakeKey]:
    """Make keys in the database under test, as another process does."""
    engine = open_writer(database_url)

    def make(*scopes: str, **bounds: object) -> tuple[str, str]:
        request = KeyRequest(**{"label": "a test", "scopes": scopes, **bounds})  # type: ignore[arg-type]
        return create(engine, request)

    yield make
    engine.dispose()


def bearer(token: str) -> dict[str, str]:
    """The header that shows a key or token."""
    return {"Authorization": f"Bearer {token}"}
