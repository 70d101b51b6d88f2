"""Parties and pairs of them over HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.conftest import Event, Service, event, problem, serving, signed

FRA = {"id": "fra", "kind": "state", "name": {"en": "France"}, "country": "FRA"}
PAK = {"id": "pak", "kind": "state", "name": {"en": "Pakistan"}, "country": "PAK"}
SLV = {"id": "slv", "kind": "state", "name": {"en": "El Salvador"}, "country": "SLV"}
UNO = {"id": "uno", "kind": "organisation", "name": {"en": "=United Nations"}}
POSTED = 5


def between(subject: str, one: dict[str, Any], other: dict[str, Any], **more: Any) -> Event:
    data = {"title": {"en": subject}, "parties": [one, other], **more}
    return event("registered", subject, data, subject=subject)


@pytest.fixture
async def four(database_url: str) -> AsyncIterator[Service]:
    """A service that knows four agreements between four parties."""
    async with serving(database_url) as service:
        events = (
            between("pak-slv-one", PAK, SLV, entry_mode="on-signature", kind="loi"),
            between("pak-slv-two", SLV, PAK, kind="treaty"),
            between("fra-pak", FRA, PAK, kind="treaty"),
            between("fra-uno", FRA, UNO),
            signed(subject="pak-slv-one"),
        )
        assert (await service.batch(*events)).status_code == 201
        for path in ("/parties", "/parties/fra"):
            assert (await read(service, path)).status_code == 200
        yield service


async def read(service: Service, path: str) -> httpx.Response:
    """Read something once it has seen everything."""
    mark = "&" if "?" in path else "?"
    return await service.get(f"{path}{mark}min_position={POSTED}", headers={"Prefer": "wait=20"})


async def counted(service: Service, path: str) -> list[tuple[Any, ...]]:
    answer = await service.get(path)
    assert answer.status_code == 200, answer.text
    return [
        tuple(item[name] for name in ("id", "one", "other", "agreements") if name in item)
        for item in answer.json()["items"]
    ]


async def test_parties_are_listed_with_their_agreements(four: Service):
    assert await counted(four, "/parties") == [("fra", 2), ("pak", 3), ("slv", 2), ("uno", 1)]
    assert await counted(four, "/parties?partner=pak&sort=-agreements") == [("slv", 2), ("fra", 1)]
    assert await counted(four, "/parties?kind=organisation") == [("uno", 1)]
    assert await counted(four, "/parties?country=PAK&sort=name") == [("pak", 3)]
    assert await counted(four, "/parties?id=uno,slv") == [("slv", 2), ("uno", 1)]


async def test_pairs_are_listed_with_their_agreements(four: Service):
    assert await counted(four, "/pairs") == [("fra", "pak", 1), ("fra", "uno", 1), ("pak", "slv", 2)]
    assert await counted(four, "/pairs?party=pak&sort=-agreements") == [("pak", "slv", 2), ("fra", "pak", 1)]
    found, path = [], "/pairs?limit=1&sort=-agreements"
    while path:
        answer = await four.get(path)
        found += [(item["one"], item["other"]) for item in answer.json()["items"]]
        link = answer.headers.get("Link", "")
        path = link.partition(">")[0].removeprefix("<")
    assert found == [("pak", "slv"), ("fra", "uno"), ("fra", "pak")]


async def test_parties_are_given_as_a_table_too(four: Service):
    answer = await four.get("/parties?kind=organisation", headers={"Accept": "text/csv"})
    assert answer.text.splitlines() == [
        "id,kind,name,country,agreements",
        'uno,organisation,"{""en"":""=United Nations""}",,1',
    ]


async def test_a_party_is_read_on_a_day(four: Service):
    answer = await four.get("/parties/pak?valid_as_of=2025-07-16")
    party = answer.json()
    assert (party["id"], party["country"], party["on"], party["agreements"]) == (
        "pak",
        "PAK",
        "2025-07-16",
        3,
    )
    assert party["statuses"] == {"in-force": 1, "registered": 2}
    assert party["kinds"] == {"loi": 1, "treaty": 2}
    assert [(one["id"], one["agreements"]) for one in party["partners"]] == [("slv", 2), ("fra", 1)]
    assert answer.headers["Registry-Position"] == str(POSTED)
    before = (await four.get("/parties/pak?valid_as_of=2025-07-15")).json()
    assert before["statuses"] == {"registered": 3}


async def test_a_pair_is_read_in_either_order(four: Service):
    one = (await four.get("/pairs/pak/slv?valid_as_of=2025-07-16")).json()
    other = (await four.get("/pairs/slv/pak?valid_as_of=2025-07-16")).json()
    assert [party["id"] for party in one["parties"]] == ["pak", "slv"]
    assert (one["agreements"], one["statuses"]) == (2, {"in-force": 1, "registered": 1})
    assert {**other, "parties": other["parties"][::-1]} == one
    assert (one["first_signed"], one["last_signed"]) == ("2025-07-16", "2025-07-16")


@pytest.mark.parametrize(
    "path",
    [
        "/parties/xyz",
        "/parties/No%20Id",
        "/parties/%00",
        "/pairs/slv/fra",
        "/pairs/pak/pak",
        "/pairs/pak/P%C3%89",
    ],
)
async def test_parties_without_agreements_are_not_found(four: Service, path: str):
    problem(await four.get(path), 404, "not-found")


async def test_what_is_not_known_is_refused(four: Service):
    for query in (
        "?known_as_of=1",
        "?valid_as_of=today",
        "?limit=5",
        "?valid_as_of=2025-01-01&valid_as_of=2025-01-01",
    ):
        for path in ("/parties/pak", "/pairs/pak/slv"):
            problem(await four.get(path + query), 400, "malformed")
    for query in ("?country=XXX", "?kind=king", "?partner=P", "?valid_as_of=2025-01-01", "?known_as_of=1"):
        refused = problem(await four.get("/parties" + query), 400, "malformed")
        assert len(json.dumps(refused)) < 1000


async def test_a_party_is_not_sent_again_unchanged(four: Service):
    for path in ("/parties/pak", "/pairs/pak/slv", "/parties", "/pairs"):
        answer = await four.get(path)
        again = await four.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        head = await four.head(path)
        assert (head.content, head.headers["ETag"]) == (b"", answer.headers["ETag"])
