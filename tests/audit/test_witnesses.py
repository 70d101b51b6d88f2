"""Both sides of the protocol: being a witness, and asking one."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, select

from audit.conftest import Log
from conftest import ORIGIN
from registry.audit import checkpoints, witnesses
from registry.audit.configured import WitnessAddress, known_logs
from registry.audit.configured import witnesses as read_witnesses
from registry.audit.keys import KeyFault, SigningKey, make_key, verify
from registry.audit.publisher import Publisher, open_publisher
from registry.audit.standing import Behind
from registry.audit.witness import (
    BURST,
    NotExtending,
    NotSigned,
    SeenOther,
    TooOften,
    Witness,
    open_witness,
)
from registry.audit.witnesses import Asking, Refused, ask_all
from registry.config import Settings
from registry.errors import Malformed, NotFound
from registry.merkle.checkpoint import Checkpoint, format_checkpoint, format_submission
from registry.merkle.note import (
    COSIGNATURE,
    Note,
    Signature,
    cosignature_time,
    cosigned,
    format_note,
    format_signature,
    parse_note,
    parse_signatures,
    verified,
)
from registry.merkle.proof import Proof, consistency_nodes, prove_consistency, range_root, subtrees
from registry.merkle.tiles import Node
from registry.merkle.tree import EMPTY_ROOT, leaf_hash, node_hash
from registry.store.arrivals import Arrivals
from registry.store.reader import Reader
from registry.store.tables import witnessed

OTHER = "other.example/log"
WITNESS = "witness.example/w1"
NOW = 1_679_315_147


class OtherLog:
    """A log of somebody else, in memory: leaf i is the hash of i, under a seed of its own."""

    def __init__(self, key: SigningKey, origin: str = OTHER, seed: bytes = b"") -> None:
        self.key = key
        self.origin = origin
        self._seed = seed

    def node(self, node: Node) -> bytes:
        if node.level == 0:
            return leaf_hash(self._seed + node.n.to_bytes(4))
        below = node.level - 1
        return node_hash(self.node(Node(below, 2 * node.n)), self.node(Node(below, 2 * node.n + 1)))

    def root(self, size: int) -> bytes:
        if size == 0:
            return EMPTY_ROOT
        return range_root(0, size, {node: self.node(node) for node in subtrees(0, size)})

    def proof(self, old: int, new: int) -> Proof:
        return prove_consistency(old, new, {n: self.node(n) for n in consistency_nodes(old, new)})

    def note(self, size: int) -> Note:
        text = format_checkpoint(Checkpoint(self.origin, size, self.root(size)))
        return Note(text, (self.key.sign_note(self.origin, text),))

    def submission(self, old: int, new: int) -> bytes:
        return format_submission(old, self.proof(old, new), format_note(self.note(new)))


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return make_key(tmp_path / "witness")


@pytest.fixture
def other(tmp_path: Path) -> OtherLog:
    """A log that the witness knows."""
    return OtherLog(make_key(tmp_path / "other"))


@pytest.fixture
def witness(writing: Engine, key: SigningKey, other: OtherLog) -> Witness:
    logs = {OTHER: (other.key.verifier_key(OTHER),)}
    return Witness(writing, WITNESS, key, logs, clock=lambda: NOW)


def seen(engine: Engine, origin: str = OTHER) -> tuple[int, bytes] | None:
    with engine.connect() as connection:
        row = connection.execute(
            select(witnessed.c.size, witnessed.c.root).where(witnessed.c.origin == origin)
        ).first()
    return None if row is None else (row.size, row.root)


def test_a_checkpoint_that_extends_what_was_seen_is_cosigned(
    witness: Witness, other: OtherLog, key: SigningKey, writing: Engine
):
    for old, new in ((0, 5), (5, 300), (300, 300), (300, 301)):
        lines = witness.add_checkpoint(other.submission(old, new))
        note = other.note(new)
        signed = note._replace(signatures=(*note.signatures, *parse_signatures(lines)))
        (cosignature,) = verified(signed, [key.verifier_key(WITNESS, COSIGNATURE)], verify)
        assert cosignature_time(cosignature.signature) == NOW
        assert seen(writing) == (new, other.root(new))
    with writing.connect() as connection:
        kept = connection.scalar(select(witnessed.c.note))
    assert kept == format_note(note).decode() + lines


def test_an_empty_log_is_cosigned_too(witness: Witness, other: OtherLog, writing: Engine):
    witness.add_checkpoint(other.submission(0, 0))
    assert seen(writing) == (0, EMPTY_ROOT)
    witness.add_checkpoint(other.submission(0, 3))


def test_a_rollback_is_answered_with_the_size_that_was_seen(
    witness: Witness, other: OtherLog, writing: Engine
):
    witness.add_checkpoint(other.submission(0, 8))
    for old, new in ((0, 3), (3, 8), (3, 5), (0, 8), (0, 9)):
        with pytest.raises(SeenOther) as other_size:
            witness.add_checkpoint(other.submission(old, new))
        assert other_size.value.size == 8
    assert seen(writing) == (8, other.root(8))


def test_a_fork_is_not_cosigned(witness: Witness, other: OtherLog, writing: Engine):
    fork = OtherLog(other.key, seed=b"fork")
    witness.add_checkpoint(other.submission(0, 8))
    with pytest.raises(NotExtending):
        witness.add_checkpoint(fork.submission(8, 12))
    with pytest.raises(SeenOther):
        witness.add_checkpoint(fork.submission(8, 8))
    mixed = format_submission(8, other.proof(8, 12), format_note(fork.note(12)))
    with pytest.raises(NotExtending):
        witness.add_checkpoint(mixed)
    assert seen(writing) == (8, other.root(8))


def test_a_first_checkpoint_comes_without_a_proof(witness: Witness, other: OtherLog):
    with pytest.raises(NotExtending):
        witness.add_checkpoint(format_submission(0, (bytes(32),), format_note(other.note(3))))


def test_an_old_size_beyond_the_checkpoint_is_malformed(witness: Witness, other: OtherLog):
    with pytest.raises(Malformed, match="old size is larger"):
        witness.add_checkpoint(format_submission(4, (), format_note(other.note(3))))


def test_what_is_no_checkpoint_is_malformed(witness: Witness, other: OtherLog):
    text = "other.example/log\n03\n" + b64encode(bytes(32)).decode() + "\n"
    signed = format_note(Note(text, (other.key.sign_note(OTHER, text),)))
    for raw in (
        b"",
        b"old 0\n",
        b"old 0\n\nx\n\n",
        other.submission(0, 3)[:-1],
        format_submission(0, (), signed),
    ):
        with pytest.raises(Malformed, match="no checkpoint for a witness"):
            witness.add_checkpoint(raw)


def test_an_unknown_log_is_not_found(witness: Witness, other: OtherLog, writing: Engine):
    stranger = OtherLog(other.key, "stranger.example")
    with pytest.raises(NotFound):
        witness.add_checkpoint(stranger.submission(0, 3))
    assert seen(writing, "stranger.example") is None


def test_a_checkpoint_that_its_log_has_not_signed_is_refused(
    witness: Witness, other: OtherLog, key: SigningKey
):
    note = other.note(3)
    false = note.signatures[0]._replace(signature=bytes(64))
    for signatures in ((key.sign_note(OTHER, note.text),), (false,)):
        raw = format_submission(0, (), format_note(note._replace(signatures=signatures)))
        with pytest.raises(NotSigned):
            witness.add_checkpoint(raw)


def test_signatures_of_keys_that_are_not_known_are_passed_over(witness: Witness, other: OtherLog):
    note = other.note(3)
    more = (*note.signatures, Signature("another.example", b"abcd", bytes(2420)))
    assert witness.add_checkpoint(format_submission(0, (), format_note(note._replace(signatures=more))))


def test_a_log_is_cosigned_a_few_times_a_second(writing: Engine, key: SigningKey, other: OtherLog):
    now = [100.0]
    logs = {OTHER: (other.key.verifier_key(OTHER),)}
    limited = Witness(writing, WITNESS, key, logs, clock=lambda: now[0])
    for _ in range(int(BURST)):
        limited.add_checkpoint(other.submission(0, 0))
    with pytest.raises(TooOften):
        limited.add_checkpoint(other.submission(0, 0))
    now[0] += 0.25
    limited.add_checkpoint(other.submission(0, 0))
    with pytest.raises(TooOften):
        limited.add_checkpoint(other.submission(0, 0))


def test_of_two_at_once_one_is_cosigned_and_nothing_rolls_back(
    witness: Witness, other: OtherLog, writing: Engine
):
    witness.add_checkpoint(other.submission(0, 4))

    def add(size: int) -> int | None:
        try:
            witness.add_checkpoint(other.submission(4, size))
        except SeenOther:
            return None
        return size

    with ThreadPoolExecutor(4) as threads:
        cosigned_sizes = [size for size in threads.map(add, range(5, 13)) if size]
    assert len(cosigned_sizes) == 1
    assert seen(writing) == (cosigned_sizes[0], other.root(cosigned_sizes[0]))


def test_known_logs_are_read_from_a_file(tmp_path: Path, key: SigningKey, other: OtherLog):
    path = tmp_path / "logs"
    one, two = other.key.verifier_key("a.example"), key.verifier_key("a.example")
    named = key.verifier_key("key.example")
    path.write_text(f"# ours\n\n{one}\n  {two}\n{named} origin.example\n")
    assert known_logs(path) == {"a.example": (one, two), "origin.example": (named,)}


def test_witnesses_are_read_from_a_file(tmp_path: Path, key: SigningKey):
    path = tmp_path / "witnesses"
    one = key.verifier_key(WITNESS, COSIGNATURE)
    two = key.verifier_key("local", COSIGNATURE)
    path.write_text(f"{one} https://witness.example/w1/\n{two} http://127.0.0.1:9\n")
    assert read_witnesses(path) == [
        WitnessAddress(one, "https://witness.example/w1/add-checkpoint"),
        WitnessAddress(two, "http://127.0.0.1:9/add-checkpoint"),
    ]


def test_a_file_with_a_flaw_is_refused_with_the_line(tmp_path: Path, key: SigningKey):
    log_key, witness_key = key.verifier_key("a"), key.verifier_key("a", COSIGNATURE)
    path = tmp_path / "file"
    for line in (
        f"{witness_key}",
        f"{witness_key} http://witness.example",
        f"{witness_key} file:///etc/passwd",
        f"{witness_key} https://",
        f"{witness_key} https://a.example?x=1",
        f"{witness_key} https://a.example more",
        f"{log_key} https://a.example",
        "x https://a.example",
    ):
        path.write_text(f"# first\n{line}\n")
        with pytest.raises(KeyFault, match="line 2: "):
            read_witnesses(path)
    for line in (f"{witness_key}", f"{log_key} one two"):
        path.write_text(line)
        with pytest.raises(KeyFault, match="line 1: "):
            known_logs(path)
    path.write_text(f"{witness_key} https://a.example\n{witness_key} https://b.example\n")
    with pytest.raises(KeyFault, match="once"):
        read_witnesses(path)
    with pytest.raises(KeyFault, match="cannot read"):
        known_logs(tmp_path / "absent")


def test_a_registry_is_a_witness_when_all_of_it_is_configured(
    sqlite_url: str, sqlite_log: Log, tmp_path: Path, other: OtherLog, key: SigningKey
):
    logs = tmp_path / "logs"
    logs.write_text(str(other.key.verifier_key(OTHER)))
    full = {
        "witness_name": WITNESS,
        "witness_key_file": str(tmp_path / "witness"),
        "witnessed_logs_file": str(logs),
    }
    reader = Reader(sqlite_log.engine)
    assert open_witness(Settings(database=sqlite_url), sqlite_log.engine, reader) is None
    opened = open_witness(Settings(database=sqlite_url, **full), sqlite_log.engine, reader)
    assert opened is not None
    assert opened.add_checkpoint(other.submission(0, 1))
    for name in full:
        with pytest.raises(KeyFault, match="a witness needs"):
            open_witness(Settings(database=sqlite_url, **full | {name: ""}), sqlite_log.engine, reader)
    logs.write_text(str(other.key.verifier_key(ORIGIN)))
    with pytest.raises(KeyFault, match="own log"):
        open_witness(Settings(database=sqlite_url, **full), sqlite_log.engine, reader)


Answering = Callable[[httpx.Request], httpx.Response]


class World:
    """A published log, and a witness to ask, which answers as ``answer`` says."""

    def __init__(self, log: Log, reader: Reader, publisher: Publisher, key: SigningKey) -> None:
        self.log = log
        self.reader = reader
        self.publisher = publisher
        self.key = key
        self.verifier_key = key.verifier_key(WITNESS, COSIGNATURE)
        self.address = WitnessAddress(self.verifier_key, "https://witness.example/add-checkpoint")
        self.asked: list[bytes] = []
        self.answer: Answering = lambda _: httpx.Response(500)

    def transport(self) -> httpx.MockTransport:
        def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append(request.content)
            return self.answer(request)

        return httpx.MockTransport(handle)

    async def grow(self, count: int) -> None:
        await asyncio.to_thread(self.log.append, count)
        await asyncio.to_thread(self.publisher.step)

    def asking(self, client: httpx.AsyncClient) -> Asking:
        return Asking(self.address, self.log.engine, self.reader, self.publisher.published, client)

    async def ask(self, answer: Answering) -> None:
        """Ask once, as a process that has just started."""
        self.answer = answer
        async with httpx.AsyncClient(transport=self.transport()) as client:
            await self.asking(client).ask()

    def cosignatures(self) -> list[str]:
        with self.log.engine.connect() as connection:
            found = checkpoints.published(connection)
        assert found is not None
        return [one.name for one in parse_note(found.note).signatures if one.name != ORIGIN]

    def cosign(self, time: int = NOW, key: SigningKey | None = None, name: str = WITNESS) -> httpx.Response:
        """Cosign the last checkpoint whatever it is."""
        with self.log.engine.connect() as connection:
            found = checkpoints.published(connection)
        assert found is not None
        text = parse_note(found.note).text
        blob = time.to_bytes(8) + (key or self.key).sign(cosigned(time, text))
        key_id = (key or self.key).verifier_key(name, COSIGNATURE).key_id
        return httpx.Response(200, text=format_signature(Signature(name, key_id, blob)))


@pytest.fixture
def world(log: Log, reading: Engine, key: SigningKey, tmp_path: Path) -> World:
    reader = Reader(reading)
    keys = [make_key(tmp_path / "log")]
    publisher = Publisher(log.engine, reader, keys, kept=None, arrivals=Arrivals())
    return World(log, reader, publisher, key)


def size_answer(size: object) -> Answering:
    return lambda _: httpx.Response(409, text=f"{size}\n", headers={"Content-Type": "text/x.tlog.size"})


async def test_what_a_witness_cosigns_is_given_out(world: World):
    await world.grow(5)
    await world.ask(lambda _: world.cosign())
    assert world.cosignatures() == [WITNESS]
    assert world.asked[0].startswith(b"old 0\n\nregistry.test/log\n5\n")


async def test_lines_of_others_in_the_answer_are_passed_over(world: World, tmp_path: Path):
    await world.grow(5)
    stranger = make_key(tmp_path / "stranger")

    def answer(_: httpx.Request) -> httpx.Response:
        both = world.cosign(key=stranger, name="stranger.example").text + world.cosign().text
        return httpx.Response(200, text=both)

    await world.ask(answer)
    assert world.cosignatures() == [WITNESS]


async def test_a_log_without_a_checkpoint_asks_nobody(world: World):
    await world.ask(lambda _: httpx.Response(500))
    assert world.asked == []


async def test_a_witness_that_knows_an_earlier_size_gets_the_proof_from_there(world: World):
    await world.grow(5)

    def answer(request: httpx.Request) -> httpx.Response:
        return world.cosign() if request.content.startswith(b"old 3") else size_answer(3)(request)

    await world.ask(answer)
    assert [raw.split(b"\n")[0] for raw in world.asked] == [b"old 0", b"old 3"]
    assert world.cosignatures() == [WITNESS]


async def test_a_witness_that_has_seen_more_than_there_is_stops_the_log(world: World):
    await world.grow(5)
    with pytest.raises(Refused, match="it has seen 9 events"):
        await world.ask(size_answer(9))
    with pytest.raises(Behind, match="a witness has seen 9 events of the log, and there are 5"):
        await asyncio.to_thread(world.publisher.step)


async def test_a_witness_that_has_seen_a_newer_checkpoint_does_not_stop_the_log(world: World):
    await world.grow(5)
    await asyncio.to_thread(world.log.append, 4)
    with pytest.raises(Refused):
        await world.ask(size_answer(9))
    await asyncio.to_thread(world.publisher.step)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(500), "it answered 500"),
        (httpx.Response(301, headers={"Location": "http://127.0.0.1/"}), "it answered 301"),
        (httpx.Response(409, text="3\n"), "it answered 409"),
        (size_answer("\uff10"), "a size that is none"),
        (size_answer(0), "another tree of 0 events"),
        (httpx.Response(200, text=""), "cannot be read"),
        (httpx.Response(200, text="— x AAAAAAAA\n"), "no cosignature by its key"),
        (httpx.Response(200, content=b"x" * 70_000), "too long"),
    ],
    ids=range(8),
)
async def test_an_answer_that_is_none_is_refused(world: World, answer: httpx.Response | Answering, why: str):
    await world.grow(5)
    with pytest.raises(Refused, match=why):
        await world.ask(answer if callable(answer) else lambda _: answer)
    assert world.cosignatures() == []
    assert len(world.asked) == 1


async def test_a_false_or_timeless_cosignature_is_refused(world: World, tmp_path: Path):
    await world.grow(5)
    with pytest.raises(Refused, match="no cosignature"):
        await world.ask(lambda _: world.cosign(0))
    line = world.cosign().text
    await world.grow(1)
    with pytest.raises(Refused, match="no cosignature"):
        await world.ask(lambda _: httpx.Response(200, text=line))


async def test_witnesses_are_asked_for_as_long_as_the_log_grows(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(witnesses, "EVERY", 0.01)
    monkeypatch.setattr(witnesses, "RETRY", (0.01, 0.02))
    cosigned_once = asyncio.Event()
    troubles = [httpx.ConnectError("no route"), ZeroDivisionError("a fault")]

    def answer(_: httpx.Request) -> httpx.Response:
        if troubles:
            raise troubles.pop(0)
        asyncio.get_running_loop().call_soon(cosigned_once.set)
        return world.cosign()

    world.answer = answer
    await world.grow(3)
    every = asyncio.create_task(
        ask_all(
            [world.address],
            world.log.engine,
            world.reader,
            world.publisher.published,
            transport=world.transport(),
        )
    )
    for count in (2, 1):
        async with asyncio.timeout(20):
            await cosigned_once.wait()
            while world.cosignatures() != [WITNESS]:
                await asyncio.sleep(0.01)
        cosigned_once.clear()
        await world.grow(count)
        world.publisher.published.announce(3 + count)
    async with asyncio.timeout(20):
        while world.cosignatures() != [WITNESS]:
            await asyncio.sleep(0.01)
    every.cancel()
    await asyncio.gather(every, return_exceptions=True)
    assert [record.message for record in caplog.records if record.name == witnesses.__name__] == [
        f"{WITNESS} has not cosigned: no route",
        f"{WITNESS} could not be asked",
    ]
    assert world.asked[-1].startswith(b"old 5\n")


async def test_a_process_that_starts_again_goes_on_where_it_was(world: World):
    await world.grow(5)
    await world.ask(lambda _: world.cosign())
    await world.grow(2)
    world.asked.clear()
    world.answer = lambda _: world.cosign()
    every = asyncio.create_task(
        ask_all([world.address], world.log.engine, world.reader, Arrivals(), transport=world.transport())
    )
    async with asyncio.timeout(20):
        while not world.cosignatures():
            await asyncio.sleep(0.01)
    every.cancel()
    await asyncio.gather(every, return_exceptions=True)
    assert world.asked[0].startswith(b"old 5\n")


async def test_a_publisher_asks_the_witnesses_that_are_configured(
    sqlite_url: str, sqlite_log: Log, key: SigningKey, tmp_path: Path
):
    file = tmp_path / "witnesses"
    file.write_text(f"{key.verifier_key(WITNESS, COSIGNATURE)} https://witness.example\n")
    one = open_publisher(
        Settings(database=sqlite_url, witnesses_file=str(file)),
        sqlite_log.engine,
        Reader(sqlite_log.engine),
        arrivals=Arrivals(),
        on_standing=lambda _: None,
    )
    assert one.beside is not None
    one.close()
