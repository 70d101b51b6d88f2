"""What is given back of an event is the same bytes, whoever asks for it and in whichever form."""

import itertools
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, delete, or_, text

from api.conftest import BATCH, Service, event, registered, serving, signed
from api.test_restricted import secret, story
from registry.access import EVERYTHING, Sight
from registry.api import history
from registry.api.frames import write
from registry.api.history import Which, lines, make_page, read_page
from registry.merkle.entry import format_time
from registry.store.reader import Reader
from registry.store.rows import Row, cloudevent
from registry.store.tables import event_part

SIGHTS = [Sight(parts, restricted) for parts, restricted in itertools.product((True, False), repeat=2)]
REMARKABLE = "Zürich, € \u2028 😀 \\ $part \"$part\" {'$part': 1}"


@asynccontextmanager
async def telling(url: str) -> AsyncIterator[Service]:
    """Fill a log with an event of every type, restricted ones, corrections, and erase parts of every kind."""
    async with serving(url) as service:
        said = {"time": "2025-07-16T10:00:00Z", "correlationid": REMARKABLE}
        remarkable = [
            registered('an "id" \\ of it', **said),
            signed("signed by a person"),
            event("agreement-retracted", "retracted", {"reason": REMARKABLE}),
        ]
        remarkable = [{**each, "subject": "remarkable"} for each in remarkable]
        every = (story(), *([each] for each in (*secret(), *secret("shown", "public"), *remarkable)))
        for batch in every:
            answer = await service.client.post("/events", json=batch, headers=BATCH)
            assert answer.status_code == 201, answer.text
        with service.app.state.sequencer._writer._engine.begin() as connection:
            number, position = event_part.c.part_no, event_part.c.position
            half = (number == 1) & (position % 2 == 0)
            connection.execute(delete(event_part).where(or_(position == 5, half)))
        yield service


@pytest.fixture
async def told(database_url: str) -> AsyncIterator[Service]:
    """A service with such a log."""
    async with telling(database_url) as service:
        yield service


@pytest.fixture
async def untold(database_url: str, reading: Engine) -> Reader:
    """Such a log that nobody serves."""
    async with telling(database_url):
        return Reader(reading)


def envelope(row: Row) -> bytes:
    """The CloudEvent put together name by name, as the format says."""
    joined = row.joined()
    said: dict[str, Any] = {"specversion": "1.0", "id": row.event_id, "source": row.source, "type": row.type}
    said |= {"subject": row.stream_id, **joined.attrs}
    said |= {"recordedtime": format_time(row.recorded_at), "sequence": str(row.position).rjust(19, "0")}
    said |= {"agreementversion": row.version, "leafhash": row.leaf_hash.hex()}
    if joined.erased:
        said["erasedparts"] = ",".join(map(str, joined.erased))
    if joined.withheld:
        said["withheldparts"] = ",".join(map(str, joined.withheld))
    if 0 not in joined.erased:
        said["data"] = joined.body
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


async def all_lines(reader: Reader, which: Which) -> list[bytes]:
    content = b"".join([chunk async for chunk in lines(reader, 0, reader.head().size, which)])
    assert content.endswith(b"\n")
    return content.split(b"\n")[:-1]


async def test_every_event_is_given_back_in_the_same_bytes_in_every_form(told: Service):
    reader = told.app.state.reader
    every = reader.page(0, 1000)
    kinds = {row.type for row in every}
    assert len(kinds) >= 30
    assert any(row.shown_with(Sight()).joined().withheld for row in every)
    assert {number for row in every for number in row.joined().erased} >= {0, 1}
    for sight in SIGHTS:
        which = Which(None, (), sight)
        rows = read_page(reader, 0, 1000, which)
        assert (len(rows) < len(every)) == (not sight.restricted)
        expected = [envelope(row) for row in rows]
        assert await all_lines(reader, which) == expected
        page = make_page(rows, size=1000, position=0).content
        assert page == b'{"events":[%b]}' % b",".join(expected)
        frames = [write(row).content.split(b"\ndata: ")[1] for row in rows]
        assert frames == [line + b"\n\n" for line in expected]
        assert [cloudevent(row) for row in rows] == [json.loads(line) for line in expected]


async def test_lines_are_narrowed_as_pages_are(told: Service):
    reader = told.app.state.reader
    signed, registered = "agreement.signed.v1", "agreement.registered.v1"
    for sight, agreement, types in itertools.product(
        SIGHTS, (None, "shown"), ((), (signed,), (signed, registered))
    ):
        wanted = [
            envelope(row)
            for row in read_page(reader, 0, 1000, Which(None, (), sight))
            if agreement in (None, row.stream_id) and (not types or row.type in types)
        ]
        assert wanted
        assert await all_lines(reader, Which(agreement, types, sight)) == wanted


async def test_one_event_alone_is_the_line_of_it(told: Service):
    found = await told.get("/events", headers={"Accept": "application/x-ndjson"})
    for line in found.content.split(b"\n")[-5:-1]:
        position = int(json.loads(line)["sequence"])
        assert (await told.get(f"/events/{position}")).content == line


COPIES = "WITH RECURSIVE copy(n) AS (SELECT CAST(:since AS int) UNION ALL SELECT n + 1 FROM copy WHERE n + 1 < :times)"
COPY_OF_EVENT = f"""
    INSERT INTO event (position, source, event_id, stream_id, version, type, recorded_at, entry, leaf_hash)
    {COPIES} SELECT position + n * :size, source, event_id || '-' || n, stream_id || '-' || n, version, type,
                    recorded_at, entry, leaf_hash FROM event CROSS JOIN copy WHERE position <= :size
"""
COPY_OF_PART = f"""
    INSERT INTO event_part (position, part_no, salt, data)
    {COPIES} SELECT position + n * :size, part_no, salt, data FROM event_part CROSS JOIN copy WHERE position <= :size
"""


async def test_memory_does_not_grow_with_the_log_that_is_sent(
    untold: Reader, writing: Engine, monkeypatch: pytest.MonkeyPatch
):
    size = untold.head().size
    monkeypatch.setattr(history, "STREAM_BYTES", 64 << 10)  # so that the smaller log has many pages as well

    def multiply(since: int, times: int) -> None:
        given = {"since": since, "times": times, "size": size}
        with writing.begin() as connection:
            connection.execute(text(COPY_OF_EVENT), given)
            connection.execute(text(COPY_OF_PART), given)

    async def send_all(times: int) -> int:
        """Take the whole log; give the most bytes of memory that were in use for it."""
        tracemalloc.start()
        sent = 0
        async for chunk in lines(untold, 0, times * size, Which(None, (), EVERYTHING)):
            sent += chunk.count(b"\n")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sent == times * size
        return most

    multiply(1, 2_000 // size)
    await send_all(2_000 // size)
    small = await send_all(2_000 // size)
    multiply(2_000 // size, 20_000 // size)
    assert await send_all(20_000 // size) < 1.5 * small  # ten times the log
