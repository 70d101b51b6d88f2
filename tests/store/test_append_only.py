"""What is recorded stays: both databases refuse to change it, whoever asks."""

import pytest
from eventsourcing.persistence import StoredEvent
from sqlalchemy import Engine, exc, text

from conftest import ORIGIN, admin, at
from registry.store.database import open_reader, open_writer
from registry.store.migrate import migrate
from registry.store.recorder import SQLAlchemyRecorder

CHANGES = [
    "UPDATE event SET type = 'x'",
    "DELETE FROM event",
    "UPDATE log_tile SET root = hashes",
    "DELETE FROM log_tile",
    "UPDATE log_checkpoint SET root = root",
    "DELETE FROM log_checkpoint",
    "UPDATE log_signature SET time = 0",
    "DELETE FROM log_signature",
    "UPDATE event_part SET data = salt",
    "DELETE FROM log_head",
]


def fill(writing: Engine, reading: Engine, events: int = 300) -> None:
    recorder = SQLAlchemyRecorder(writing.begin, reading.connect)
    recorder.insert_events([StoredEvent("a-stream", i, "a-type", b"{}") for i in range(1, events + 1)])
    with writing.begin() as connection:
        connection.execute(
            text("INSERT INTO log_checkpoint (size, root) VALUES (300, :root)"), {"root": b"r"}
        )
        connection.execute(
            text(
                "INSERT INTO log_signature (size, name, key_id, time, signature) VALUES (300, 'n', :k, 0, :k)"
            ),
            {"k": b"k"},
        )


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_to_what_is_recorded_is_refused(change: str, writing: Engine, reading: Engine) -> None:
    fill(writing, reading)
    with pytest.raises(exc.DBAPIError, match="refused: the log only grows"), writing.begin() as connection:
        connection.execute(text(change))


@pytest.mark.parametrize(
    "table", ["event", "event_part", "log_tile", "log_checkpoint", "log_signature", "log_head"]
)
def test_truncating_is_refused(table: str, postgres_url: str) -> None:
    engine = open_writer(postgres_url)
    with pytest.raises(exc.DBAPIError, match=r"TRUNCATE .*refused"), engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {table}"))
    engine.dispose()


def test_replacing_a_row_does_not_get_around_the_triggers(sqlite_url: str) -> None:
    writing, reading = open_writer(sqlite_url), open_reader(sqlite_url)
    fill(writing, reading)
    with pytest.raises(exc.DBAPIError, match="refused"), writing.begin() as connection:
        connection.execute(text("INSERT OR REPLACE INTO event SELECT * FROM event WHERE position = 7"))
    writing.dispose()
    reading.dispose()


def test_a_reader_of_the_embedded_store_cannot_write(sqlite_url: str) -> None:
    reading = open_reader(sqlite_url)
    with pytest.raises(exc.OperationalError, match="readonly"), reading.begin() as connection:
        connection.execute(text("DELETE FROM lease"))
    reading.dispose()


def test_the_service_role_may_append_and_nothing_else(postgres_server: str, empty_postgres_url: str) -> None:
    role = "service_of_a_test"
    admin(postgres_server, f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN")
    owner = open_writer(empty_postgres_url)
    migrate(owner, origin=ORIGIN, service_role=role)
    service = open_writer(as_role(empty_postgres_url, role))
    try:
        fill(service, service)
        refused = [change for change in CHANGES if not change.startswith("DELETE FROM event_part")]
        for change in [
            *refused,
            "TRUNCATE event",
            "DROP TABLE event",
            "DROP TRIGGER event_only_grows ON event",
        ]:
            with (
                pytest.raises(exc.DBAPIError, match=r"permission denied|must be owner"),
                service.begin() as connection,
            ):
                connection.execute(text(change))
        with service.begin() as connection:
            connection.execute(text("DELETE FROM event_part WHERE position = 1 AND part_no = 0"))
    finally:
        service.dispose()
        with owner.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
        owner.dispose()
        admin(postgres_server, f"DROP ROLE {role}")


def as_role(url: str, role: str) -> str:
    return at(url, url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]).replace("postgres:@", f"{role}:@")
