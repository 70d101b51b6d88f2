"""Words: the same text is found by the same words on every database, and what is forgotten is gone."""

import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text
from sqlalchemy.schema import SchemaItem

from domain.conftest import B
from projections.conftest import begun
from projections.reading import Stream
from registry.access import EVERYTHING
from registry.domain.agreement import Agreement
from registry.domain.events import TitleGiven
from registry.projections.generations import discard, go_live
from registry.projections.listing import Source, day_of
from registry.projections.model import ReadModel, Rows, create, drop
from registry.projections.packing import pack
from registry.projections.replace import replace
from registry.projections.words import (
    INDEX,
    LONGEST,
    MOST_BYTES,
    MOST_SOUGHT,
    Sought,
    folded,
    forget,
    kept_words,
    matching,
    word_columns,
    words_of,
)
from store.conftest import Opened, registered


def columns() -> Sequence[SchemaItem]:
    return word_columns()


def rows(state: Agreement) -> Rows:
    titles = [title for _, data in state.of(TitleGiven) for title in data.title.values()]
    return {"": [{"id": state.recorded[state.founder].position, "words": kept_words(titles)}]}


MODEL = ReadModel("titles", 1, {"": columns}, rows)

TEXTS = {
    "a-azul": "Convención sobre el Atún azul",
    "b-air": "Air services agreement, 1951",
    "c-strasse": "Vertrag über die Straße nach São Tomé",
    "d-greek": "Συμφωνία ΦΙΛΙΑΣ",
    "e-digit": "Protocol \uff12 of ½ share; N°7",  # a full-width digit
    "f-empty": "— … !",
    "g-hindi": "हिन्दी समझौता",
    "h-air-too": "airport of the AIRBASE air_force",
    "i-quote": "O'Brien's \"air\" * & | ! : (services) AND NOT NEAR",
}

FOUND = {
    "air": ["b-air", "h-air-too", "i-quote"],
    "AIR serv": ["b-air", "i-quote"],
    "serv air": [],
    "services air": ["b-air", "i-quote"],
    "air force": ["h-air-too"],
    "atun": ["a-azul"],
    "atún az": ["a-azul"],
    "strasse": ["c-strasse"],
    "STRASSE sao": ["c-strasse"],
    "são tomé": ["c-strasse"],
    "sa": ["c-strasse"],
    "φιλιας": ["d-greek"],
    "φιλίασ": ["d-greek"],
    "2": ["e-digit"],
    "2 7": ["e-digit"],
    "195": ["b-air"],
    "195 1951": [],
    "हिन्दी": ["g-hindi"],
    "and not near": ["i-quote"],
    "o'brien": ["i-quote"],
    "zzz": [],
    "ai": ["b-air", "h-air-too", "i-quote"],
}


def test_words_are_letters_and_digits_without_capitals_and_accents() -> None:
    assert words_of("Air-Services (1951), No.7") == ["air", "services", "1951", "no", "7"]
    assert words_of("São Tomé; STRASSE straße ﬁn") == ["sao", "tome", "strasse", "strasse", "fin"]
    assert words_of("snake_case İstanbul Ǆ") == ["snake", "case", "istanbul", "dz"]
    assert words_of(" …\n") == []
    assert folded("  The  Hague, 1907 ") == "the hague 1907"


def test_a_long_word_counts_by_its_beginning_alone() -> None:
    (word,) = words_of("x" * 500)
    assert len(word) == LONGEST


@given(st.text())
def test_words_made_of_words_are_the_same_words(text: str) -> None:
    words = words_of(text)
    assert words_of(" ".join(words)) == words


@given(st.text(alphabet=string.printable))
def test_plain_and_other_letters_are_cut_alike(text: str) -> None:
    assert words_of(text) == words_of(text + " é")[:-1]


def test_words_are_kept_once_each_and_sorted() -> None:
    assert kept_words(["the second of the two", "One"]) == "of one second the two"
    assert kept_words([]) == ""


def test_too_many_words_are_cut_after_the_texts_that_come_first() -> None:
    many = " ".join(f"{'w' * 40}{i}" for i in range(MOST_BYTES // 40))
    kept = kept_words(["aaa", many])
    assert len(kept) <= MOST_BYTES
    assert kept.startswith("aaa ")
    assert kept_words([many, "aaa"]).split(" ")[0] != "aaa"


def test_what_has_no_word_or_too_many_is_not_sought() -> None:
    assert Sought.parse("Digital  Assets").words == ("digital", "assets")
    assert str(Sought.parse("Digital Assets")) == "digital assets"
    for nothing in ("", "…", "_"):
        with pytest.raises(ValueError, match="no word"):
            Sought.parse(nothing)
    with pytest.raises(ValueError, match="more than"):
        Sought.parse("x " * (MOST_SOUGHT + 1))


@pytest.fixture
async def texts(store: Opened) -> Opened:
    """An agreement for each text."""
    for name, title in TEXTS.items():
        log = Stream(name)
        log.post("title-given", source=B, title={"en": title})
        await store.append(*log.posted)
    projection = begun(store, MODEL)
    while projection.step():
        pass
    with store.writing.begin() as connection:
        go_live(connection, projection.generation)
    return store


def found(connection: Connection, asked: str) -> list[str]:
    source = Source(connection, (MODEL,), day_of(_Nothing()), EVERYTHING)
    main = source.tables(MODEL)[""]
    query = select(main.c.agreement).where(main.c.id.in_(matching(source, main, Sought.parse(asked))))
    return list(connection.scalars(query.order_by(main.c.agreement)))


class _Nothing:
    """Filters without a day."""


async def test_every_database_finds_the_same(texts: Opened) -> None:
    with texts.reading.connect() as connection:
        assert {asked: found(connection, asked) for asked in FOUND} == FOUND


async def test_words_read_the_same_on_every_database(texts: Opened) -> None:
    with texts.reading.connect() as connection:
        main = Source(connection, (MODEL,), day_of(_Nothing()), EVERYTHING).tables(MODEL)[""]
        kept = {row.agreement: row.words for row in connection.execute(select(main))}
    assert kept == {name: kept_words([title]) for name, title in TEXTS.items()}


async def test_replaced_rows_are_found_by_their_new_words_alone(texts: Opened) -> None:
    log = Stream("b-air")
    given = log.post("title-given", source=B, title={"en": TEXTS["b-air"]})
    corrected = log.correct(given, title={"en": "Sea transport"})
    await texts.append(log.posted[corrected.position - 1])
    projection = begun(texts, MODEL)
    while projection.step():
        pass
    with texts.writing.begin() as connection:
        go_live(connection, projection.generation)
        tables = projection.generation.tables(connection)
        replace(connection, tables, pack(tables, connection.dialect.name, {"h-air-too": {"": []}}))
    with texts.reading.connect() as connection:
        assert found(connection, "air") == ["i-quote"]
        assert found(connection, "sea transp") == ["b-air"]


async def test_an_index_goes_with_its_table(texts: Opened) -> None:
    second = begun(texts, MODEL).generation
    with texts.writing.begin() as connection:
        discard(connection, second)
        names = _names(connection)
    assert any(name.startswith("rm_titles_1_1") for name in names)
    assert not any(name.startswith("rm_titles_1_2") for name in names)


def _names(connection: Connection) -> list[str]:
    schema = text(
        "SELECT name FROM sqlite_master"
        if connection.dialect.name == "sqlite"
        else "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace AND nspname = 'read_model'"
    )
    return [str(name) for name in connection.scalars(schema)]


async def test_tables_can_be_dropped_twice(texts: Opened) -> None:
    with texts.writing.begin() as connection:
        tables = MODEL.tables(7, connection.dialect.name)
        drop(connection, tables)
        create(connection, tables)
        drop(connection, tables)
        drop(connection, tables)


def whole_file(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))


async def test_a_word_that_is_forgotten_is_in_no_file_any_more(sqlite_url: str) -> None:
    store = Opened(sqlite_url)
    path = Path(store.writing.url.database or "")
    tables = MODEL.tables(1, "sqlite")
    try:
        with store.writing.begin() as connection:
            create(connection, tables)
        for i in range(40):  # several segments of the index
            with store.writing.begin() as connection:
                words = f"secretword common{i}" if i == 20 else f"plain{i}"
                replace(
                    connection,
                    tables,
                    pack(tables, connection.dialect.name, {f"a{i}": {"": [{"id": i, "words": words}]}}),
                )
        with store.writing.begin() as connection:
            replace(
                connection,
                tables,
                pack(tables, connection.dialect.name, {"a20": {"": [{"id": 20, "words": "plain"}]}}),
            )
        _checkpoint(store)
        assert b"secretword" in whole_file(path)
        with store.writing.begin() as connection:
            forget(connection)
        _checkpoint(store)
        assert b"secretword" not in whole_file(path)
        with store.writing.begin() as connection:
            check = (
                f"INSERT INTO rm_titles_1_1{INDEX}(rm_titles_1_1{INDEX}, rank) VALUES ('integrity-check', 1)"
            )
            connection.exec_driver_sql(check)
    finally:
        await store.close()


def _checkpoint(store: Opened) -> None:
    with store.writing.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


async def test_on_postgresql_forgetting_is_left_to_vacuum(postgres_url: str) -> None:
    store = Opened(postgres_url)
    try:
        with store.writing.begin() as connection:
            forget(connection)
    finally:
        await store.close()


async def test_an_index_stays_right_when_the_file_is_vacuumed(sqlite_url: str) -> None:
    store = Opened(sqlite_url)
    store.sequencer.start()
    try:
        await store.append(*(registered(f"a{i}-x") for i in range(3)))
        tables = MODEL.tables(1, "sqlite")
        with store.writing.begin() as connection:
            create(connection, tables)
            every = {f"a{i}-x": {"": [{"id": i * 10, "words": f"word{i}"}]} for i in range(3)}
            replace(connection, tables, pack(tables, connection.dialect.name, every))
            replace(connection, tables, pack(tables, connection.dialect.name, {"a0-x": {}}))
        with store.writing.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("VACUUM")
        with store.writing.connect() as connection:
            hits = f"SELECT rowid FROM rm_titles_1_1{INDEX} WHERE rm_titles_1_1{INDEX} MATCH '\"word2\"'"
            assert connection.exec_driver_sql(hits).scalars().all() == [20]
    finally:
        await store.close()
