"""Services whose log is published."""

import asyncio

from api.conftest import Service, planned, registered
from conftest import ORIGIN
from registry.audit.keys import key_path, read_key


async def fill(service: Service, size: int) -> None:
    """Post events until the log has so many, the first of which registers the agreement."""
    have = (await service.get("/log")).json()["size"]
    events = [registered()] if have == 0 else []
    events += [planned(f"visit-{i}") for i in range(have + len(events), size)]
    assert (await service.batch(*events)).status_code == 201


async def checkpoint_of(service: Service, size: int) -> bytes:
    """Wait until the log has published a checkpoint of this size or more, and read it."""
    async with asyncio.timeout(20):
        while True:
            response = await service.get("/checkpoint")
            if response.status_code == 200 and int(response.text.split("\n")[1]) >= size:
                return response.content
            await asyncio.sleep(0.02)


def vkey_of(service: Service, origin: str = ORIGIN) -> str:
    """The verifier key of the log, as its operator gives it out."""
    path = key_path(service.app.state.settings)
    assert path is not None
    return str(read_key(path).verifier_key(origin))
