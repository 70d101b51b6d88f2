from uuid import UUID

from sqlalchemy import Engine

from registry.store.principals import principal_id


def test_a_principal_keeps_its_random_id(writing: Engine) -> None:
    first = principal_id(writing, "local", "command line")
    assert UUID(first).version == 4
    assert principal_id(writing, "local", "command line") == first
    assert principal_id(writing, "development", "command line") != first
