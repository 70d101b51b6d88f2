import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update

from audit.conftest import Log
from conftest import ORIGIN
from registry.audit import checkpoints, publisher
from registry.audit.checkpoints import Contradiction, Published
from registry.audit.keys import KeyFault, SigningKey, make_key, verify
from registry.audit.origin import give_up_origin
from registry.audit.publisher import Publisher, open_publisher
from registry.audit.standing import Behind, Kept, look
from registry.audit.verify import verify as verify_log
from registry.config import Settings
from registry.errors import Unavailable
from registry.merkle.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from registry.merkle.note import COSIGNATURE, Signature, parse_note, verified
from registry.store import leases
from registry.store.arrivals import Arrivals
from registry.store.database import open_writer
from registry.store.head import read_head
from registry.store.reader import Reader
from registry.store.tables import event, log_checkpoint, log_head, log_signature


class Crash(Exception):
    """The process is gone."""


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return make_key(tmp_path / "key")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "checkpoint")


@pytest.fixture
def reader(reading: Engine) -> Reader:
    return Reader(reading)


@pytest.fixture
def publishing(writing: Engine, reader: Reader, key: SigningKey, kept: Kept) -> Callable[..., Publisher]:
    """A publisher as a process has it."""

    def make(*keys: SigningKey, **further) -> Publisher:
        further = {"kept": kept, "arrivals": Arrivals(), **further}
        return Publisher(writing, reader, keys or (key,), **further)

    return make


def read(engine: Engine, size: int | None = None) -> Published:
    with engine.connect() as connection:
        found = checkpoints.published(connection, size)
    assert found is not None
    return found


def test_a_log_that_never_signed_has_no_checkpoint(log: Log):
    log.append(3)
    with log.engine.connect() as connection:
        assert checkpoints.published(connection) is None
        assert checkpoints.latest(connection, ORIGIN) is None


def test_the_head_is_signed_kept_and_stored(log: Log, publishing, key: SigningKey, kept: Kept):
    log.append(5)
    publishing().step()
    given = read(log.engine)
    note = parse_note(given.note)
    assert parse_checkpoint(note.text) == (ORIGIN, 5, log.root(), ())
    assert verified(note, [key.verifier_key(ORIGIN)], verify) == note.signatures
    assert kept.path.read_bytes() == given.note


def test_an_empty_log_has_a_checkpoint_too(log: Log, publishing):
    publishing().step()
    assert read(log.engine).size == 0


def test_earlier_checkpoints_stay(log: Log, publishing, reading: Engine):
    one = publishing()
    one.step()
    for count in (3, 300):
        log.append(count)
        one.step()
    one.step()
    assert [read(log.engine, size).size for size in (0, 3, 303)] == [0, 3, 303]
    assert read(log.engine).size == 303
    with log.engine.connect() as connection:
        assert checkpoints.published(connection, 100) is None
    report = verify_log(reading)
    assert report.ok
    assert report.checkpoints == 3


def test_two_publishers_give_out_the_same_checkpoint(log: Log, publishing):
    log.append(5)
    publishing().step()
    first = read(log.engine)
    publishing().step()
    assert read(log.engine) == first


@pytest.mark.parametrize("where", ["signed", "kept", "stored"])
def test_a_crash_between_any_two_steps_leaves_one_checkpoint_of_a_size(
    log: Log, publishing, kept: Kept, where: str
):
    def crash(at: str) -> None:
        if at == where:
            raise Crash

    log.append(5)
    with pytest.raises(Crash):
        publishing(fault=crash).step()
    left = kept.path.read_bytes() if kept.path.exists() else None
    again = publishing()
    again.step()
    assert left in (None, read(log.engine).note)
    log.append(5)
    again.step()
    assert [read(log.engine, size).size for size in (5, 10)] == [5, 10]
    assert read(log.engine, 5).note == (left or read(log.engine, 5).note)


@pytest.mark.parametrize("where", ["signed", "kept", "stored"])
def test_nothing_is_stored_that_is_not_kept(log: Log, publishing, kept: Kept, where: str):
    def look_at_what_is_there(at: str) -> None:
        assert kept.path.exists() == (at != "signed")
        with log.engine.connect() as connection:
            assert (checkpoints.published(connection) is not None) == (at == "stored")
        reached.append(at)

    reached: list[str] = []
    log.append(1)
    publishing(fault=look_at_what_is_there).step()
    assert where in reached


def test_a_log_that_is_behind_the_kept_checkpoint_is_not_signed(
    log: Log, publishing, kept: Kept, key: SigningKey
):
    log.append(5)
    publishing().step()
    text = format_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)))
    kept.write(f"{text}\n— x AAAAAAAA\n".encode())
    with pytest.raises(Behind, match=r"kept checkpoint is of 9 events, and there are 5; .*new-origin"):
        publishing().step()


def test_a_log_that_is_another_than_the_kept_one_is_not_signed(log: Log, publishing, kept: Kept):
    log.append(5)
    for size, origin in ((3, ORIGIN), (5, ORIGIN), (0, ORIGIN), (5, "another.example")):
        text = format_checkpoint(Checkpoint(origin, size, bytes(32)))
        kept.write(f"{text}\n— x AAAAAAAA\n".encode())
        with pytest.raises(Behind):
            publishing().step()


def test_a_kept_checkpoint_that_cannot_be_read_stops_the_signing(log: Log, publishing, kept: Kept):
    kept.path.write_bytes(b"half of it")
    with pytest.raises(Behind, match="cannot be read"):
        publishing().step()
    kept.path.unlink()
    kept.path.mkdir()
    with pytest.raises(Behind, match="cannot be read"):
        publishing().step()


def test_a_log_whose_past_was_changed_is_not_signed(written_log: Log, attacker, tmp_path: Path):
    engine = written_log.engine
    one = Publisher(engine, Reader(engine), [make_key(tmp_path / "key")], kept=None, arrivals=Arrivals())
    one.step()
    written_log.append(5)
    with engine.begin() as connection:
        connection.execute(update(event).where(event.c.position == 299).values(leaf_hash=bytes(32)))
    with pytest.raises(Behind, match="does not extend its last checkpoint, of 300 events"):
        one.step()


def test_a_log_that_lost_events_is_not_signed(written_log: Log, attacker, tmp_path: Path):
    engine = written_log.engine
    one = Publisher(engine, Reader(engine), [make_key(tmp_path / "key")], kept=None, arrivals=Arrivals())
    one.step()
    written_log.append(5)
    with engine.begin() as connection:
        connection.execute(event.delete().where(event.c.position == 299))
    with pytest.raises(Behind, match="does not extend"):
        one.step()


def test_a_log_that_is_behind_what_a_witness_has_seen_is_not_signed(log: Log, publishing):
    log.append(5)
    one = publishing()
    one.step()
    for size in (7, 6):
        with log.engine.begin() as connection:
            checkpoints.note_seen_by_witness(connection, ORIGIN, size)
    with pytest.raises(Behind, match="a witness has seen 7 events of the log, and there are 5"):
        one.step()
    log.append(2)
    one.step()


def test_two_roots_are_never_signed_for_one_size(log: Log, publishing):
    log.append(5)
    with log.engine.begin() as connection:
        connection.execute(log_checkpoint.insert().values(size=5, root=bytes(32)))
    with pytest.raises(Contradiction, match="another root"):
        publishing().step()


def test_while_the_key_changes_both_sign(log: Log, publishing, key: SigningKey, tmp_path: Path):
    after = make_key(tmp_path / "next")
    log.append(2)
    publishing(key).step()
    both = publishing(key, after)
    both.check_keys()
    both.step()
    note = parse_note(read(log.engine).note)
    assert len(verified(note, [key.verifier_key(ORIGIN), after.verifier_key(ORIGIN)], verify)) == 2
    log.append(1)
    only = publishing(after)
    only.check_keys()
    only.step()
    assert [one.key_id for one in parse_note(read(log.engine).note).signatures] == [
        after.verifier_key(ORIGIN).key_id
    ]


def test_a_key_that_nobody_was_told_of_does_not_sign(log: Log, publishing, tmp_path: Path):
    stranger = make_key(tmp_path / "stranger")
    publishing(stranger).check_keys()
    publishing().step()
    with pytest.raises(KeyFault, match="signed by another key"):
        publishing(stranger).check_keys()


def test_an_origin_that_is_no_name_of_a_key_is_told(log: Log, publishing):
    with log.engine.begin() as connection:
        connection.execute(update(log_head).values(origin="two words"))
    with pytest.raises(KeyFault, match="'two words' cannot sign"):
        publishing().check_keys()


def test_a_cosignature_is_stored_and_given_out_behind_the_log(log: Log, publishing, tmp_path: Path):
    publishing().step()
    witness = make_key(tmp_path / "witness").verifier_key("a.witness", COSIGNATURE)
    line = Signature("a.witness", witness.key_id, (7).to_bytes(8) + b"x" * 64)
    later = line._replace(signature=(8).to_bytes(8) + b"y" * 64)
    with log.engine.begin() as connection:
        assert checkpoints.last_cosigned(connection, witness) == 0
        checkpoints.store_cosignature(connection, 0, line)
        checkpoints.store_cosignature(connection, 0, later)
        with pytest.raises(ValueError, match="a cosignature is"):
            checkpoints.store_cosignature(connection, 0, line._replace(signature=b"x"))
    assert parse_note(read(log.engine).note).signatures[1:] == (line,)
    assert parse_note(read(log.engine).note).signatures[0].name == ORIGIN


def test_a_size_signed_under_two_origins_shows_what_belongs_to_the_one_of_today(
    log: Log, publishing, kept: Kept
):
    log.append(3)
    publishing().step()
    line = Signature("a.witness", b"wxyz", (7).to_bytes(8) + b"x" * 64)
    with log.engine.begin() as connection:
        checkpoints.store_cosignature(connection, 3, line)
        connection.execute(update(log_head).values(origin="registry.test/two"))
    with log.engine.connect() as connection:
        assert checkpoints.published(connection) is None
    publishing().step()
    note = parse_note(read(log.engine).note)
    assert parse_checkpoint(note.text).origin == "registry.test/two"
    assert [one.name for one in note.signatures] == ["registry.test/two"]


@asynccontextmanager
async def running(one: Publisher) -> AsyncIterator[None]:
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        one.close()


async def test_what_arrives_is_published_within_a_second(log: Log, publishing):
    arrivals = Arrivals()
    one = publishing(arrivals=arrivals)
    clock = asyncio.get_running_loop().time
    async with running(one):
        for size in (3, 6, 9):
            await asyncio.to_thread(log.append, 3)
            arrivals.announce(size)
            begun = clock()
            await one.published.wait(size - 1, 10)
            assert clock() - begun < 1
            assert read(log.engine).size >= size


async def test_what_another_process_appends_is_published_without_being_told(log: Log, publishing):
    one = publishing()
    async with running(one):
        await asyncio.to_thread(log.append, 3)
        await one.published.wait(2, 10)
    assert read(log.engine).size == 3


async def test_one_process_publishes_and_the_other_takes_over(log: Log, publishing, writing: Engine):
    def held_by() -> str:
        with writing.connect() as connection:
            return connection.scalar(select(leases.lease.c.owner).where(leases.lease.c.until > 0))

    one = publishing()
    await asyncio.to_thread(log.append, 1)
    async with running(one):
        await one.published.wait(0, 10)
        assert held_by() == leases.OWNER
    assert held_by() is None
    await asyncio.to_thread(log.append, 1)
    two = publishing()
    async with running(two):
        await two.published.wait(1, 10)
    assert read(log.engine).size == 2


async def test_who_does_not_publish_watches(log: Log, publishing, writing: Engine, kept: Kept, caplog):
    leases.acquire(writing, publisher.LEASE, owner="another", ttl=60_000_000)
    said: asyncio.Queue[str] = asyncio.Queue()
    kept.path.write_bytes(b"not readable")
    one = publishing(on_standing=said.put_nowait)
    async with running(one):
        assert "cannot be read" in await said.get()
        kept.path.unlink()
        while await said.get():
            pass
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    with log.engine.connect() as connection:
        assert checkpoints.published(connection) is None


async def test_without_a_key_nothing_is_published(log: Log, writing: Engine, reader: Reader):
    said: asyncio.Queue[str] = asyncio.Queue()
    one = Publisher(writing, reader, (), kept=None, arrivals=Arrivals(), on_standing=said.put_nowait)
    async with running(one):
        assert await said.get() == ""
    with log.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(log_signature)) == 0


async def test_a_lease_that_was_lost_ends_the_publishing(
    log: Log, publishing, writing: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(publisher, "RENEWED_EVERY", -1.0)
    began = asyncio.Event()
    ended = asyncio.Event()

    async def beside() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    one = publishing()
    one.beside = beside
    async with running(one):
        await began.wait()
        with writing.begin() as connection:
            connection.execute(leases.lease.update().values(owner="another", until=2**62, fence=99))
        await ended.wait()


async def test_whatever_goes_wrong_is_logged_and_tried_again(log: Log, publishing, caplog):
    troubles = iter([Unavailable("gone"), OSError("disk full")])

    def trouble(at: str) -> None:
        if at == "signed" and (error := next(troubles, None)):
            raise error

    one = publishing(fault=trouble)
    await asyncio.to_thread(log.append, 1)
    async with running(one):
        await one.published.wait(0, 10)
    assert [record.message for record in caplog.records] == ["the publisher waits: gone", "publishing failed"]


async def test_a_publisher_refuses_until_the_log_is_back(log: Log, publishing, kept: Kept):
    standing: list[str] = []
    one = publishing(on_standing=standing.append)
    text = format_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)))
    kept.write(f"{text}\n— x AAAAAAAA\n".encode())
    await one.watch()
    assert standing == [str(Behind("the kept checkpoint is of 9 events, and there are 0"))]
    async with running(one):
        while len(standing) < 3:
            await asyncio.sleep(0.01)
        kept.path.unlink()
        while standing[-1]:
            await asyncio.sleep(0.01)
    assert read(log.engine).size == 0


def test_looking_gives_the_head(log: Log, reader: Reader):
    log.append(2)
    with log.engine.connect() as connection:
        assert look(reader, None) == read_head(connection)


def test_a_publisher_is_opened_with_the_keys_of_the_log_only(
    sqlite_url: str, sqlite_log: Log, tmp_path: Path
):
    def opened(**settings: str) -> Publisher:
        return open_publisher(
            Settings(database=sqlite_url, **settings),
            sqlite_log.engine,
            Reader(sqlite_log.engine),
            arrivals=Arrivals(),
            on_standing=lambda _: None,
        )

    opened().step()
    opened().step()
    make_key(tmp_path / "another")
    with pytest.raises(KeyFault, match="signed by another key"):
        opened(log_key_file=str(tmp_path / "another"))
    (tmp_path / "registry.db.key").unlink()
    with pytest.raises(KeyFault, match="cannot read the key"):
        opened()


@pytest.mark.postgres
def test_on_postgresql_a_publisher_without_a_key_only_watches(postgres_url: str, tmp_path: Path):
    engine = open_writer(postgres_url)
    further = {"arrivals": Arrivals(), "on_standing": lambda _: None}
    one = open_publisher(Settings(database=postgres_url), engine, Reader(engine), **further)
    one.close()
    engine.dispose()


async def test_a_publisher_that_stops_behind_a_checkpoint_says_so(log: Log, publishing, kept: Kept, caplog):
    kept.path.write_bytes(b"not readable")
    one = publishing()
    async with running(one):
        await asyncio.sleep(0)
    assert caplog.records[-1].message.startswith("the publisher stops: ")


def test_an_origin_is_given_up_for_a_new_one(log: Log, publishing, key: SigningKey, kept: Kept):
    log.append(5)
    publishing().step()
    lost = Checkpoint(ORIGIN, 9, bytes(32))
    kept.write(f"{format_checkpoint(lost)}\n— x AAAAAAAA\n".encode())
    with pytest.raises(Behind):
        publishing().step()
    first = give_up_origin(log.engine, [key], kept, "registry.test/two")
    assert parse_checkpoint(parse_note(first.note).text) == ("registry.test/two", 5, log.root(), ())
    assert kept.path.read_bytes() == first.note == read(log.engine).note
    log.append(1)
    publishing().step()
    assert read(log.engine).size == 6


def test_a_file_of_an_origin_that_was_given_up_elsewhere_is_no_hindrance(
    log: Log, publishing, key, kept: Kept
):
    publishing().step()
    give_up_origin(log.engine, [key], None, "registry.test/two")
    assert parse_checkpoint(parse_note(kept.path.read_bytes()).text).origin == ORIGIN
    log.append(1)
    publishing().step()
    assert kept.path.read_bytes() == read(log.engine).note


@pytest.mark.parametrize("origin", [ORIGIN, "registry.test/one", "two words", "", "a+b"])
def test_an_origin_is_new_and_a_name(log: Log, publishing, key: SigningKey, origin: str):
    with log.engine.begin() as connection:
        connection.execute(update(log_head).values(origin="registry.test/one"))
    publishing().step()
    with log.engine.begin() as connection:
        connection.execute(update(log_head).values(origin=ORIGIN))
    with pytest.raises(KeyFault, match="origin"):
        give_up_origin(log.engine, [key], None, origin)


def test_an_origin_is_not_given_up_without_a_key(log: Log):
    with pytest.raises(KeyFault, match="REGISTRY_LOG_KEY_FILE"):
        give_up_origin(log.engine, [], None, "registry.test/two")


async def test_a_log_that_was_never_signed_is_signed_before_anything_else(log: Log, publishing):
    one = publishing()
    await one.begin()
    assert read(log.engine).size == 0
    await asyncio.to_thread(log.append, 1)
    await one.begin()
    assert read(log.engine).size == 0
    one.close()


async def test_a_lease_is_kept_for_as_long_as_there_is_something_to_publish(
    log: Log, publishing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(publisher, "RENEWED_EVERY", -1.0)
    one = publishing()
    async with running(one):
        for size in (1, 2):
            await asyncio.to_thread(log.append, 1)
            await one.published.wait(size - 1, 10)
    assert read(log.engine).size == 2
