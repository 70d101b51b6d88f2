"""From one kind of database to the other: the same log, or none at all."""

import json
import os
import signal
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text

from audit.conftest import Log, write
from conftest import ORIGIN
from registry.audit import imported, taken
from registry.audit.checkpoints import note_seen_by_witness, store_cosignature
from registry.audit.imported import Imported, import_whole_log
from registry.audit.keys import SigningKey, make_key
from registry.audit.publisher import Publisher
from registry.audit.taken import Unfit, open_bundle
from registry.audit.verify import verify
from registry.audit.whole_log import write_whole_log
from registry.domain.subset import canonical
from registry.errors import Unavailable
from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.entry import parse_entry
from registry.merkle.note import COSIGNATURE, Signature, cosigned
from registry.store.arrivals import Arrivals
from registry.store.copied import is_empty
from registry.store.database import open_writer
from registry.store.reader import Reader
from registry.store.tables import (
    event,
    event_part,
    log_checkpoint,
    log_head,
    log_signature,
    log_tile,
    witnessed,
)

CARRIED = (event, event_part, log_tile, log_head, log_checkpoint, log_signature, witnessed)
WITNESS = "witness.example/w1"


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return make_key(tmp_path / "key")


@pytest.fixture
def witness(tmp_path: Path) -> SigningKey:
    return make_key(tmp_path / "witness")


@pytest.fixture
def signed(log: Log, key: SigningKey, witness: SigningKey) -> Log:
    """A log with everything in it, signed and cosigned; who has seen it is known."""
    write(log)
    publisher = Publisher(log.engine, Reader(log.engine), [key], kept=None, arrivals=Arrivals())
    publisher.step()
    publisher.close()
    head = log.head()
    note = format_checkpoint(Checkpoint(ORIGIN, head.size, head.root))
    name = witness.verifier_key(WITNESS, COSIGNATURE)
    cosignature = (7).to_bytes(8) + witness.sign(cosigned(7, note))
    with log.engine.begin() as connection:
        store_cosignature(connection, head.size, Signature(WITNESS, name.key_id, cosignature))
        note_seen_by_witness(connection, ORIGIN, head.size)
    return log


@pytest.fixture
def bundle(signed: Log, key: SigningKey, witness: SigningKey, tmp_path: Path) -> Path:
    keys = [key.verifier_key(ORIGIN), witness.verifier_key(WITNESS, COSIGNATURE)]
    write_whole_log(Reader(signed.engine), tmp_path / "bundle", keys=keys)
    return tmp_path / "bundle"


@pytest.fixture
def other_url(database_url: str, request: pytest.FixtureRequest) -> str:
    """An empty database of the other kind."""
    kind = "postgres_url" if database_url.startswith("sqlite") else "sqlite_url"
    url: str = request.getfixturevalue(kind)
    return url


@pytest.fixture
def other(other_url: str) -> Iterator[Engine]:
    engine = open_writer(other_url)
    yield engine
    engine.dispose()


@pytest.fixture
def empty(sqlite_url: str) -> Iterator[Engine]:
    """An empty database of the quicker kind, for what is refused anyway."""
    engine = open_writer(sqlite_url.replace("registry.db", "empty.db"))
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.with_name("empty.db").write_bytes(path.read_bytes())
    yield engine
    engine.dispose()


def rows(engine: Engine) -> dict[str, set[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {table.name: {tuple(row) for row in connection.execute(select(table))} for table in CARRIED}


def nothing_in(engine: Engine) -> bool:
    with engine.connect() as connection:
        size = connection.scalar(select(log_head.c.size))
        return is_empty(connection) and size == 0


def take(engine: Engine, bundle: Path, **further: Any) -> Imported:
    return import_whole_log(engine, open_bundle(bundle), **further)


def test_the_same_log_is_in_both(signed: Log, bundle: Path, other: Engine, key: SigningKey):
    made = take(other, bundle, trusted=[key.verifier_key(ORIGIN)])
    assert rows(other) == rows(signed.engine)
    assert (made.report.ok, made.report.events, made.report.root) == (True, signed.head().size, signed.root())
    assert (made.signatures, made.unknown, made.report.erased) == (2, 0, 6)


def test_what_was_imported_is_exported_as_the_same_bytes(
    bundle: Path, other: Engine, key: SigningKey, witness: SigningKey, tmp_path: Path
):
    take(other, bundle)
    keys = [key.verifier_key(ORIGIN), witness.verifier_key(WITNESS, COSIGNATURE)]
    write_whole_log(Reader(other), tmp_path / "again", keys=keys)
    for path in bundle.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_log_goes_on_where_it_was(signed: Log, bundle: Path, other: Engine):
    take(other, bundle)
    next_, size = Log(other), signed.head().size
    next_._streams, next_._versions = signed._streams, signed._versions
    next_.append(230)
    report = verify(other)
    assert (report.ok, report.events, report.tiles) == (True, size + 230, 2)


def test_progress_is_told(bundle: Path, other: Engine, signed: Log, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imported, "PAGE", 100)
    writing: list[tuple[int, int]] = []
    take(other, bundle, importing=lambda *done: writing.append(done))
    size = signed.head().size
    assert writing == [(min(done, size), size) for done in range(100, size + 100, 100)]


def test_a_database_in_which_something_was_recorded_is_left_as_it_is(bundle: Path, other: Engine):
    Log(other).append(1)
    before = rows(other)
    with pytest.raises(Unfit, match="not empty"):
        take(other, bundle)
    assert rows(other) == before


def test_a_database_that_has_signed_is_left_as_it_is(bundle: Path, empty: Engine):
    with empty.begin() as connection:
        connection.execute(insert(log_checkpoint).values(size=0, root=b""))
    with pytest.raises(Unfit, match="not empty"):
        take(empty, bundle)


@pytest.mark.parametrize("at", ["importing", "verifying"])
def test_an_import_that_is_killed_has_never_happened(bundle: Path, other: Engine, other_url: str, at: str):
    program = (
        "import os, signal, sys; from pathlib import Path; from registry.audit.imported import import_whole_log; "
        "from registry.audit.taken import open_bundle; from registry.store.database import open_writer; "
        "import_whole_log(open_writer(sys.argv[1]), open_bundle(Path(sys.argv[2])), "
        f"{at}=lambda done, total: os.kill(os.getpid(), signal.SIGKILL) if done else None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, other_url, str(bundle)], env=dict(os.environ), check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert nothing_in(other)
    assert take(other, bundle).report.ok


def test_a_database_that_is_away_is_said(bundle: Path, tmp_path: Path):
    engine = open_writer("postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(Unavailable):
        take(engine, bundle)
    engine.dispose()


Change = Callable[[list[dict[str, Any]]], object]


def change(bundle: Path, name: str, do: Change) -> None:
    """Change the lines of a file, and the manifest with it, as somebody with the bundle could."""
    lines = [json.loads(line) for line in (bundle / name).read_bytes().splitlines()]
    do(lines)
    settle(bundle, name, b"".join(canonical(line) + b"\n" for line in lines))


def settle(bundle: Path, name: str, content: bytes) -> None:
    (bundle / name).write_bytes(content)
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    if name != "manifest.json":
        manifest["files"][name] = sha256(content).hexdigest()
        (bundle / "manifest.json").write_bytes(canonical(manifest))


def flip(encoded: str) -> str:
    content = bytearray(b64decode(encoded))
    content[-1] ^= 1
    return b64encode(content).decode()


def alter(line: dict[str, Any], **fields: Any) -> None:
    """Change an entry so that it holds by itself."""
    from registry.merkle.entry import encode_entry

    entry = parse_entry(b64decode(line["entry"]))._replace(**fields)
    line["entry"] = b64encode(encode_entry(**entry._asdict())).decode()


@pytest.mark.parametrize(
    ("name", "do", "said"),
    [
        ("entries.ndjson", lambda ls: ls.pop(), "not of the 299 events"),
        ("entries.ndjson", lambda ls: ls.clear(), "not of the 0 events"),
        ("entries.ndjson", lambda ls: ls.pop(7), "line 8: position 8 comes next"),
        ("entries.ndjson", lambda ls: ls.insert(1, ls[0]), "line 2: position 2 comes next"),
        ("entries.ndjson", lambda ls: ls[4].update(withheld=[1]), "line 5: a part is held back"),
        ("entries.ndjson", lambda ls: ls[4].update(further=1), "line 5: Object contains unknown field"),
        ("entries.ndjson", lambda ls: ls[4].update(proof=[""]), "line 5: "),
        ("entries.ndjson", lambda ls: ls[4].update(entry="QQ=="), "line 5: the entry is no JSON"),
        ("entries.ndjson", lambda ls: ls[4].update(entry="QR=="), "line 5: it is not in its canonical form"),
        ("entries.ndjson", lambda ls: ls[0]["parts"][0].update(data=flip(ls[0]["parts"][0]["data"])), "line 1: part 0 does not fit"),
        ("entries.ndjson", lambda ls: ls[0]["parts"][0].update(salt=flip(ls[0]["parts"][0]["salt"])), "line 1: part 0 does not fit"),
        ("entries.ndjson", lambda ls: ls[0]["parts"].append(ls[0]["parts"][0]), "line 1: its parts are not those"),
        ("entries.ndjson", lambda ls: ls[0]["parts"][0].update(no=9), "line 1: its parts are not those"),
        ("entries.ndjson", lambda ls: ls[0]["parts"].pop(), "position 1: part 1 is missing and no later event"),
        ("entries.ndjson", lambda ls: alter(ls[8], recorded_at=1), "not of the 300 events"),
        ("entries.ndjson", lambda ls: alter(ls[8], id="event-1"), "line 9: part 0 does not fit"),
        ("checkpoints.ndjson", lambda ls: ls[1].update(root=flip(ls[1]["root"])), "checkpoint 100: its root is not"),
        ("checkpoints.ndjson", lambda ls: ls[-1]["signatures"][0].update(signature=flip(ls[-1]["signatures"][0]["signature"])), "a signature of registry.test/log on size 300 does not hold"),
        ("checkpoints.ndjson", lambda ls: ls[-1]["signatures"][1].update(signature=flip(ls[-1]["signatures"][1]["signature"])), "a signature of witness.example/w1 on size 300 does not hold"),
        ("checkpoints.ndjson", lambda ls: ls[-1]["signatures"][1].update(time=-1), "a signature of witness.example/w1"),
        ("checkpoints.ndjson", lambda ls: ls.pop(), "the checkpoint of the bundle is not among them"),
        ("checkpoints.ndjson", lambda ls: ls.append({**ls[-1], "size": 301}), "size 301 does not hold"),
        ("checkpoints.ndjson", lambda ls: ls.append({**ls[-1], "size": 301, "signatures": []}), "stop the service, then export"),
        ("checkpoints.ndjson", lambda ls: ls.reverse(), "comes behind size 300"),
        ("witnessed.ndjson", lambda ls: ls.append(ls[0]), "stands twice"),
    ],
)  # fmt: skip
def test_whatever_does_not_hold_is_named_and_nothing_is_imported(
    name: str, do: Change, said: str, empty: Engine, sqlite_bundle: Path
):
    change(sqlite_bundle, name, do)
    with pytest.raises(Unfit, match=said):
        take(empty, sqlite_bundle)
    assert nothing_in(empty)
    with empty.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM witnessed")).scalar() == 0


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A bundle of a log of 300 events on SQLite, made once."""
    home = tmp_path_factory.mktemp("exported")
    (home / "registry.db").write_bytes(sqlite_template.read_bytes())
    engine = open_writer(f"sqlite:///{home}/registry.db")
    log, key, witness = Log(engine), make_key(home / "key"), make_key(home / "witness")
    write(log)
    publisher = Publisher(engine, Reader(engine), [key], kept=None, arrivals=Arrivals())
    publisher.step()
    publisher.close()
    head = log.head()
    note = format_checkpoint(Checkpoint(ORIGIN, head.size, head.root))
    name = witness.verifier_key(WITNESS, COSIGNATURE)
    with engine.begin() as connection:
        blob = (7).to_bytes(8) + witness.sign(cosigned(7, note))
        store_cosignature(connection, head.size, Signature(WITNESS, name.key_id, blob))
        note_seen_by_witness(connection, ORIGIN, head.size)
    write_whole_log(Reader(engine), home / "bundle", keys=[key.verifier_key(ORIGIN), name])
    engine.dispose()
    return home / "bundle"


@pytest.fixture
def sqlite_bundle(exported: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in exported.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def test_a_key_that_has_not_signed_is_not_believed(sqlite_bundle: Path, empty: Engine, tmp_path: Path):
    stranger = make_key(tmp_path / "stranger")
    with pytest.raises(Unfit, match="no key that is known has signed"):
        take(empty, sqlite_bundle, trusted=[stranger.verifier_key(ORIGIN)])
    settle(sqlite_bundle, "keys.txt", b"")
    with pytest.raises(Unfit, match="no key that is known has signed"):
        take(empty, sqlite_bundle)


def test_signatures_by_unknown_keys_are_taken_and_counted(sqlite_bundle: Path, empty: Engine):
    log_key = (sqlite_bundle / "keys.txt").read_bytes().split(b"\n")[0]
    settle(sqlite_bundle, "keys.txt", log_key + b"\n")
    made = take(empty, sqlite_bundle)
    assert (made.signatures, made.unknown) == (1, 1)


def test_a_signature_of_the_wrong_kind_does_not_hold(sqlite_bundle: Path, empty: Engine):
    change(sqlite_bundle, "checkpoints.ndjson", lambda ls: ls[-1]["signatures"][0].update(time=7))
    with pytest.raises(Unfit, match=r"a signature of registry\.test/log on size 300 does not hold"):
        take(empty, sqlite_bundle)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("manifest.json", b"{}", "missing required field"),
        ("checkpoint", b"none", "a note is a text"),
        ("keys.txt", b"none\n", "a verifier key is"),
        ("keys.txt", b"\xff\n", "keys.txt"),
        ("keys.txt", b"x" * ((1 << 20) + 1), "is too large"),
        ("entries.ndjson", b"{}", "line 1: it is too long or has no end"),
        ("entries.ndjson", b"\xff\n", "line 1: "),
    ],
)
def test_a_file_that_is_none_is_named(
    sqlite_bundle: Path, empty: Engine, name: str, content: bytes, said: str
):
    settle(sqlite_bundle, name, content)
    with pytest.raises(Unfit, match=said):
        take(empty, sqlite_bundle)
    assert nothing_in(empty)


@pytest.mark.parametrize("name", ["checkpoint", "entries.ndjson", "checkpoints.ndjson", "witnessed.ndjson"])
def test_a_file_that_is_not_the_one_of_the_manifest_is_named(sqlite_bundle: Path, empty: Engine, name: str):
    manifest = json.loads((sqlite_bundle / "manifest.json").read_bytes())
    manifest["files"][name] = "0" * 64
    (sqlite_bundle / "manifest.json").write_bytes(canonical(manifest))
    with pytest.raises(Unfit, match=f"{name}: it is not the file that the manifest names"):
        take(empty, sqlite_bundle)
    assert nothing_in(empty)


def test_a_manifest_of_something_else_is_refused(sqlite_bundle: Path, empty: Engine):
    manifest = json.loads((sqlite_bundle / "manifest.json").read_bytes())
    for otherwise in ({"size": 5}, {"origin": "other.example"}):
        (sqlite_bundle / "manifest.json").write_bytes(canonical(manifest | otherwise))
        with pytest.raises(Unfit, match="of another log or size"):
            take(empty, sqlite_bundle)
    (sqlite_bundle / "manifest.json").write_bytes(canonical(manifest | {"files": {}}))
    with pytest.raises(Unfit, match="does not name the files"):
        take(empty, sqlite_bundle)


def test_a_directory_with_other_files_is_no_bundle(sqlite_bundle: Path, tmp_path: Path):
    (sqlite_bundle / "further").write_text("")
    with pytest.raises(Unfit, match="no bundle of a whole log: further"):
        open_bundle(sqlite_bundle)
    with pytest.raises(Unfit, match="cannot read"):
        open_bundle(tmp_path / "none")
    (sqlite_bundle / "further").unlink()
    (sqlite_bundle / "entries.ndjson").unlink()
    (sqlite_bundle / "entries.ndjson").mkdir()
    with pytest.raises(Unfit, match="cannot read entries"):
        list(taken.events(open_bundle(sqlite_bundle)))
