import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.conftest import AGREEMENT, BATCH, Service, event, planned, problem, registered, serving, signed
from api.listening import Dispatcher, Heard, listening
from cli.servers import serving as process
from registry.__main__ import main
from registry.api import frames, streams
from registry.api import stream as stream_module
from registry.api.frames import Frame, Stretch, Wanted
from registry.api.live import EVENT_STREAM
from registry.api.streams import Streams
from registry.errors import Unavailable
from registry.store.reader import Reader

LIVE = {"Accept": EVENT_STREAM}
OTHER = {"subject": "aut-deu-1955"}


@pytest.fixture
async def told(service: Service) -> Service:
    """A service with seven events: two of one agreement, five of another."""
    await service.batch(registered(), signed())
    others = [planned(f"visit-{i}", **OTHER) for i in range(4)]
    parties = [
        {"id": "aut", "kind": "state", "name": {"de": "Österreich"}},
        *registered()["data"]["parties"][:1],
    ]
    founding = registered("other", **OTHER)
    founding["data"] |= {"parties": parties}
    await service.batch(founding, *others)
    return service


async def test_what_is_recorded_from_now_on_is_heard(told: Service):
    async with listening(told.app) as client:
        await told.post(planned("visit-9"))
        await client.hears(8)
        (heard,) = client.heard
        assert heard.event == "agreement.engagement-planned.v1"
        assert json.loads(heard.data) == (await told.get("/events/8")).json()
        assert client.status == 200
        assert client.headers["content-type"] == EVENT_STREAM
        assert client.headers["cache-control"] == "no-store"
        assert client.headers["registry-position"] == "7"
        assert "content-length" not in client.headers


async def test_the_connection_is_opened_before_anything_happens(told: Service):
    async with listening(told.app) as client:
        assert client.comments == ["live"]
        assert client.heard == []


@pytest.mark.parametrize("after", range(8))
async def test_a_stream_begins_behind_a_position_and_goes_on(told: Service, after: int):
    async with listening(told.app, f"after={after}") as client:
        await told.post(planned("visit-9"))
        await client.hears(8)
        assert client.positions == list(range(after + 1, 9))


async def test_a_client_that_was_cut_off_goes_on_where_it_was(told: Service):
    async with listening(told.app, "after=1", last_event_id="5") as client:
        await client.hears(7)
        assert client.positions == [6, 7]


async def test_an_empty_last_event_id_is_none(told: Service):
    async with listening(told.app, "after=5", last_event_id="") as client:
        await client.hears(7)
        assert client.positions == [6, 7]


@pytest.mark.parametrize("value", ["x", "-1", "08", "1_0", "8", "99999999999999999999"])
async def test_a_last_event_id_that_this_log_did_not_give_is_a_400(told: Service, value: str):
    response = await told.get("/events", headers=LIVE | {"Last-Event-ID": value})
    assert problem(response, 400, "malformed")["errors"][0]["header"] == "Last-Event-ID"


@pytest.mark.parametrize(
    "query",
    [
        "limit=3",
        "cursor=YWZ0ZXI6MQ",
        "after=x",
        "after=8",
        "party=Pak%20",
        "party=%0A",
        "type=x",
        "agreement=A",
    ],
)
async def test_a_parameter_that_does_not_fit_a_stream_is_a_400(told: Service, query: str):
    response = await told.get(f"/events?{query}", headers=LIVE)
    assert problem(response, 400, "malformed")["errors"][0]["parameter"] == query.partition("=")[0]


async def test_pages_are_not_narrowed_to_a_party(told: Service):
    problem(await told.get("/events?party=pak"), 400, "malformed")


@pytest.mark.parametrize(
    ("query", "before", "later"),
    [
        ("agreement=aut-deu-1955", [3, 4, 5, 6, 7], [9]),
        ("agreement=nobody-knows-it", [], []),
        ("type=agreement.engagement-planned.v1", [4, 5, 6, 7], [8, 9]),
        ("type=agreement.signed.v1,agreement.registered.v1", [1, 2, 3], []),
        ("party=slv", [1, 2], [8]),
        ("party=aut", [3, 4, 5, 6, 7], [9]),
        ("party=pak", [1, 2, 3, 4, 5, 6, 7], [8, 9]),
        ("party=aut&type=agreement.registered.v1", [3], []),
        ("party=slv&agreement=aut-deu-1955", [], []),
    ],
)
async def test_a_stream_is_narrowed(told: Service, query: str, before: list[int], later: list[int]):
    async with listening(told.app, query + "&after=0") as behind, listening(told.app, query) as at_head:
        async with listening(told.app) as everything:
            await told.batch(planned("visit-9"), planned("visit-9", **OTHER, id="9"))
            await everything.hears(9)
        if later:
            await behind.hears(later[-1])
            await at_head.hears(later[-1])
        assert at_head.positions == later
        await behind.until(lambda one: len(one.positions) == len(before + later))
        assert behind.positions == before + later


async def test_silence_is_broken_by_a_comment(told: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streams, "HEARTBEAT", 0.01)
    async with listening(told.app) as client:
        await client.until(lambda one: one.comments == ["live", "heartbeat", "heartbeat"])
        await told.post(planned("visit-9"))
        await client.hears(8)


async def test_a_long_search_is_no_silence(told: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streams, "HEARTBEAT", 0.0)
    monkeypatch.setattr(frames, "PAGE", 1)
    async with listening(told.app, "after=0&party=aut") as client:
        await client.hears(7)
        assert client.body.index(streams.SILENCE) < client.body.index(b"id: 3\n")


async def test_head_has_the_headers_and_no_stream(told: Service):
    response = await told.head("/events", headers=LIVE)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == EVENT_STREAM
    assert response.headers["Registry-Position"] == "7"


async def test_a_client_that_leaves_is_forgotten(told: Service):
    async with listening(told.app) as client:
        assert len(told.app.state.streams.open) == 1
    assert client.ended
    assert not told.app.state.streams.open


async def test_every_stream_ends_when_the_service_stops(told: Service):
    async with listening(told.app) as one, listening(told.app, "after=0") as other:
        told.app.state.streams.close()
        await one.until(lambda client: client.ended)
        await other.until(lambda client: client.ended)
    async with listening(told.app, "after=0") as late:
        await late.until(lambda client: client.ended)
        assert late.heard == []


async def test_many_clients_hear_everything_once_and_in_order(
    service_on_any: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(frames, "PAGE", 7)
    monkeypatch.setattr(streams, "PAUSE", 0.001)
    await service_on_any.post(registered())
    last = 150

    async def listen(begin: int) -> list[int]:
        while service_on_any.app.state.reader.head().size < begin:
            await asyncio.sleep(0.001)
        after = begin // 2
        async with listening(service_on_any.app, f"after={after}") as client:
            if begin % 20 == 0:
                client.stall()
                await asyncio.sleep(0.01)
                client.go_on()
            await client.hears(last)
            return [after, *client.positions]

    clients = [asyncio.create_task(listen(begin)) for begin in range(0, 140, 10)]
    for i in range(2, last + 1):
        await service_on_any.post(planned(f"visit-{i}"))
    for heard in await asyncio.gather(*clients):
        assert heard == list(range(heard[0], last + 1))


async def test_what_another_process_records_is_heard(postgres_url: str):
    async with serving(postgres_url) as one, serving(postgres_url) as other, listening(other.app) as client:
        await one.batch(registered(), signed())
        await client.hears(2)
        assert client.positions == [1, 2]


async def test_each_event_is_written_out_once_for_all_who_are_at_the_head(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    written: list[int] = []
    write = frames.write
    monkeypatch.setattr(frames, "write", lambda row: (written.append(row.position), write(row))[1])
    async with (
        listening(told.app) as one,
        listening(told.app) as two,
        listening(told.app, f"agreement={AGREEMENT}") as three,
        listening(told.app, "agreement=aut-deu-1955") as four,
    ):
        await at_head(told, 4)
        await told.post(planned("visit-9"))
        for client in (one, two, three):
            await client.hears(8)
        assert written == [8]
        assert four.heard == []


async def test_what_this_process_appends_is_sent_without_a_look_at_the_log(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    reader: Reader = told.app.state.reader
    page, looks = reader.page, []
    monkeypatch.setattr(
        reader, "page", lambda *args, **kwargs: looks.append(args[0]) or page(*args, **kwargs)
    )
    async with listening(told.app, "party=slv") as client, listening(told.app) as everything:
        await at_head(told, 2)
        looks.clear()
        for i in range(8, 12):
            await told.batch(planned(f"visit-{i}"), planned(f"visit-{i}", **OTHER, id=f"other-{i}"))
        await everything.hears(15)
        await client.hears(14)
        assert [position for position in looks if position < 15] == []
        assert client.positions == [8, 10, 12, 14]
        assert everything.positions == list(range(8, 16))
        assert everything.heard[0].data == client.heard[0].data
        assert json.loads(everything.heard[1].data) == (await told.get("/events/9")).json()


async def test_what_several_processes_append_is_heard_in_its_order(postgres_url: str):
    async with serving(postgres_url) as one, serving(postgres_url) as other, listening(one.app) as client:
        await one.post(registered())
        for i in range(2, 20, 2):
            await one.post(planned(f"visit-{i}"))
            await other.post(planned(f"visit-{i + 1}"))
        await client.hears(19)
        assert client.positions == list(range(1, 20))


async def test_streams_of_many_kinds_each_get_what_they_want(told: Service):
    kinds = {
        "": [8, 9, 10],
        "type=agreement.title-given.v1": [10],
        f"agreement={AGREEMENT}": [8, 10],
        f"agreement={AGREEMENT}&type=agreement.engagement-planned.v1": [8],
        "party=slv": [8, 10],
        "party=aut": [9],
        "party=pak": [8, 9, 10],
        "party=pak&type=agreement.engagement-planned.v1": [8, 9],
        "party=slv&agreement=aut-deu-1955": [],
        "party=nobody": [],
    }
    async with AsyncExitStack() as stack:
        clients = {kind: await stack.enter_async_context(listening(told.app, kind)) for kind in kinds}
        await at_head(told, len(kinds))
        await told.batch(
            planned("visit-8"),
            planned("visit-9", **OTHER),
            event("title-given", "t", {"title": {"sw": "Barua"}}),
        )
        await clients[""].hears(10)
        for kind, client in clients.items():
            await client.until(lambda one, heard=kinds[kind]: len(one.positions) == len(heard))
        assert {kind: client.positions for kind, client in clients.items()} == kinds
        assert told.app.state.streams._position == 10


async def test_who_comes_while_the_others_are_read_for_hears_everything_once(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    own: Streams = told.app.state.streams
    async with listening(told.app) as one, listening(told.app, "party=pak") as other:
        await at_head(told, 2)
        hand_out = own._hand_out

        def come_back(stretch: Stretch) -> None:
            for stream in [stream for alike in own._at_head.values() for stream in alike]:
                own._leave(stream)
                own._join(stream)
            hand_out(stretch)

        monkeypatch.setattr(own, "_hand_out", come_back)
        await told.batch(planned("visit-8"), planned("visit-9"))
        for client in (one, other):
            await client.hears(9)
        monkeypatch.undo()
        await told.post(planned("visit-10"))
        for client in (one, other):
            await client.hears(10)
            assert client.positions == [8, 9, 10]


async def at_head(service: Service, many: int) -> None:
    """Wait until so many streams are fed together."""
    async with asyncio.timeout(20):
        while sum(map(len, service.app.state.streams._at_head.values())) < many:
            await asyncio.sleep(0.001)


async def test_a_client_that_takes_too_slowly_reads_for_itself_and_misses_nothing(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream_module, "WAITING", 3000)
    monkeypatch.setattr(streams, "PAUSE", 0.0)
    async with listening(told.app) as slow, listening(told.app) as quick:
        await at_head(told, 2)
        slow.stall()
        for i in range(8, 60):
            await told.post(planned(f"visit-{i}"))
            await quick.hears(i)
        held = [sum(map(len, one._waiting)) for one in told.app.state.streams.open]
        assert max(held) <= 3000
        assert [len(alike) for alike in told.app.state.streams._at_head.values()] == [1]
        slow.go_on()
        await slow.hears(59)
        assert slow.positions == list(range(8, 60))
        await at_head(told, 2)


async def test_one_event_larger_than_what_may_wait_is_sent_all_the_same(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream_module, "WAITING", 10)
    monkeypatch.setattr(frames, "CHUNK", 10)
    async with listening(told.app, "after=0") as client:
        await told.post(planned("visit-9"))
        await client.hears(8)
        assert client.positions == list(range(1, 9))


async def test_a_database_that_is_away_for_a_while_ends_no_stream(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(streams, "POLL", 0.01)
    reader: Reader = told.app.state.reader
    page, failed = reader.page, []

    def failing(error: Exception) -> Callable[..., Any]:
        def fail(*args: Any, **kwargs: Any) -> Any:
            if len(failed) < 3:
                failed.append(error)
                raise error
            return page(*args, **kwargs)

        return fail

    monkeypatch.setattr(reader, "page", failing(Unavailable("the database cannot be reached")))
    async with listening(told.app, "after=5") as client:
        await client.hears(7)
        await at_head(told, 1)
        assert len(failed) == 3
        for error in (Unavailable("the database cannot be reached"), RuntimeError("a fault")):
            failed.clear()
            monkeypatch.setattr(reader, "page", failing(error))
            while len(failed) < 3:
                await asyncio.sleep(0.001)
        await told.post(planned("visit-9"))
        await client.hears(8)


async def test_word_of_what_is_not_there_costs_a_look_and_no_more(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    reader: Reader = told.app.state.reader
    page, looks = reader.page, []
    monkeypatch.setattr(reader, "page", lambda *args, **kwargs: looks.append(args) or page(*args, **kwargs))
    monkeypatch.setattr(streams, "POLL", 0.1)
    async with listening(told.app) as client:
        await at_head(told, 1)
        told.app.state.sequencer.arrivals.announce(10**15)
        looks.clear()
        await told.post(planned("visit-9"))
        await client.hears(8)
        assert len(looks) <= 4


async def test_a_stream_that_others_are_ahead_of_reads_on_by_itself(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    async with listening(told.app) as ahead:
        await at_head(told, 1)
        own: Streams = told.app.state.streams
        with own.opened(Wanted(), 3) as behind:
            own._join(behind)
            assert not own._is_at_head(behind)
            chunks = own.follow(behind)
            assert await anext(chunks) == streams.OPENED
            assert (await anext(chunks)).count(b"data: ") == 4
            assert own._is_at_head(behind)
            await chunks.aclose()
        await told.post(planned("visit-9"))
        await ahead.hears(8)


async def test_what_was_read_for_streams_that_have_gone_is_for_nobody(told: Service):
    own: Streams = told.app.state.streams
    async with listening(told.app) as client:
        await at_head(told, 1)
        everything = Wanted()
        own._hand_out(
            Stretch(
                after=3,
                until=9,
                end=True,
                frames={everything: (Frame(9, b"id: 9\ndata: x\n\n"),)},
                contents={everything: b"id: 9\ndata: x\n\n"},
            )
        )
        await told.post(planned("visit-9"))
        await client.hears(8)
        assert client.positions == [8]


async def test_only_so_many_parties_are_remembered(told: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frames, "REMEMBERED", 1)
    parties = frames.Parties(told.app.state.reader)
    assert parties.of([AGREEMENT]) == {AGREEMENT: ("pak", "slv")}
    assert parties.of(["aut-deu-1955"]) == {"aut-deu-1955": ("aut", "pak")}
    assert parties.of(["nobody-knows-it"]) == {"nobody-knows-it": ()}
    assert len(parties._known) == 1


async def test_what_waits_for_a_client_is_sent_before_anything_else(told: Service):
    own: Streams = told.app.state.streams
    with own.opened(Wanted(), 3) as stream:
        assert stream.offer(b"waits")
        stream.seen = 5
        chunks = own.follow(stream)
        assert [await anext(chunks) for _ in range(2)] == [streams.OPENED, b"waits"]
        assert (await anext(chunks)).startswith(b"id: 6\n")
        stream.end()
        assert [chunk async for chunk in chunks] == [b": go on behind this\nid: 7\nretry: 1000\n\n"]


async def test_a_stream_that_has_lasted_its_time_ends_behind_what_it_goes_on(sqlite_url: str):
    async with serving(sqlite_url, stream_seconds=1) as service:
        await service.post(registered())
        async with listening(service.app) as nothing_heard, listening(service.app, "after=0") as heard:
            await nothing_heard.until(lambda one: one.ended)
            await heard.until(lambda one: one.ended)
        assert nothing_heard.body.endswith(b"\n\n: go on behind this\nid: 1\nretry: 1000\n\n")
        assert heard.positions == [1]
        assert service.app.state.slots.taken == 0


async def test_a_stream_that_ends_without_a_database_says_no_more(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    def gone(*_: object) -> int:
        raise Unavailable("gone")

    async with listening(told.app) as client:
        monkeypatch.setattr(told.app.state.reader, "position_for", gone)
        told.app.state.streams.close()
        await client.until(lambda one: one.ended)
        assert client.body == streams.OPENED


async def test_a_stream_that_comes_back_to_an_empty_house_is_fed_from_where_it_is(told: Service):
    for _ in range(3):
        async with listening(told.app) as client:
            await at_head(told, 1)
            position = (await told.post(planned(f"visit-{told.app.state.reader.head().size}"))).json()[
                "position"
            ]
            await client.hears(position)
            assert client.positions == [position]


def test_the_dispatcher_of_the_tests_reads_as_the_standard_says():
    dispatcher = Dispatcher()
    for piece in (b": hello\n\nid: 1\nev", b"ent: x\ndata: a\ndata: b\n", b"\nid: 2\n\n"):
        dispatcher.feed(piece)
    assert dispatcher.heard == [("1", "x", "a\nb")]
    assert dispatcher.comments == ["hello"]


def listen_to(url: str, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers=LIVE | headers, timeout=20)


class Connected:
    """A live stream of a server, as it comes over a socket."""

    def __init__(self, response: httpx.Response) -> None:
        assert response.status_code == 200
        self.heard: list[Heard] = []
        self._chunks = response.iter_raw()
        self._dispatcher = Dispatcher()

    def hears(self, position: int) -> "Connected":
        """Read until the event at a position has come. Raises StopIteration when the stream ends in order."""
        while not self.heard or self.heard[-1].position < position:
            self._dispatcher.feed(next(self._chunks))
            self.heard = self._dispatcher.heard
        return self


def post(url: str, *events: Any) -> None:
    httpx.post(f"{url}/events", json=list(events), headers=BATCH).raise_for_status()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_server_with_open_streams_stops_at_once_and_clients_go_on_at_the_next(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
):
    assert main(["log", "key", "--new", str(tmp_path / "key")]) == 0
    given = {"auth": "off", "log_key_file": str(tmp_path / "key")}
    url = request.getfixturevalue("sqlite_url" if kind == "sqlite" else "postgres_url")
    with ExitStack() as stack:
        first = stack.enter_context(process("serve", "--port", "0", "--database", url, **given))
        post(first.url, registered(), signed())
        client = stack.enter_context(listen_to(first.url))
        streams = [stack.enter_context(client.stream("GET", "/events?after=0")) for _ in range(50)]
        clients = [Connected(stream).hears(2) for stream in streams]
        began = time.monotonic()
        assert first.end() == "stopping\nstopped\n"
        assert time.monotonic() - began < 3
        assert first.process.returncode == 0
        for one in clients:
            with pytest.raises(StopIteration):  # it ended as a stream does, and was not cut off
                one.hears(3)
        heard = clients[0].heard
    with process("serve", "--port", "0", "--database", url, **given) as second:
        post(second.url, planned("visit-1"), planned("visit-2"))
        again = {"Last-Event-ID": heard[-1].id}
        with listen_to(second.url, **again) as client, client.stream("GET", "/events?after=0") as stream:
            heard += Connected(stream).hears(4).heard
    assert [one.position for one in heard] == [1, 2, 3, 4]


def test_a_client_that_takes_nothing_holds_neither_the_others_nor_the_end_of_the_server(sqlite_url: str):
    wide = {"en": "x" * 20_000}
    with (
        process("serve", "--port", "0", "--database", sqlite_url, auth="off") as server,
        listen_to(server.url) as client,
        client.stream("GET", "/events?after=0") as stalled,
        client.stream("GET", "/events?after=0") as quick,
    ):
        listener = Connected(quick)
        post(server.url, registered())
        for i in range(2, 402, 100):  # more than the buffers of both ends hold
            post(server.url, *(event_with(wide, f"visit-{i + n}") for n in range(100)))
        assert [one.position for one in listener.hears(401).heard] == list(range(1, 402))
        began = time.monotonic()
        server.end()
        assert time.monotonic() - began < 8
        assert server.process.returncode == 0
        stalled.close()


def event_with(label: dict[str, str], visit: str) -> Any:
    event = planned(visit)
    event["data"]["label"] = label
    return event
