"""Whatever shows personal values, entries or evidence is written down before it is answered."""

from collections.abc import AsyncIterator

import pytest

from api.conftest import AGREEMENT, Service, planned, problem, registered, serving, signed
from api.logged import checkpoint_of
from registry.store.access_log import Access, read_accesses
from registry.store.database import open_reader

BUNDLE = f"/log/bundle?agreement={AGREEMENT}"
SHOWN = {
    "/events/2": ("GET /events/{position}", None, 2),
    "/events/2/entry": ("GET /events/{position}/entry", None, 2),
    "/events?limit=3": ("GET /events", None, None),
    f"/agreements/{AGREEMENT}": ("GET /agreements/{id}", AGREEMENT, None),
    f"/agreements/{AGREEMENT}/events": ("GET /agreements/{id}/events", AGREEMENT, None),
    f"/a/{AGREEMENT}": ("GET /a/{id}", AGREEMENT, None),
    "/log/2": ("GET /log/{position}", None, 2),
    f"/agreements/{AGREEMENT}/history": ("GET /agreements/{id}/history", AGREEMENT, None),
    f"/agreements/{AGREEMENT}/compare?from=1&to=2": ("GET /agreements/{id}/compare", AGREEMENT, None),
    "/people?min_position=3": ("GET /people", None, None),
    BUNDLE: ("GET /log/bundle", AGREEMENT, None),
    "/tile/entries/000.p/3": ("GET /tile/entries/{tile}", None, None),
}
NOT_PERSONAL = (
    "/events/1",
    "/events/1/entry",
    "/events?type=agreement.registered.v1&min_position=3",
    "/agreements",
    "/log",
    "/checkpoint",
    "/tile/0/000.p/3",
    "/facts",
)


@pytest.fixture
async def published(service_on_any_with_key: Service) -> Service:
    return service_on_any_with_key


@pytest.fixture
async def service_on_any_with_key(database_url: str, tmp_path) -> AsyncIterator[Service]:
    from registry.audit.keys import make_key

    make_key(tmp_path / "key")
    async with serving(database_url, log_key_file=str(tmp_path / "key")) as service:
        assert (await service.batch(registered(), signed(), planned("visit"))).status_code == 201
        await checkpoint_of(service, 3)
        yield service


def written(service: Service) -> list[Access]:
    engine = open_reader(service.app.state.settings.database)
    with engine.connect() as connection:
        found = [access for _, access in read_accesses(connection)]
    engine.dispose()
    return found


async def test_each_read_that_discloses_is_written_down_once(published: Service):
    for path, (what, agreement, position) in SHOWN.items():
        before = len(written(published))
        wait = {"Prefer": "wait=10", "Access-Reason": " Prüfung 7 ".encode()}
        answer = await published.get(path, headers=wait)
        assert answer.status_code == 200, answer.text
        (access,) = written(published)[before:]
        assert (access.what, access.agreement, access.position) == (what, agreement, position)
        assert access.principal == published.app.state.principal.id
        assert access.reason == "Prüfung 7"
        assert access.asked is not None or "?" not in path


async def test_what_names_nobody_costs_nothing(published: Service):
    for path in NOT_PERSONAL:
        seen = {} if "?" in path or "/tile" in path or path == "/checkpoint" else {"min_position": "3"}
        answer = await published.client.get(path, params=seen or None, headers={"Prefer": "wait=10"})
        assert answer.status_code == 200, path
    assert written(published) == []


async def test_streams_are_written_down_when_they_begin(published: Service):
    lines = {"Accept": "application/x-ndjson"}
    assert (await published.get("/events", headers=lines)).status_code == 200
    for path in ("/people?min_position=3", "/sources?min_position=3"):
        assert (await published.get(path, headers={**lines, "Prefer": "wait=10"})).status_code == 200
    assert [access.what for access in written(published)] == ["GET /events", "GET /people"]


async def test_who_has_an_agreement_already_is_shown_nothing(published: Service):
    first = await published.get(f"/agreements/{AGREEMENT}")
    again = await published.get(f"/agreements/{AGREEMENT}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert len(written(published)) == 1


async def test_nothing_that_is_refused_is_written_down(published: Service):
    for path in ("/events/99", "/log/bundle?agreement=nobody-knows-it", "/tile/entries/009"):
        assert (await published.get(path)).status_code == 404
    assert written(published) == []


async def test_no_name_is_ever_in_it(published: Service):
    for path in SHOWN:
        await published.get(path)
    await published.get("/agreements?q=Signatory")
    assert "Signatory" not in repr(written(published))


@pytest.mark.parametrize("reason", ["x" * 201, "two\tcolumns", "\x7f", b"\xff\xfe"])
async def test_a_reason_is_a_short_line(published: Service, reason: str | bytes):
    answer = await published.get("/events/2", headers={"Access-Reason": reason})
    assert problem(answer, 400, "malformed")["errors"][0]["header"] == "Access-Reason"
    assert written(published) == []


async def test_a_reason_can_be_required(sqlite_url: str):
    async with serving(sqlite_url, require_reason=True) as service:
        await service.batch(registered(), signed())
        await checkpoint_of(service, 2)
        for path in ("/events/2", BUNDLE, "/tile/entries/000.p/2"):
            for headers in ({}, {"Access-Reason": "  "}):
                refused = await service.get(path, headers=headers)
                assert problem(refused, 400, "malformed")["errors"][0]["header"] == "Access-Reason"
            assert (await service.get(path, headers={"Access-Reason": "audit of 2026"})).status_code == 200
        assert (await service.get("/events/1")).status_code == 200
        assert {access.reason for access in written(service)} == {"audit of 2026"}
