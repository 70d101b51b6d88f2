from base64 import b64decode
from hashlib import sha256

import pytest

from api.conftest import Service, problem, registered, signed
from registry.merkle.entry import commitment, event_uuid, parse_entry
from registry.store.database import open_writer
from registry.store.tables import event_part


@pytest.fixture
async def signed_service(service_on_any: Service) -> Service:
    await service_on_any.post(registered())
    await service_on_any.post(signed())
    return service_on_any


async def test_an_entry_hashes_to_the_leaf_of_its_event(signed_service: Service):
    shown = (await signed_service.get("/events/2/entry")).json()
    entry = b64decode(shown["entry"], validate=True)
    leaf = sha256(b"\x00" + entry).hexdigest()
    assert leaf == shown["leaf_hash"]
    assert leaf == (await signed_service.get("/events/2")).json()["leafhash"]
    assert parse_entry(entry).position == shown["position"] == 2


async def test_every_open_part_opens_its_commitment(signed_service: Service):
    shown = (await signed_service.get("/events/2/entry")).json()
    entry = parse_entry(b64decode(shown["entry"]))
    uuid = event_uuid(entry.source, entry.id)
    assert [part["no"] for part in shown["parts"]] == [0, 1]
    for part in shown["parts"]:
        opened = commitment(b64decode(part["salt"]), uuid, part["no"], b64decode(part["data"]))
        assert opened == entry.parts[part["no"]]
    assert b"A. Signatory" in b64decode(shown["parts"][1]["data"])
    assert shown["withheld"] == []


async def test_a_part_that_is_gone_is_neither_open_nor_withheld(signed_service: Service, database_url: str):
    before = (await signed_service.get("/events/2/entry")).headers["ETag"]
    engine = open_writer(database_url)
    with engine.begin() as connection:
        connection.execute(event_part.delete().where(event_part.c.position == 2, event_part.c.part_no == 1))
    engine.dispose()
    answer = await signed_service.get("/events/2/entry")
    assert [part["no"] for part in answer.json()["parts"]] == [0]
    assert answer.json()["withheld"] == []
    assert answer.headers["ETag"] != before


@pytest.mark.parametrize("position", ["3", "0", "01", "x", "9" * 20])
async def test_where_there_is_no_event_there_is_no_entry(signed_service: Service, position: str):
    problem(await signed_service.get(f"/events/{position}/entry"), 404, "not-found")


async def test_the_keys_of_the_log_are_given_to_anybody(registered_service: Service):
    answer = await registered_service.get("/log/keys")
    assert answer.headers["Content-Type"].startswith("text/plain")
    (line,) = answer.text.splitlines()
    assert line.startswith((await registered_service.get("/log")).json()["origin"] + "+")
