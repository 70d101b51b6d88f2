"""The registry as a server process runs it: its settings come from the environment."""

import os

from registry.api.lane import Lane
from registry.app import create_service
from registry.config import load
from registry.store.database import open_writer
from registry.store.migrate import migrate


def environment(url: str) -> dict[str, str]:
    """Migrate an empty database and give the settings to serve it with."""
    engine = open_writer(url)
    migrate(engine, origin="bench.example/log")
    engine.dispose()
    return {"REGISTRY_DATABASE": url, "REGISTRY_AUTH": "off"}


def create() -> Lane:
    return create_service(load(os.environ))
