"""What was known, what is so, and in which order it came: properties over the real stores and the real API."""

import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api.conftest import BATCH, Service, serving
from campaigns.random_logs import envelope, merged, stream
from conftest import campaign
from domain.test_any_order import meaning
from projections.reading import AGREEMENT, told
from registry.domain.agreement import Agreement, fold
from registry.domain.claims_view import claims_view
from registry.domain.envelope import Posted, Recorded
from registry.domain.values import write_custom
from registry.domain.view import view
from store.conftest import Opened
from test_seed_answers import AFTERWARDS, THE_DAY_BEFORE, without_places

pytestmark = pytest.mark.campaign

DAYS = ("2024-12-31", "2025-03-03", "2025-07-20")
APART = {"visibility", "recorded_at"}
"""Rights are those of today, and two registries never record at the same time."""


def random_log(seed: int) -> list[Posted]:
    chance = random.Random(seed)
    return merged(chance, [stream(chance, f"r-{seed}-{i}", 25) for i in range(2)])


LOGS = [pytest.param(told(), id="story")] + [
    pytest.param(random_log(seed), id=f"random-{seed}") for seed in range(campaign(40))
]


async def post(service: Service, events: Iterable[Posted]) -> None:
    answer = await service.client.post(
        "/events", content=msgspec.json.encode([envelope(event) for event in events]), headers=BATCH
    )
    assert answer.status_code == httpx.codes.CREATED, answer.text


async def shown(service: Service, agreement: str, **asked: str) -> Any:
    """An agreement on each of some days, or that there is none."""
    found = []
    for day in DAYS:
        answer = await service.get(f"/agreements/{agreement}", params={"valid_as_of": day, **asked})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        assert answer.status_code == httpx.codes.OK, answer.text
        found.append(without(answer.json()))
    return found


def without(value: Any, names: frozenset[str] = frozenset(APART)) -> Any:
    if isinstance(value, dict):
        return {name: without(inner, names) for name, inner in value.items() if name not in names}
    return [without(inner, names) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("log", LOGS)
async def test_what_was_known_at_a_position_is_what_a_registry_shows_that_ends_there(
    log: list[Posted], sqlite_template: Path, tmp_path: Path
) -> None:
    def fresh(name: str) -> str:
        shutil.copy(sqlite_template, tmp_path / name)
        return f"sqlite:///{tmp_path / name}"

    agreements = sorted({event.subject for event in log})
    async with serving(fresh("whole")) as whole, serving(fresh("growing")) as growing:
        await post(whole, log)
        for position, event in enumerate(log, start=1):
            await post(growing, [event])
            for agreement in agreements:
                then = await shown(whole, agreement, known_as_of=str(position))
                assert then == await shown(growing, agreement), f"{agreement} at {position}, {event.id}"


def folded(log: list[Posted]) -> dict[str, Agreement]:
    """The agreements of a log as memory alone has them."""
    states: dict[str, Agreement] = {}
    for position, event in enumerate(log, start=1):
        known = states.get(event.subject)
        recorded = Recorded(
            position=position,
            version=known.version + 1 if known else 1,
            recorded_at=0,
            source=event.source,
            id=event.id,
            type=event.type,
            subject=event.subject,
            data=event.data,
        )
        state = fold(known, [recorded])
        assert state is not None
        states[event.subject] = state
    return states


async def stored(url: str, log: list[Posted]) -> dict[str, Agreement]:
    """The agreements of a log as a store has them: appended, and then read back event by event."""
    store = Opened(url)
    store.sequencer.start()
    await store.append(*log)
    states = {}
    for agreement in {event.subject for event in log}:
        state = fold(None, store.reader.recorded(agreement))
        assert state is not None
        assert everything(state) == everything(store.reader.agreement(agreement))
        states[agreement] = state
    await store.close()
    return states


def everything(state: Agreement | None) -> Any:
    """All that can be shown of an agreement, but for when it was recorded."""
    assert state is not None
    parts = [view(state, AFTERWARDS), view(state, THE_DAY_BEFORE), claims_view(state)]
    built = msgspec.to_builtins(parts, enc_hook=write_custom)
    return [without(built), meaning(state, AFTERWARDS), sorted(state.live), state.position, state.version]


@pytest.mark.postgres
@pytest.mark.parametrize("log", LOGS)
async def test_memory_and_both_databases_fold_to_the_same_agreements(
    log: list[Posted], sqlite_url: str, postgres_url: str
) -> None:
    in_memory = folded(log)
    for url in (sqlite_url, postgres_url):
        states = await stored(url, log)
        assert states.keys() == in_memory.keys()
        for agreement, state in states.items():
            assert everything(state) == everything(in_memory[agreement])


async def test_either_report_may_come_first_through_the_api(sqlite_template: Path, tmp_path: Path) -> None:
    answers = []
    for reports in (("report_a", "report_b"), ("report_b", "report_a")):
        path = tmp_path / reports[0]
        shutil.copy(sqlite_template, path)
        async with serving(f"sqlite:///{path}") as service:
            for report in reports:
                await post(service, told(report))
            answers.append(await answers_of(service, told(*reports)))
    one, other = answers
    assert one.keys() == other.keys()
    for asked, answer in one.items():
        assert answer == other[asked], asked


OWN = f"/agreements/{AGREEMENT}"
ON_A_DAY = (OWN, f"{OWN}/explain", "/agreements", "/follow-ups", "/stats")
ALWAYS = (
    f"{OWN}/claims",
    "/parties",
    "/pairs",
    "/engagements",
    "/institutions",
    "/people",
    "/facts",
    "/sources",
)


async def answers_of(service: Service, posted: list[Posted]) -> dict[str, Any]:
    """Everything that the API says of the story, without positions."""
    asked = [f"{path}?valid_as_of={day}" for path in ON_A_DAY for day in DAYS] + [
        f"{path}?" for path in ALWAYS
    ]
    found = {}
    for path in asked:
        wait = {"Prefer": "wait=20"}
        answer = await service.get(f"{path}&min_position={len(posted)}".replace("?&", "?"), headers=wait)
        assert answer.status_code == httpx.codes.OK, answer.text
        found[path] = without_places(answer.json())
        if path.startswith("/agreements?"):  # says who founded the agreement: whoever came first
            founders = {item.pop("source") for item in found[path]["items"]}
            assert founders == {posted[0].source}
    return found
