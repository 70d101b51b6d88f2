"""Whichever way the agreements' streams are merged, and on either database, the read models say the same."""

import asyncio
import itertools
import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import uk_data
from api.conftest import Service, serving
from campaigns.kept_rows import Rows, every_row, filled, only_differences, rows_without_places, without_times
from campaigns.random_logs import batches, merged, stream
from conftest import SHARED, campaign
from projections.reading import AGREEMENT, build, told
from registry.domain.envelope import Posted
from registry.projections.catalogue import CATALOGUE
from store.conftest import Opened

pytestmark = pytest.mark.campaign

LISTS = {
    "/agreements": (
        "q=digital",
        "status=in-force&valid_as_of=2025-08-01",
        "sort=-signed",
        "party=pak&sort=title",
        *(
            f"q={words}"
            for words in ("t", "treaty", "PROTOCOL+amend", "%C3%89l%20salv", "and+not+or", "1%26%2A")
        ),
        "status=signed,terminated&valid_as_of=1930-01-01&sort=-title",
        "signed_from=1900-01-01&signed_to=1930-12-31&sort=signed",
        "kind=treaty,unspecified&place=London&sort=-updated",
        "disputed=true",
        "overdue=true&valid_as_of=2025-08-01",
        "subject=TRADE&updated_since=50",
    ),
    "/parties": ("sort=-agreements", "sort=name&kind=state", "partner=pak"),
    "/pairs": ("sort=-agreements",),
    "/parties/pak": ("valid_as_of=2025-08-01",),
    "/pairs/pak/slv": ("",),
    f"/agreements/{AGREEMENT}/timeline": ("",),
    "/engagements": ("party=slv", "day_from=2025-07-01&day_to=2025-07-31&sort=-day", "state=planned,held"),
    "/follow-ups": ("valid_as_of=2025-03-01", "overdue=true", "state=open&due_before=2025-08-01&sort=-due"),
    "/institutions": ("",),
    "/people": ("",),
    "/facts": ("value_kind=quantity&sort=-predicate", "outlook=true"),
    "/publications": ("recorded=true&sort=-publication",),
    "/sources": ("disputed=true&sort=-source", "party=slv"),
    "/stats": ("per=year&valid_as_of=1930-01-01", "party=pak"),
}
"""What is asked beside the plain list: by the path, its queries."""


@pytest.fixture(params=["generated", "treaties"])
def streams(request: pytest.FixtureRequest) -> list[list[Posted]]:
    """The story and random agreements; or the story and some of the treaties, where they are."""
    chance = random.Random(3)
    if request.param == "generated":
        return [told(), *(stream(chance, f"r-{i}", 60) for i in range(campaign(100)))]
    if not (SHARED / "data").is_dir():
        pytest.skip("the treaties are not here")
    rows = chance.sample(uk_data.read_rows(SHARED), campaign(1500))
    by_agreement = itertools.groupby(uk_data.posted(rows), key=lambda event: event.subject)
    return [told(), *(list(events) for _, events in by_agreement)]


@contextmanager
def kept(url: str, log: list[Posted]) -> Iterator[Opened]:
    """Append a log, in batches, and build all read models of it."""
    store = Opened(url)

    async def take() -> None:
        store.sequencer.start()
        for batch in batches(log, 200):
            await store.append(*batch)
        await build(store, *CATALOGUE)
        await store.sequencer.close()

    asyncio.run(take())
    yield store
    store.writing.dispose()
    store.reading.dispose()


def rows_of_merge(template: Path, folder: Path, streams: list[list[Posted]], seed: int) -> Rows:
    path = folder / f"{seed}.db"
    shutil.copy(template, path)
    with kept(f"sqlite:///{path}", merged(random.Random(seed), streams)) as store:
        return rows_without_places(store.reading)


def test_streams_merged_in_any_order_give_the_same_rows(
    sqlite_template: Path, tmp_path: Path, streams: list[list[Posted]]
) -> None:
    first = rows_of_merge(sqlite_template, tmp_path, streams, 0)
    assert len(filled(first)) > len(CATALOGUE)
    for seed in range(1, 1 + campaign(30)):
        assert only_differences(first, rows_of_merge(sqlite_template, tmp_path, streams, seed)) == {}


@pytest.mark.postgres
def test_both_databases_give_the_same_rows_and_answers(
    sqlite_url: str, postgres_url: str, streams: list[list[Posted]]
) -> None:
    log = merged(random.Random(7), streams)
    rows, answers = [], []
    for url in (sqlite_url, postgres_url):
        with kept(url, log) as store:
            rows.append(
                {name: list(map(without_times, table)) for name, table in every_row(store.reading).items()}
            )
        answers.append(asyncio.run(answers_of(url, len(log))))
    assert only_differences(*rows) == {}
    for path, answer in answers[0].items():
        assert answer == answers[1][path], path
    for path in ("/agreements?", "/people?", "/engagements?", "/publications?"):
        assert '"items": [{' in answers[0][path][0], path


async def answers_of(url: str, position: int) -> dict[str, Any]:
    """Everything that the lists say, read page by page, by the path and the query."""
    async with serving(url) as service:
        return {
            f"{path}?{query}": await every_page(service, path, query, position)
            for path, queries in LISTS.items()
            for query in {"", *queries}
        }


async def every_page(service: Service, path: str, query: str, position: int) -> list[str]:
    pages = []
    asked = f"{path}?{query}&min_position={position}".replace("?&", "?")
    while asked:
        answer = await service.get(asked, headers={"Prefer": "wait=20"})
        assert answer.status_code == 200, f"{asked}: {answer.text}"
        body = answer.json()
        body.pop("next", None)
        pages.append(without_times(json.dumps(body)))
        asked = answer.links["next"]["url"] if "next" in answer.links else ""
    return pages
