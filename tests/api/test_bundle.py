"""GET /log/bundle, read by a program that knows the documentation alone."""

import json
from collections.abc import AsyncIterator

import pytest

from api.conftest import AGREEMENT, Service, event, planned, problem, registered, serving, signed
from api.logged import checkpoint_of, vkey_of
from evidence_reader import check, unzipped
from registry.audit.keys import make_key

BUNDLE = f"/log/bundle?agreement={AGREEMENT}"


@pytest.fixture
async def published(database_url: str, tmp_path) -> AsyncIterator[Service]:
    """A service on each kind of database that knows two agreements, one of them signed by a person."""
    make_key(tmp_path / "key")
    async with serving(database_url, log_key_file=str(tmp_path / "key")) as service:
        other = registered("other", subject="another-agreement")
        assert (await service.batch(registered(), other, signed(), planned("visit"))).status_code == 201
        await checkpoint_of(service, 4)
        yield service


async def test_a_bundle_proves_itself(published: Service):
    answer = await published.get(f"{BUNDLE}&valid_as_of=2025-08-01")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{AGREEMENT}-4.zip"'
    files = unzipped(answer.content)
    bundle = check(files, vkey_of(published))
    assert [one.position for one in bundle.events] == [1, 3, 4]
    assert bundle.manifest["valid_as_of"] == "2025-08-01"
    assert files["checkpoint"] == (await published.get("/checkpoint")).content
    assert files["keys.txt"].decode() == f"{vkey_of(published)}\n"
    assert b"A. Signatory" in bundle.events[1].open[1]
    shown = (await published.get(f"/agreements/{AGREEMENT}?valid_as_of=2025-08-01")).json()
    assert bundle.claimed == shown


async def test_the_same_bundle_is_the_same_bytes_and_need_not_be_fetched_again(published: Service):
    first = await published.get(f"{BUNDLE}&valid_as_of=2025-08-01&from=2")
    again = await published.get(f"{BUNDLE}&valid_as_of=2025-08-01&from=2")
    assert first.content == again.content
    known = {"If-None-Match": first.headers["ETag"]}
    assert (await published.get(f"{BUNDLE}&valid_as_of=2025-08-01&from=2", headers=known)).status_code == 304
    for other in ("&valid_as_of=2025-08-02&from=2", "&valid_as_of=2025-08-01&from=3"):
        assert (await published.get(BUNDLE + other, headers=known)).status_code == 200


async def test_a_bundle_extends_a_checkpoint_that_was_kept(published: Service):
    kept = await checkpoint_of(published, 4)
    await published.batch(*(planned(f"visit-{i}") for i in range(9)))
    await checkpoint_of(published, 13)
    answer = await published.get(f"{BUNDLE}&from=4")
    assert check(unzipped(answer.content), vkey_of(published), kept).manifest["size"] == 13
    same = await published.get(f"{BUNDLE}&from=13")
    check(unzipped(same.content), vkey_of(published), await checkpoint_of(published, 13))


async def test_a_correction_and_what_it_replaced_are_both_in_it(published: Service):
    target = {"source": "https://report-b.example/", "id": "signed", "type": "agreement.signed.v1"}
    replacement = signed(occurred="2025-07-15")["data"]
    data = {"target": target, "replacement": replacement, "reason": "a day early", "kind": "entry-error"}
    assert (await published.post(event("event-corrected", "fix", data))).status_code == 201
    await checkpoint_of(published, 5)
    bundle = check(unzipped((await published.get(BUNDLE)).content), vkey_of(published))
    assert bundle.claimed is not None
    assert bundle.claimed["signatures"][0]["date"] == "2025-07-15"
    assert json.loads(bundle.events[1].open[0])["data"]["occurred"] == "2025-07-16"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "agreement"),
        ("?agreement=No%20Id", "agreement"),
        (f"?agreement={AGREEMENT}&from=0", "from"),
        (f"?agreement={AGREEMENT}&from=5", "from"),
        (f"?agreement={AGREEMENT}&from=-1", "from"),
        (f"?agreement={AGREEMENT}&valid_as_of=2025-02-30", "valid_as_of"),
        (f"?agreement={AGREEMENT}&known_as_of=3", "known_as_of"),
        (f"?agreement={AGREEMENT}&agreement={AGREEMENT}", "agreement"),
    ],
)
async def test_a_bad_parameter_is_refused(published: Service, query: str, parameter: str):
    body = problem(await published.get(f"/log/bundle{query}"), 400, "malformed")
    assert body["errors"][0]["parameter"] == parameter


async def test_there_is_none_of_an_agreement_that_is_not_known(published: Service):
    problem(await published.get("/log/bundle?agreement=nobody-knows-it"), 404, "not-found")


@pytest.mark.postgres
async def test_without_a_checkpoint_there_is_none_yet(postgres_url: str):
    async with serving(postgres_url) as service:
        await service.post(registered())
        answer = await service.get(BUNDLE)
        problem(answer, 503, "unavailable")
        assert answer.headers["Retry-After"] == "1"


async def test_an_agreement_that_is_too_large_is_left_to_the_command(
    published: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("registry.api.bundle.MOST_BYTES", 1000)
    body = problem(await published.get(BUNDLE), 413, "too-large")
    assert "registry export" in body["detail"]


async def test_who_may_not_read_personal_values_gets_them_withheld_and_restricted_agreements_are_none(
    database_url: str, tmp_path
):
    make_key(tmp_path / "key")
    key = str(tmp_path / "key")
    async with serving(database_url, log_key_file=key) as service:
        secret = registered("secret", subject="a-restricted-one")
        secret["data"]["visibility"] = "restricted"
        assert (await service.batch(registered(), signed(), secret)).status_code == 201
        await checkpoint_of(service, 3)
        assert (await service.get("/log/bundle?agreement=a-restricted-one")).status_code == 200
        whole = await service.get(BUNDLE)
    async with serving(database_url, log_key_file=key, auth="on", public_read=True) as service:
        answer = await service.get(BUNDLE, headers={"If-None-Match": whole.headers["ETag"]})
        assert answer.status_code == 200
        bundle = check(unzipped(answer.content), vkey_of(service))
        assert [one.withheld for one in bundle.events] == [set(), {1}]
        assert b"Signatory" not in answer.content
        assert b"Signatory" in whole.content
        problem(await service.get("/log/bundle?agreement=a-restricted-one"), 404, "not-found")
        problem(await service.client.post("/log/exports"), 401, "unauthenticated")
    async with serving(database_url, log_key_file=key, auth="on") as service:
        problem(await service.get(BUNDLE), 401, "unauthenticated")
