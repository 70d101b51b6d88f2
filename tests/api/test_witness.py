import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.conftest import Service, problem, serving
from api.logged import checkpoint_of, fill, vkey_of
from conftest import ORIGIN
from registry.api.witness import MAX_BODY
from registry.audit.configured import WitnessAddress
from registry.audit.keys import SigningKey, make_key, verify
from registry.audit.witness import BURST
from registry.audit.witnesses import ask_all
from registry.merkle.checkpoint import Checkpoint, format_checkpoint, format_submission
from registry.merkle.note import COSIGNATURE, Note, format_note, parse_note, parse_signatures, verified
from registry.merkle.tree import append, leaf_hash, root
from registry.store.arrivals import Arrivals
from registry.store.database import open_writer
from registry.store.reader import Reader

OTHER = "other.example/log"
WITNESS = "witness.example/w1"


def note(key: SigningKey, size: int, origin: str = OTHER) -> Note:
    leaves = [leaf_hash(bytes([i])) for i in range(size)]
    text = format_checkpoint(Checkpoint(origin, size, root(append(0, (), leaves).frontier)))
    return Note(text, (key.sign_note(origin, text),))


def first(key: SigningKey, size: int, origin: str = OTHER) -> bytes:
    return format_submission(0, (), format_note(note(key, size, origin)))


@pytest.fixture
def log_key(tmp_path: Path) -> SigningKey:
    return make_key(tmp_path / "other")


@pytest.fixture
def witness_key(tmp_path: Path) -> SigningKey:
    return make_key(tmp_path / "witness")


@pytest.fixture
async def witness(
    database_url: str, tmp_path: Path, log_key: SigningKey, witness_key: SigningKey
) -> AsyncIterator[Service]:
    """A service on each kind of database that is a witness, with authentication for all else."""
    logs = tmp_path / "logs"
    logs.write_text(f"{log_key.verifier_key(OTHER)}\n")
    async with serving(
        database_url,
        auth="on",
        witness_name=WITNESS,
        witness_key_file=str(tmp_path / "witness"),
        witnessed_logs_file=str(logs),
    ) as service:
        yield service


async def add(service: Service, body: bytes) -> httpx.Response:
    return await service.client.post("/add-checkpoint", content=body)


async def test_a_known_log_is_cosigned_without_further_ado(
    witness: Service, log_key: SigningKey, witness_key: SigningKey
):
    response = await add(witness, first(log_key, 5))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    cosigned = note(log_key, 5)._replace(signatures=parse_signatures(response.text))
    assert verified(cosigned, [witness_key.verifier_key(WITNESS, COSIGNATURE)], verify)


async def test_another_old_size_is_a_conflict_that_names_the_size(witness: Service, log_key: SigningKey):
    await add(witness, first(log_key, 5))
    response = await add(witness, first(log_key, 6))
    assert response.status_code == 409
    assert response.headers["Content-Type"] == "text/x.tlog.size"
    assert response.content == b"5\n"


async def test_everything_else_is_a_problem(witness: Service, log_key: SigningKey, witness_key: SigningKey):
    problem(await add(witness, b"old 0\n"), 400, "malformed")
    problem(await add(witness, first(witness_key, 5)), 403, "checkpoint-not-signed")
    problem(await add(witness, first(log_key, 5, "stranger.example")), 404, "not-found")
    problem(await add(witness, b"x" * (MAX_BODY + 1)), 413, "too-large")
    wrong = format_submission(0, (bytes(32),), format_note(note(log_key, 5)))
    problem(await add(witness, wrong), 422, "checkpoint-not-extending")
    problem(await witness.client.post("/add-checkpoint?x=1", content=first(log_key, 5)), 400, "malformed")
    problem(await witness.get("/add-checkpoint"), 405, "method-not-allowed")


async def test_too_many_checkpoints_have_to_wait(witness: Service, log_key: SigningKey):
    body = first(log_key, 0)
    responses = [await add(witness, body) for _ in range(int(BURST) + 20)]
    limited = [response for response in responses if response.status_code != 200]
    assert limited
    problem(limited[0], 429, "too-often")
    assert limited[0].headers["Retry-After"] == "1"


async def test_a_registry_that_is_no_witness_says_so(service: Service, log_key: SigningKey):
    problem(await add(service, first(log_key, 5)), 404, "not-found")


async def test_two_registries_one_the_witness_of_the_other(
    sqlite_url: str, tmp_path: Path, witness_key: SigningKey
):
    other = tmp_path / "second"
    other.mkdir()
    shutil.copy(sqlite_url.removeprefix("sqlite:///"), other / "registry.db")
    async with serving(sqlite_url) as log:
        await fill(log, 5)
        await checkpoint_of(log, 5)
        (tmp_path / "logs").write_text(vkey_of(log))
        engine = open_writer(f"sqlite:///{other / 'registry.db'}")
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE log_head SET origin = 'registry.test/second'")
        engine.dispose()
        async with serving(
            f"sqlite:///{other / 'registry.db'}",
            witness_name=WITNESS,
            witness_key_file=str(tmp_path / "witness"),
            witnessed_logs_file=str(tmp_path / "logs"),
        ) as witness:
            key = witness_key.verifier_key(WITNESS, COSIGNATURE)
            address = WitnessAddress(key, "http://registry.test/add-checkpoint")
            engine = open_writer(sqlite_url)
            transport = httpx.ASGITransport(app=witness.app)
            asking = asyncio.create_task(
                ask_all([address], engine, Reader(engine), Arrivals(), transport=transport)
            )
            async with asyncio.timeout(20):
                while len(parse_note((await log.get("/checkpoint")).content).signatures) < 2:
                    await asyncio.sleep(0.02)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            engine.dispose()
        signed = parse_note((await log.get("/checkpoint")).content)
        assert [one.name for one in signed.signatures] == [ORIGIN, WITNESS]
        assert verified(signed, [key], verify)
