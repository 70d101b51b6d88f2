import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from api.conftest import AGREEMENT, Service, event, planned, problem, registered, serving, signed
from registry.domain.agreement import fold
from registry.domain.view import view
from registry.errors import Unavailable
from registry.store.reader import Reader
from registry.store.tables import event_part

PATH = f"/agreements/{AGREEMENT}"


@pytest.fixture
async def signed_agreement(service: Service) -> Service:
    """A letter of intent, signed on 16 July 2025: three events, of which the last says that it binds nobody."""
    await service.post(registered())
    await service.post(signed())
    said = {"kind": "loi", "legal_character": "non-binding", "entry_mode": "on-signature"}
    await service.post(event("classified", "classified", said))
    return service


async def test_an_agreement_is_shown_with_its_status(service_on_any: Service):
    await service_on_any.batch(registered(), signed())
    response = await service_on_any.get(PATH)
    assert response.status_code == 200
    assert response.headers["Registry-Position"] == "2"
    shown = response.json()
    assert (shown["id"], shown["version"], shown["status"]) == (AGREEMENT, 2, "signed")
    assert [party["id"] for party in shown["parties"]] == ["pak", "slv"]


async def test_the_status_is_that_of_the_day_asked_for(signed_agreement: Service):
    assert (await signed_agreement.get(PATH)).json()["status"] == "in-force"
    on_the_day = (await signed_agreement.get(f"{PATH}?valid_as_of=2025-07-16")).json()
    assert on_the_day["status"] == "in-force"
    assert on_the_day["status_label"] == "in effect"
    assert (await signed_agreement.get(f"{PATH}?valid_as_of=2025-07-15")).json()["status"] == "registered"


async def test_today_is_the_day_when_none_is_asked_for(signed_agreement: Service):
    today = datetime.now(UTC).date()
    shown = (await signed_agreement.get(PATH)).json()["on"]
    assert shown in (str(today), str(today + timedelta(days=1)))  # midnight may pass meanwhile


async def test_what_was_known_at_a_position(service_on_any: Service):
    await service_on_any.batch(registered(), signed())
    then = await service_on_any.get(f"{PATH}?known_as_of=1")
    assert then.json()["version"] == 1
    assert then.json()["status"] == "registered"
    assert then.headers["Registry-Position"] == "1"
    assert then.headers["ETag"].startswith('"v1.')
    assert (await service_on_any.get(f"{PATH}?known_as_of=2")).json() == (
        await service_on_any.get(PATH)
    ).json()


async def test_what_was_known_at_a_time_is_told_with_its_position(service_on_any: Service):
    await service_on_any.post(registered())
    first = (await service_on_any.get("/events/1")).json()["recordedtime"]
    await service_on_any.post(signed())
    then = await service_on_any.get(PATH, params={"known_as_of": first})
    assert then.json()["version"] == 1
    assert then.headers["Registry-Position"] == "1"
    later = datetime.fromisoformat(first) + timedelta(days=1)
    now = await service_on_any.get(PATH, params={"known_as_of": later.isoformat()})
    assert now.headers["Registry-Position"] == "2"
    for before in ("2020-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00"):
        problem(await service_on_any.get(PATH, params={"known_as_of": before}), 404, "not-found")


async def test_both_axes_are_answered_together(signed_agreement: Service):
    both = await signed_agreement.get(f"{PATH}?known_as_of=2&valid_as_of=2025-07-16")
    assert both.json()["status"] == "signed"


async def test_before_its_first_event_there_is_no_agreement(signed_agreement: Service):
    said = problem(await signed_agreement.get(f"{PATH}?known_as_of=0"), 404, "not-found")
    assert "as of position 0" in said["detail"]


async def test_visibility_is_always_that_of_today(signed_agreement: Service):
    hidden = {"visibility": "restricted", "reason": "a wish of the parties"}
    assert (await signed_agreement.post(event("visibility-changed", "hidden", hidden))).status_code == 201
    assert (await signed_agreement.get(f"{PATH}?known_as_of=2")).json()["visibility"] == "restricted"


async def test_what_is_erased_today_is_gone_from_past_answers(signed_agreement: Service):
    before = await signed_agreement.get(f"{PATH}?known_as_of=2")
    assert b"A. Signatory" in before.content
    with signed_agreement.app.state.sequencer._writer._engine.begin() as connection:
        connection.execute(delete(event_part).where(event_part.c.part_no == 1))
    assert b"A. Signatory" not in (await signed_agreement.get(f"{PATH}?known_as_of=2")).content


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("valid_as_of=2025", "valid_as_of"),
        ("valid_as_of=2025-02-30", "valid_as_of"),
        ("valid_as_of=20250716", "valid_as_of"),
        ("valid_as_of=today", "valid_as_of"),
        ("valid_as_of=2025-07-16&valid_as_of=2025-07-16", "valid_as_of"),
        ("known_as_of=99", "known_as_of"),
        ("known_as_of=-1", "known_as_of"),
        ("known_as_of=01", "known_as_of"),
        ("known_as_of=2025-07-16", "known_as_of"),
        ("known_as_of=2025-07-16T00:00:60Z", "known_as_of"),
        ("known_as_of=yesterday", "known_as_of"),
        ("known_as_of=", "known_as_of"),
        ("as_of=2025-07-16", "as_of"),
    ],
)
async def test_a_bad_parameter_is_a_400(signed_agreement: Service, query: str, parameter: str):
    said = problem(await signed_agreement.get(f"{PATH}?{query}"), 400, "malformed")
    assert said["errors"][0]["parameter"] == parameter


@pytest.mark.parametrize(
    "id", ["nobody-knows-it", "AB", "Not-An-Id", "abc%00", "a%2Fb", "x" * 200, "%F0%9F%98%80"]
)
@pytest.mark.parametrize("rest", ["", "/events"])
async def test_an_unknown_agreement_is_a_404(signed_agreement: Service, id: str, rest: str):
    problem(await signed_agreement.get(f"/agreements/{id}{rest}"), 404, "not-found")


async def test_an_agreement_is_not_sent_again_to_who_has_it(signed_agreement: Service):
    first = await signed_agreement.get(PATH)
    tag = first.headers["ETag"]
    assert tag.startswith('"v3.')
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await signed_agreement.get(PATH, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["Registry-Position"] == "3"
    await signed_agreement.post(planned("visit-1"))
    assert (await signed_agreement.get(PATH, headers={"If-None-Match": tag})).status_code == 200


async def test_the_etag_is_over_what_is_shown(signed_agreement: Service):
    one = await signed_agreement.get(f"{PATH}?valid_as_of=2025-07-15")
    other = await signed_agreement.get(f"{PATH}?valid_as_of=2025-07-16")
    assert one.headers["ETag"] != other.headers["ETag"]


async def test_the_etag_of_an_agreement_is_taken_as_a_precondition(signed_agreement: Service):
    tag = (await signed_agreement.get(PATH)).headers["ETag"]
    assert (await signed_agreement.post(planned("visit-1"), If_Match=tag)).status_code == 201
    said = problem(await signed_agreement.post(planned("visit-2"), If_Match=tag), 412, "version-mismatch")
    assert said["current_version"] == 4


async def test_what_was_shown_is_kept_until_something_changes(
    signed_agreement: Service, monkeypatch: pytest.MonkeyPatch
):
    shown = []
    monkeypatch.setattr("registry.api.agreements.view", lambda *args: shown.append(args) or view(*args))
    first, second = await signed_agreement.get(PATH), await signed_agreement.get(PATH)
    assert first.content == second.content
    assert len(shown) == 1
    await signed_agreement.get(f"{PATH}?valid_as_of=2025-07-15")
    await signed_agreement.post(planned("visit-1"))
    assert (await signed_agreement.get(PATH)).json()["version"] == 4
    assert len(shown) == 3


async def test_an_answer_is_what_the_fold_of_the_events_shows(signed_agreement: Service):
    state = fold(None, signed_agreement.app.state.reader.recorded(AGREEMENT))
    assert state is not None
    shown = (await signed_agreement.get(f"{PATH}?valid_as_of=2025-07-16")).json()
    expected = view(state, datetime(2025, 7, 16, tzinfo=UTC).date())
    assert (shown["status"], shown["version"]) == (expected.status, expected.version)


def positions(response: Any) -> list[int]:
    return [int(each["sequence"]) for each in response.json()["events"]]


async def test_the_events_of_an_agreement_are_its_history(service_on_any: Service):
    await service_on_any.post(registered("other", subject="aut-deu-1955"))
    await service_on_any.batch(registered(), signed(), planned("visit-1"))
    response = await service_on_any.get(f"{PATH}/events")
    assert positions(response) == [2, 3, 4]
    assert response.headers["Registry-Position"] == "4"
    assert response.json()["events"][1] == (await service_on_any.get("/events/3")).json()


async def test_the_history_has_pages(signed_agreement: Service):
    first = await signed_agreement.get(f"{PATH}/events?limit=2")
    assert positions(first) == [1, 2]
    second = await signed_agreement.get(first.links["next"]["url"])
    assert positions(second) == [3]
    assert positions(await signed_agreement.get(f"{PATH}/events?after=3")) == []


async def test_the_history_as_it_was_known(signed_agreement: Service):
    then = await signed_agreement.get(f"{PATH}/events?known_as_of=2")
    assert positions(then) == [1, 2]
    assert then.headers["Registry-Position"] == "2"
    assert positions(await signed_agreement.get(f"{PATH}/events?known_as_of=2&after=2")) == []
    page = await signed_agreement.get(f"{PATH}/events?known_as_of=2&limit=1")
    assert positions(await signed_agreement.get(page.links["next"]["url"])) == [2]
    problem(await signed_agreement.get(f"{PATH}/events?known_as_of=0"), 404, "not-found")


async def test_the_history_hides_nothing_on_any_day(signed_agreement: Service):
    said = problem(await signed_agreement.get(f"{PATH}/events?valid_as_of=2025-07-16"), 400, "malformed")
    assert said["errors"][0]["parameter"] == "valid_as_of"


@pytest.mark.parametrize(
    "path", [PATH, f"{PATH}/events", f"{PATH}?known_as_of=1", "/agreements/nobody-knows-it"]
)
async def test_head_has_the_headers_of_get_and_no_body(signed_agreement: Service, path: str):
    headers = {"X-Request-ID": "12345678"}
    get, head = (
        await signed_agreement.get(path, headers=headers),
        await signed_agreement.head(path, headers=headers),
    )
    assert (head.status_code, head.headers, head.content) == (get.status_code, get.headers, b"")


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Takes the database away from everything that reads one agreement."""

    def away(*_: Any) -> None:
        raise Unavailable("the database cannot be reached")

    return lambda: monkeypatch.setattr(Reader, "latest", away)


async def test_who_asks_again_is_answered_out_of_memory(service_on_any: Service, no_database):
    await service_on_any.batch(registered(), signed())
    first = await service_on_any.get(PATH)
    no_database()
    again = await service_on_any.get(PATH)
    assert (again.status_code, again.content, again.headers) == (200, first.content, first.headers)
    known = await service_on_any.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
    head = await service_on_any.head(PATH)
    assert (head.content, head.headers) == (b"", first.headers)
    problem(await service_on_any.get(f"{PATH}?valid_as_of=2020-01-01"), 503, "unavailable")


async def test_what_was_just_posted_is_in_the_answer(service_on_any: Service):
    await service_on_any.post(registered())
    for n in range(2, 12):
        await service_on_any.post(planned(f"visit-{n}"))
        for _ in range(2):
            shown = await service_on_any.get(PATH)
            assert (shown.json()["version"], shown.headers["Registry-Position"]) == (n, str(n))
        assert shown.headers["ETag"].startswith(f'"v{n}.')


async def test_another_process_answers_with_what_it_is_held_to_and_by_itself_within_a_second(
    postgres_url: str,
):
    async with serving(postgres_url) as here, serving(postgres_url) as there:
        await here.post(registered())
        assert (await there.get(f"{PATH}?min_position=1")).json()["version"] == 1
        for n in range(2, 8):
            await here.post(planned(f"visit-{n}"))
            held = await there.get(f"{PATH}?min_position={n}")
            assert held.json()["version"] == n
            assert int(held.headers["Registry-Position"]) == n
        await here.post(planned("the-last"))
        posted = asyncio.get_running_loop().time()
        while (await there.get(PATH)).json()["version"] != 8:
            assert asyncio.get_running_loop().time() < posted + 1
        assert (await there.get(PATH)).headers["Registry-Position"] == "8"


async def test_without_its_database_for_a_second_a_service_vouches_for_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, no_database
):
    await service.post(registered())
    assert (await service.get(PATH)).status_code == 200

    def away(_: Reader) -> None:
        raise Unavailable("the database cannot be reached")

    monkeypatch.setattr(Reader, "head", away)
    no_database()
    async with asyncio.timeout(10):
        while (answer := await service.get(PATH)).status_code == 200:
            await asyncio.sleep(0.01)
    problem(answer, 503, "unavailable")


@pytest.mark.parametrize("id", ["nobody-has-this", "no id", "..", "%2e", "x", ""])
async def test_in_the_lane_an_agreement_that_is_not_there_is_refused_as_by_the_framework(
    registered_service: Service, id: str
):
    lane = await registered_service.get(f"/agreements/{id}")
    framework = await registered_service.get(f"/agreements/{id}?valid_as_of=2025-07-16")
    assert lane.status_code == framework.status_code
    if lane.status_code == 404:
        assert problem(lane, 404, "not-found")["detail"] == framework.json()["detail"]


async def test_in_the_lane_an_agreement_looks_as_through_the_framework(registered_service: Service):
    today = datetime.now(UTC).date()
    lane, framework = [
        await registered_service.get(f"{PATH}{more}") for more in ("", f"?valid_as_of={today}")
    ]
    assert (lane.content, lane.headers) == (framework.content, framework.headers)


async def test_nobody_gets_into_the_lane_unknown(sqlite_url: str):
    async with serving(sqlite_url, auth="on") as service:
        problem(await service.get(PATH), 401, "unauthenticated")
