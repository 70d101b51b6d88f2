"""Erasing over HTTP: what would go, what goes, and what every read says afterwards."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.conftest import AGREEMENT, SOURCE, Service, event, places, planned, problem, registered, serving
from campaigns.bytes_of import found_in
from registry.audit.keys import make_key
from registry.audit.verify import verify
from registry.projections.clearing import Clearing
from registry.store.database import open_reader

ADA = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b33"
BO = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"
NAME, CAPACITY, GIST = "Adalinde Quexworth", "Zymurgist General", "This is quixotically good."
BASIS = {"legal_basis": "GDPR 17(1)(b)"}
JSON = {"Content-Type": "application/json"}

ADALINDE = {"person_id": ADA, "name": NAME}
BOSTWICK = {"person_id": BO, "name": "Bostwick Sample"}


def story() -> list[dict[str, Any]]:
    """Two persons who sign, meet, speak and hold office; a correction among what they do."""
    signatures = [
        {"party": "pak", "actor": {"person": ADALINDE}, "capacity": CAPACITY},
        {"party": "slv", "actor": {"person": BOSTWICK}},
    ]
    meeting = {"engagement_id": "v", "kind": "visit", "start": "2025-07-16"}
    target = {"source": SOURCE, "id": "held", "type": "agreement.engagement-held.v1"}
    return [
        registered(),
        event("signed", "signed", {"signatures": signatures, "occurred": "2025-07-16"}),
        event(
            "engagement-held",
            "held",
            meeting | {"participants": [{"person": ADALINDE}, {"person": BOSTWICK}]},
        ),
        event(
            "event-corrected",
            "held-2",
            {
                "target": target,
                "replacement": meeting | {"start": "2025-07-17", "participants": [{"person": ADALINDE}]},
                "reason": "The day was mistyped.",
                "kind": "entry-error",
            },
        ),
        event(
            "statement-recorded",
            "said",
            {
                "statement_id": "s",
                "speaker": {"person": ADALINDE, "on_behalf_of": "pak"},
                "attribution": "named",
                "gist": {"en": GIST},
                "quoted": True,
                "occurred": "2025-07-16",
            },
        ),
        event("role-held", "role", {"person": ADALINDE, "title": {"en": CAPACITY}, "party": "pak"}),
    ]


@pytest.fixture
async def told(service_on_any: Service) -> Service:
    """A service that knows the story."""
    answer = await service_on_any.batch(*story())
    assert answer.status_code == 201, answer.text
    return service_on_any


async def erase(service: Service, path: str, body: Any = BASIS, **headers: str) -> httpx.Response:
    return await service.client.post(
        f"{path}/erasures",
        content=body if isinstance(body, bytes) else json.dumps(body),
        headers=JSON | headers,
    )


EVENT = f"/agreements/{AGREEMENT}/events"
READS = (
    f"/agreements/{AGREEMENT}",
    f"/agreements/{AGREEMENT}?valid_as_of=2025-07-16&known_as_of=6",
    f"/agreements/{AGREEMENT}/events",
    f"/agreements/{AGREEMENT}/claims",
    f"/agreements/{AGREEMENT}/history",
    f"/agreements/{AGREEMENT}/explain",
    f"/agreements/{AGREEMENT}/timeline",
    f"/agreements/{AGREEMENT}/compare?known_as_of_a=1",
    f"/agreements/{AGREEMENT}/feed.atom",
    f"/agreements/{AGREEMENT}/calendar.ics",
    "/events",
    "/events/2",
    "/events/3",
    "/agreements",
    "/people",
    "/engagements",
    "/institutions",
    "/calendar.ics",
    "/feed.atom",
)


async def test_erasing_an_event_answers_with_a_receipt_once_everything_has_passed_it(told: Service) -> None:
    answer = await erase(told, f"{EVENT}/2", BASIS | {"parts": [1]})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Registry-Position"] == "7"
    done = answer.json()
    (one,) = done["erased"]
    assert (one["position"], one["parts"], one["legal_basis"]) == (2, [1], "GDPR 17(1)(b)")
    assert (one["receipt"]["position"], one["receipt"]["version"]) == (7, 7)
    assert (done["cleared"], done["behind"]) == (True, [])
    shown = (await told.get("/events/2")).json()
    assert shown["erasedparts"] == "1"
    pak, slv = (await told.get(f"/agreements/{AGREEMENT}")).json()["signatures"]
    assert (pak["signatories"][0]["erased"], pak["signatories"][0]["capacity"]) == (True, None)
    bostwick = slv["signatories"][0]["actor"]["person"]
    assert (bostwick["name"], bostwick["erased"]) == (BOSTWICK["name"], False)


async def test_the_whole_history_and_whole_lists_are_others_after_an_erasure(told: Service) -> None:
    paths = "/events", f"/events?agreement={AGREEMENT}&type=agreement.signed.v1", "/people?min_position=6"
    lines = {"Accept": "application/x-ndjson", "Prefer": "wait=20"}
    tags = {path: (await told.get(path, headers=lines)).headers["ETag"] for path in paths}
    assert len(set(tags.values())) == len(tags)
    assert (await erase(told, f"{EVENT}/2", BASIS | {"parts": [1]})).json()["cleared"]
    for path, tag in tags.items():
        answer = await told.get(path, headers=lines | {"If-None-Match": tag})
        assert answer.status_code == 200
        assert answer.headers["ETag"] != tag
        kept = lines | {"If-None-Match": answer.headers["ETag"]}
        assert (await told.get(path, headers=kept)).status_code == 304


async def test_what_would_go_is_shown_first_and_repeating_gives_the_first_receipts(told: Service) -> None:
    would = (await told.get(f"{EVENT}/3/erasures?parts=1")).json()["items"]
    assert [(one["position"], one["open"], one["gone"]) for one in would] == [(3, [1], []), (4, [1], [])]
    first = await erase(told, f"{EVENT}/3", BASIS | {"parts": [1]})
    assert [one["position"] for one in first.json()["erased"]] == [3, 4]
    again = await erase(told, f"{EVENT}/3", BASIS | {"parts": [1]})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert [one["receipt"] | {"replayed": False} for one in again.json()["erased"]] == [
        one["receipt"] for one in first.json()["erased"]
    ]
    left = (await told.get(f"{EVENT}/3/erasures")).json()["items"]
    assert [(one["position"], one["open"], one["gone"]) for one in left] == [(3, [2], [1]), (4, [], [1])]


async def test_a_person_is_gone_from_every_read(told: Service) -> None:
    for path in ("/agreements", "/people", "/engagements"):
        assert (await told.get(f"{path}?min_position=6", headers={"Prefer": "wait=20"})).status_code == 200
    before = [(await told.get(path)).text for path in READS]
    assert sum(NAME in text for text in before) > 5
    assert (await told.get("/agreements?q=quixotically")).json()["items"]
    stands = (await told.get(f"/people/{ADA}/erasures")).json()["items"]
    assert [one["position"] for one in stands] == [2, 3, 4, 5, 6]
    answer = await erase(told, f"/people/{ADA}")
    assert answer.status_code == 201, answer.text
    assert [one["position"] for one in answer.json()["erased"]] == [2, 3, 4, 5, 6]
    assert answer.json()["cleared"]
    for path in READS:
        text = (await told.get(path)).text
        assert not [word for word in (NAME, CAPACITY, GIST, "Adalinde") if word in text], path
    lines = (await told.get("/events", headers={"Accept": "application/x-ndjson"})).text
    assert NAME not in lines
    assert lines.count('"erasedparts"') == 5
    assert (await told.get("/agreements?q=quixotically")).json()["items"] == []
    (person,) = (await told.get(f"/people?person={ADA}")).json()["items"]
    assert (person["name"], person["erased"]) == (None, True)
    shown = (await told.get(f"/agreements/{AGREEMENT}?known_as_of=6")).json()
    assert shown["statements"][0]["erased"]
    assert "Bostwick" in (await told.get(f"/agreements/{AGREEMENT}")).text
    again = await erase(told, f"/people/{ADA}")
    assert (again.status_code, len(again.json()["erased"])) == (200, 5)


async def test_what_was_erased_is_recognised_when_it_is_posted_again(told: Service) -> None:
    first = await told.batch(*story())
    await erase(told, f"/people/{ADA}")
    again = await told.batch(*story())
    assert (again.status_code, again.json()) == (200, first.json())
    assert NAME not in (await told.get("/events")).text


async def test_the_log_holds_after_all(database_url: str) -> None:
    async with serving(database_url) as service:
        await service.batch(*story())
        await erase(service, f"/people/{ADA}")
        await erase(service, f"/people/{BO}")
    engine = open_reader(database_url)
    report = verify(engine)
    engine.dispose()
    assert report.ok, report
    assert report.erased == 7


async def test_erasing_while_others_post(told: Service) -> None:
    """Neither waits for the other for ever, and positions stay dense."""

    async def post(client: int) -> None:
        for i in range(10):
            id = f"x-{client}-{i}"
            data = {
                "engagement_id": id,
                "kind": "call",
                "start": "2025",
                "participants": [{"person": ADALINDE}],
            }
            assert (await told.post(event("engagement-held", id, data))).status_code == 201

    posting = [asyncio.create_task(post(client)) for client in range(4)]
    first = await erase(told, f"/people/{ADA}")
    await asyncio.gather(*posting)
    assert first.status_code in {201, 202}
    last = await erase(told, f"/people/{ADA}")
    assert len(last.json()["erased"]) == 45
    assert NAME not in (await told.get("/events?limit=1000")).text
    assert NAME not in (await told.get(f"/agreements/{AGREEMENT}")).text
    assert (await told.get("/log")).json()["size"] == 6 + 40 + 45


@pytest.mark.parametrize(
    ("path", "body", "rule"),
    [
        (f"{EVENT}/2", BASIS | {"parts": [0]}, "erasure-of-what-counts"),
        (f"{EVENT}/2", BASIS | {"parts": [3]}, "part-unknown"),
        (f"{EVENT}/1", BASIS, "nothing-personal"),
    ],
)
async def test_what_may_not_be_erased_is_refused_by_name(
    sqlite_url: str, path: str, body: Any, rule: str
) -> None:
    async with serving(sqlite_url) as service:
        await service.batch(*story())
        refused = problem(await erase(service, path, body), 409, "rejected")
        assert refused["rule"] == rule
        assert refused["positions"]
        assert (await service.get("/log")).json()["size"] == 6


@pytest.mark.parametrize(
    "path",
    [
        "/agreements/no-such/events/1",
        f"{EVENT}/99",
        f"{EVENT}/0",
        f"{EVENT}/x",
        "/agreements/N!/events/1",
        "/people/nobody",
        f"/people/{'1' * 8}{ADA[8:]}",
    ],
)
async def test_what_is_not_there_is_not_found(registered_service: Service, path: str) -> None:
    problem(await erase(registered_service, path), 404, "not-found")
    problem(await registered_service.get(f"{path}/erasures"), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ""),
        ({"legal_basis": ""}, "/legal_basis"),
        ({"legal_basis": 1}, "/legal_basis"),
        (BASIS | {"parts": []}, "/parts"),
        (BASIS | {"parts": [-1]}, "/parts/0"),
        (BASIS | {"parts": ["1"]}, "/parts/0"),
        (BASIS | {"other": 1}, ""),
        ([], ""),
    ],
)
async def test_a_body_that_says_something_else_is_refused_with_the_place(
    registered_service: Service, body: Any, place: str
) -> None:
    answer = await erase(registered_service, f"{EVENT}/1", body)
    assert places(answer, 400, "malformed") == [place]


async def test_a_body_is_strict_json_of_its_kind_and_size(registered_service: Service) -> None:
    twice = await erase(registered_service, f"{EVENT}/1", b'{"legal_basis":"a","legal_basis":"b"}')
    problem(twice, 400, "malformed")
    problem(await erase(registered_service, f"{EVENT}/1", b" " * 20_000), 413, "too-large")
    other = await registered_service.client.post(f"{EVENT}/1/erasures", content=b"{}")
    problem(other, 415, "unsupported-media-type")
    problem(await registered_service.get(f"{EVENT}/1/erasures?parts=1,"), 400, "malformed")


async def test_a_log_that_may_not_grow_is_not_erased_from(registered_service: Service) -> None:
    registered_service.app.state.sequencer.read_only = "it is behind"
    problem(await erase(registered_service, f"{EVENT}/1"), 503, "unavailable")


@pytest.fixture
async def waiting(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """A service that knows the story, and whose clearing up does not come to an end."""
    monkeypatch.setattr("registry.api.erasures.WAIT", 0.2)
    monkeypatch.setattr(Clearing, "_clear", lambda *_: False)
    async with serving(sqlite_url) as service:
        await service.batch(*story())
        yield service


async def test_when_it_takes_too_long_the_answer_says_so(waiting: Service) -> None:
    answer = await erase(waiting, f"{EVENT}/2")
    assert answer.status_code == 202
    assert answer.json()["cleared"] is False
    assert [one["position"] for one in answer.json()["erased"]] == [2]
    waiting.app.state.streams.close()
    await asyncio.sleep(0)
    stopping = await erase(waiting, f"{EVENT}/2")
    assert stopping.status_code == 202


WORDS = (NAME, "adalinde", "quexworth", CAPACITY, "zymurgist", GIST, "quixotically")
LISTS = ("/agreements", "/people", "/engagements", "/institutions", "/activity", "/sources", "/parties")


async def exports(service: Service) -> str:
    """Everything that can be had in one go: the log as lines, and each list as CSV and as lines."""
    forms = ("application/x-ndjson", "text/csv")
    texts = [
        (await service.get(path, headers={"Accept": form})).text
        for path in ("/events", *LISTS)
        for form in forms
    ]
    return "\n".join(texts)


async def all_read_models(service: Service) -> None:
    """Wait until every read model has come to the end of the log."""
    async with asyncio.timeout(60):
        while True:
            items = (await service.get("/projections")).json()["items"]
            if all(i["ready"] and i["generations"][-1]["behind"] == 0 for i in items):
                return
            await asyncio.sleep(0.05)


async def test_not_a_byte_of_the_person_is_left(database_url: str) -> None:
    async with serving(database_url) as service:
        await service.batch(*story(), *(planned(f"p{i}") for i in range(50)))
        await all_read_models(service)
        for name in ("agreements", "institutions_and_people"):
            assert (await service.client.post(f"/projections/{name}/rebuild")).status_code == 200
        await service.batch(*(planned(f"q{i}") for i in range(50)))
        await all_read_models(service)
        assert found_in(database_url, *WORDS)
        assert NAME in await exports(service)
        answer = await erase(service, f"/people/{ADA}")
        assert answer.json()["cleared"], answer.text
        assert found_in(database_url, *WORDS) == []
        assert not [word for word in WORDS if word in await exports(service)]
        assert "Bostwick" in await exports(service)
        assert found_in(database_url, "Bostwick")
    assert found_in(database_url, *WORDS) == []


async def test_a_rebuild_meanwhile_brings_nothing_back(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.projections.rebuild.STRETCH", 5)
    async with serving(database_url) as service:
        await service.batch(*story(), *(planned(f"p{i}") for i in range(80)))
        await all_read_models(service)
        rebuilding = [
            asyncio.create_task(service.client.post(f"/projections/{name}/rebuild"))
            for name in ("agreements", "engagements", "institutions_and_people")
        ]
        answer = await erase(service, f"/people/{ADA}")
        assert [one.status_code for one in await asyncio.gather(*rebuilding)] == [200] * 3
        assert answer.json()["cleared"], answer.text
        again = await erase(service, f"/people/{ADA}")
        assert again.json()["cleared"]
        assert found_in(database_url, *WORDS) == []
        await all_read_models(service)
        for name in ("agreements", "engagements", "institutions_and_people"):
            checked = await service.client.post(f"/projections/{name}/check")
            assert checked.json()["differences"] == []


@pytest.mark.postgres
async def test_every_other_replica_has_forgotten_a_second_later(postgres_url: str, tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    settings = {"log_key_file": str(tmp_path / "key")}
    async with serving(postgres_url, **settings) as here, serving(postgres_url, **settings) as elsewhere:
        await here.batch(*story())
        path = f"/agreements/{AGREEMENT}"
        async with asyncio.timeout(20):
            while NAME not in (await elsewhere.get(path)).text:
                await asyncio.sleep(0.02)
        kept = elsewhere.app.state.reader._states
        assert NAME in repr(kept.get(AGREEMENT).recorded)
        answer = await erase(here, f"/people/{ADA}")
        assert answer.json()["cleared"]
        async with asyncio.timeout(20):
            while NAME in repr(kept.get(AGREEMENT).recorded) or elsewhere.app.state.answers._kept:
                await asyncio.sleep(0.02)  # without anybody asking for it there
        seen = f"{path}?min_position={answer.headers['Registry-Position']}"
        shown = (await elsewhere.get(seen, headers={"Prefer": "wait=5"})).text
        assert not [word for word in WORDS if word in shown]
        again = await erase(elsewhere, f"/people/{ADA}")
        assert (again.status_code, again.json()["cleared"]) == (200, True)
        assert found_in(postgres_url, *WORDS) == []
