import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from api import static_log
from api.conftest import AGREEMENT, SOURCE, Service, planned, problem, registered, serving
from api.logged import checkpoint_of, fill, vkey_of
from conftest import ORIGIN
from registry.audit.checkpoints import signed_size
from registry.audit.keys import verify
from registry.merkle.checkpoint import parse_checkpoint, parse_proof
from registry.merkle.note import parse_verifier_key, verified
from registry.merkle.proof import verify_inclusion


@pytest.fixture
async def published(service: Service) -> Service:
    """A service whose log of 5 events is published."""
    await fill(service, 5)
    await checkpoint_of(service, 5)
    return service


async def test_the_checkpoint_is_signed_by_the_log(published: Service):
    response = await published.get("/checkpoint")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=1"
    signed = static_log.signed_by(response.content, vkey_of(published))
    log = (await published.get("/log")).json()
    assert signed == (ORIGIN, 5, bytes.fromhex(log["root"]))
    again = await published.get("/checkpoint", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert (await published.head("/checkpoint")).status_code == 200


async def test_an_empty_log_has_a_checkpoint(service: Service):
    assert static_log.signed_by(await checkpoint_of(service, 0), vkey_of(service)).size == 0


async def test_every_event_is_under_a_checkpoint_within_a_second(service: Service):
    clock = asyncio.get_running_loop().time
    await service.post(registered())
    for i in range(1, 6):
        position = (await service.post(planned(f"visit-{i}"))).json()["position"]
        begun = clock()
        await checkpoint_of(service, position)
        assert clock() - begun < 1


@pytest.mark.parametrize(
    "path",
    ["/checkpoint?", "/log/proof/inclusion.tlog-proof?position=6&", f"/log/bundle?agreement={AGREEMENT}&"],
)
async def test_what_was_just_posted_can_be_waited_for_until_it_is_under_a_checkpoint(
    published: Service, path: str
):
    await fill(published, 6)
    answer = await published.get(f"{path}min_position=6", headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    assert (answer.headers["Registry-Position"], answer.headers["Preference-Applied"]) == ("6", "wait=20")
    behind = await published.get(f"{path}min_position=7", headers={"Prefer": "wait=0"})
    assert problem(behind, 504, "position-not-reached")["position"] == 6


async def test_a_log_that_is_not_signed_has_come_to_no_position(service: Service):
    with service.app.state.sequencer._writer._engine.connect() as connection:
        assert signed_size(connection) == 0
        connection.execute(text("UPDATE log_head SET origin = 'another.example/log'"))
        assert signed_size(connection) == 0


async def test_an_earlier_checkpoint_is_read_by_its_size(published: Service):
    first = await checkpoint_of(published, 5)
    await fill(published, 8)
    await checkpoint_of(published, 8)
    assert (await published.get("/checkpoint?size=5")).content == first
    problem(await published.get("/checkpoint?size=6"), 404, "not-found")
    problem(await published.get("/checkpoint?size=05"), 400, "malformed")
    problem(await published.get("/checkpoint?sise=5"), 400, "malformed")


async def test_a_proof_is_complete_by_itself(published: Service):
    event = (await published.get("/log/proof/inclusion?position=3")).json()
    response = await published.get("/log/proof/inclusion.tlog-proof?position=3")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    proof = parse_proof(response.content)
    assert proof.leaf == 2
    assert verified(proof.note, [parse_verifier_key(vkey_of(published))], verify)
    signed = parse_checkpoint(proof.note.text)
    leaf = bytes.fromhex(event["leaf_hash"])
    assert verify_inclusion(proof.leaf, signed.size, leaf, proof.proof, signed.root)


async def test_a_proof_may_be_for_an_earlier_checkpoint_and_name_the_event(published: Service):
    await fill(published, 8)
    await checkpoint_of(published, 8)
    named = f"source={SOURCE}&id=visit-2"
    for asked, size in ((named, 8), (f"{named}&size=5", 5)):
        proof = parse_proof((await published.get(f"/log/proof/inclusion.tlog-proof?{asked}")).content)
        assert (proof.leaf, parse_checkpoint(proof.note.text).size) == (2, size)


@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        ("position=6", 404, "not-found"),
        ("position=3&size=4", 404, "not-found"),
        (f"source={SOURCE}&id=absent", 404, "not-found"),
        ("", 400, "malformed"),
        ("position=0", 400, "malformed"),
        ("position=1&id=x", 400, "malformed"),
    ],
)
async def test_there_is_no_proof_of_what_is_not_signed(
    published: Service, asked: str, status: int, kind: str
):
    problem(await published.get(f"/log/proof/inclusion.tlog-proof?{asked}"), status, kind)


async def test_a_service_that_starts_again_goes_on(sqlite_url: str):
    async with serving(sqlite_url) as service:
        await fill(service, 3)
    async with serving(sqlite_url) as service:
        note = (await service.get("/checkpoint")).content  # what came last was published at the end
        assert static_log.signed_by(note, vkey_of(service)).size == 3
        await fill(service, 4)
        await checkpoint_of(service, 4)


@pytest.fixture
async def restored(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service on a database that was restored from a backup, behind what it has signed."""
    database = Path(sqlite_url.removeprefix("sqlite:///"))
    async with serving(sqlite_url) as service:
        await fill(service, 3)
    shutil.copy(database, tmp_path / "backup")
    async with serving(sqlite_url) as service:
        await fill(service, 5)
    shutil.copy(tmp_path / "backup", database)
    async with serving(sqlite_url) as service:
        yield service


async def test_behind_its_checkpoint_the_service_is_read_only(restored: Service):
    answer = problem(await restored.post(planned("visit-9")), 503, "unavailable")
    assert "the kept checkpoint is of 5 events, and there are 3" in answer["detail"]
    assert "registry log new-origin" in answer["detail"]
    assert (await restored.get("/events")).json()["events"]
    assert static_log.signed_by(await checkpoint_of(restored, 3), vkey_of(restored)).size == 3
