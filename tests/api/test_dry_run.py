"""Posting without recording: the same answers, and nothing is written."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.conftest import (
    AGREEMENT,
    BATCH,
    STRUCTURED,
    Event,
    Service,
    event,
    planned,
    problem,
    registered,
    signed,
)
from api.guarded import Guarded, guarding
from registry.access import AGREEMENTS_RESTRICTED, EVENTS_WRITE

DRY = "/events?dry_run=true"


@pytest.fixture
async def guarded(sqlite_url: str) -> AsyncIterator[Guarded]:
    async with guarding(sqlite_url) as service:
        yield service


async def tried(service: Service, *events: Event, **headers: str) -> Any:
    """Try one event, or several as a batch."""
    if len(events) == 1:
        return await service.client.post(DRY, json=events[0], headers=STRUCTURED | headers)
    return await service.client.post(DRY, json=list(events), headers=BATCH | headers)


async def size(service: Service) -> int:
    return int((await service.get("/log")).json()["size"])


async def test_what_would_be_recorded_is_told_and_not_recorded(service_on_any: Service) -> None:
    service = service_on_any
    for _ in range(2):
        answer = await tried(service, registered())
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert {"Location", "ETag", "Registry-Position"}.isdisjoint(answer.headers)
        foreseen = answer.json()
        assert foreseen.keys() == {"agreement", "version", "event_uuid", "warnings", "replayed", "dry_run"}
        assert (foreseen["version"], foreseen["dry_run"], foreseen["replayed"]) == (1, True, False)
    assert await size(service) == 0
    receipt = (await service.post(registered())).json()
    assert {name: receipt[name] for name in ("agreement", "version", "event_uuid")} == {
        name: foreseen[name] for name in ("agreement", "version", "event_uuid")
    }
    ahead = await tried(service, event("terminated", "ended", {"date": "2025-08-01", "ground": "consent"}))
    assert (ahead.json()["version"], [one["code"] for one in ahead.json()["warnings"]]) == (
        2,
        ["termination-without-entry-into-force"],
    )


async def test_a_batch_is_tried_in_its_order(service_on_any: Service) -> None:
    service = service_on_any
    answer = await tried(service, registered(), signed(), signed())
    assert [(one["version"], one["replayed"]) for one in answer.json()] == [(1, False), (2, False), (2, True)]
    refused = problem(await tried(service, signed(), registered()), 409, "rejected")
    assert refused["rule"] == "unknown-agreement"
    assert refused["errors"][0]["pointer"].startswith("/0")
    assert (await service.client.post(DRY, json=[], headers=BATCH)).json() == []
    assert await size(service) == 0


async def test_what_is_recorded_already_is_told_as_a_replay(service: Service) -> None:
    assert (await service.post(registered())).status_code == 201
    answer = await tried(service, registered(), **{"If-Match": '"v7"'})
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert (answer.json()["replayed"], answer.json()["version"]) == (True, 1)
    other = registered() | {"data": {**registered()["data"], "title": {"en": "Another"}}}
    problem(await tried(service, other), 409, "identity-taken")


async def test_it_meets_the_problems_that_the_post_would_meet(registered_service: Service) -> None:
    service = registered_service
    for made, headers, status, kind in (
        (signed(), {"If-Match": '"v7"'}, 412, "version-mismatch"),
        (planned("v", expectedversion=0), {}, 412, "version-mismatch"),
        (registered("again"), {}, 409, "rejected"),
        (signed(occurred="yesterday"), {}, 422, "invalid-event"),
        (signed() | {"data_base64": "e30="}, {}, 422, "invalid-event"),
    ):
        tried_, posted = await tried(service, made, **headers), await service.post(made, **headers)
        assert problem(tried_, status, kind) | {"request_id": ""} == posted.json() | {"request_id": ""}
    assert await size(service) == 1
    service.app.state.sequencer.read_only = "the log is behind"
    problem(await tried(service, signed()), 503, "unavailable")


@pytest.mark.parametrize("query", ["dry_run=yes", "dry_run=", "dry_run=true&dry_run=true", "dry=true"])
async def test_an_unclear_wish_records_nothing(service: Service, query: str) -> None:
    answer = await service.client.post(f"/events?{query}", json=registered(), headers=STRUCTURED)
    problem(answer, 400, "malformed")
    assert await size(service) == 0
    plain = await service.client.post("/events?dry_run=false", json=registered(), headers=STRUCTURED)
    assert plain.status_code == 201


async def test_rights_and_bounds_hold(guarded: Guarded) -> None:
    problem(await tried(guarded, registered()), 401, "unauthenticated")
    problem(await tried(guarded, registered(), **guarded.holder("events:read")), 403, "forbidden")
    elsewhere = guarded.holder(EVENTS_WRITE, label="elsewhere", sources=("https://elsewhere.example/",))
    refused = problem(await tried(guarded, registered(), **elsewhere), 403, "not-permitted")
    assert refused["rule"] == "source-not-permitted"
    others = guarded.holder(EVENTS_WRITE, label="others", parties=("nor",))
    refused = problem(await tried(guarded, registered(), signed(), **others), 403, "not-permitted")
    assert refused["rule"] == "party-not-permitted"


async def test_a_restricted_agreement_is_not_told_of(guarded: Guarded) -> None:
    sees = guarded.holder(EVENTS_WRITE, AGREEMENTS_RESTRICTED, label="sees")
    hidden = registered() | {"data": {**registered()["data"], "visibility": "restricted"}}
    assert (await guarded.post(hidden, **sees)).status_code == 201
    blind = guarded.holder(EVENTS_WRITE, label="blind")
    refused = problem(await tried(guarded, signed(), **blind), 409, "rejected")
    assert refused["rule"] == "unknown-agreement"
    assert (await tried(guarded, signed(), **sees)).json()["version"] == 2


async def test_refused_posts_are_kept_in_memory_and_tried_ones_are_not(guarded: Guarded) -> None:
    desk = guarded.holder(EVENTS_WRITE, label="desk")
    problem(await guarded.post(signed(), **desk), 409, "rejected")
    problem(await guarded.batch(registered(), signed(occurred="x"), **desk), 422, "invalid-event")
    problem(await guarded.batch(registered(), signed(), signed("again"), **desk), 409, "rejected")
    problem(await tried(guarded, signed(), **desk), 409, "rejected")
    kept = [(one.rule, one.agreement, one.principal) for one in guarded.app.state.refusals]
    assert kept == [
        ("unknown-agreement", AGREEMENT, "desk"),
        ("invalid-event", "", "desk"),
        ("already-claimed", AGREEMENT, "desk"),
    ]
    for _ in range(120):
        guarded.app.state.refusals.append(guarded.app.state.refusals[0])
    assert len(guarded.app.state.refusals) == 100
