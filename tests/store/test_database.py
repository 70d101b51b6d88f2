from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Engine, LargeBinary, Text, exc, literal, select
from sqlalchemy import event as sqlalchemy_event

from registry.errors import Unavailable
from registry.store.database import (
    BINARY,
    connection_arguments,
    open_reader,
    open_writer,
    parse_url,
    reachable,
)


@pytest.mark.parametrize("url", ["postgres://db/r", "mysql://db/r", "sqlite://", "sqlite:///:memory:"])
def test_a_store_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises((ValueError, exc.ArgumentError)):
        parse_url(url)


def test_every_postgresql_url_means_the_driver_in_use() -> None:
    assert parse_url("postgresql://u:p@db/r").drivername == "postgresql+psycopg"


def test_the_embedded_store_is_durable_and_forgets_what_is_deleted(sqlite_url: str) -> None:
    engine = open_writer(sqlite_url)
    with engine.connect() as connection:
        for pragma, value in (
            ("journal_mode", "wal"),
            ("synchronous", 2),
            ("secure_delete", 1),
            ("recursive_triggers", 1),
        ):
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    engine.dispose()


def test_postgresql_answers_a_commit_only_when_it_is_durable(postgres_url: str) -> None:
    engine = open_writer(postgres_url, lock_timeout=7)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "7s"
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
    engine.dispose()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    path.write_bytes(b"This is no database, and it is long enough to tell. " * 100)
    engine = open_reader(f"sqlite:///{path}")
    with pytest.raises(Unavailable, match="not a database"), reachable(), engine.connect() as connection:
        connection.exec_driver_sql("SELECT * FROM event")
    engine.dispose()


def test_what_is_wrong_with_a_statement_is_no_fault_of_the_database(sqlite_url: str) -> None:
    engine = open_writer(sqlite_url)
    head = "INSERT INTO log_head VALUES (1, 'x', 0, x'', 0)"
    with pytest.raises(exc.IntegrityError), reachable(), engine.begin() as connection:
        connection.exec_driver_sql(head)
    engine.dispose()


def test_a_database_that_is_not_there_is_unavailable() -> None:
    engine = open_reader("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable), reachable(), engine.connect():
        pass
    engine.dispose()


@pytest.mark.parametrize(
    "hosts", ["host=one,two&port=5432,5433", "host=one:5432&host=two:5433"], ids=["lists", "pairs"]
)
def test_several_hosts_are_the_same_to_everybody_who_connects(hosts: str) -> None:
    url = f"postgresql://registry@/registry?{hosts}&target_session_attrs=read-write&tcp_user_timeout=9000"
    listening = connection_arguments(url, connect_timeout=2)
    given: list[dict[str, Any]] = []
    engine = open_writer(url)

    @sqlalchemy_event.listens_for(engine, "do_connect")
    def connecting(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> None:
        given.append(dict(named))
        raise RuntimeError("far enough")

    with pytest.raises(RuntimeError, match="far enough"):
        engine.connect()
    engine.dispose()
    for arguments in (listening, given[0]):
        assert (arguments["host"], arguments["port"]) == ("one,two", "5432,5433")
        assert arguments["target_session_attrs"] == "read-write"
        assert arguments["tcp_user_timeout"] == "9000", "what the URL says goes first"
        assert arguments["keepalives_idle"] == 10
    assert (listening["connect_timeout"], given[0]["connect_timeout"]) == (2, 10)


def test_a_reader_gets_bytes_as_they_are_where_a_statement_asks_for_it(reading: Engine) -> None:
    formats: list[int] = []
    sqlalchemy_event.listen(
        reading,
        "after_cursor_execute",
        lambda _connection, cursor, *_: formats.append(getattr(cursor, "format", 0)),
    )
    values = select(
        literal(b"\x00\xff\\x41", LargeBinary),
        literal("Zürich €", Text),
        literal(-(2**53), BigInteger),
        literal(None, LargeBinary),
    )
    with reading.connect() as connection:
        in_text = connection.execute(values).one()
        as_they_are = connection.execute(values.execution_options(**BINARY)).one()
    assert as_they_are == in_text == (b"\x00\xff\\x41", "Zürich €", -(2**53), None)
    assert formats[-2:] == ([0, 1] if reading.dialect.name == "postgresql" else [0, 0])
