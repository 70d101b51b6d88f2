from datetime import UTC, date, datetime

import pytest

from domain.conftest import A, B
from projections.reading import Stream, build, build_from, on, told
from registry.access import EVERYTHING
from registry.errors import Unavailable
from registry.projections.activity import (
    ACTIVITY,
    Counted,
    Stats,
    StatsFilters,
    Turn,
    stats,
    status_through_time,
)
from registry.projections.listing import FIRST_DAY, LAST_DAY
from store.conftest import Opened


def rows(log: Stream, table: str = "") -> list[dict]:
    assert log.state is not None
    return list(ACTIVITY.rows(log.state)[table])


def read(store: Opened, **filters) -> Stats:
    with store.reading.connect() as connection:
        return stats(connection, StatsFilters(**filters), sight=EVERYTHING)[0]


@pytest.fixture
def log() -> Stream:
    return Stream("one")


def test_an_agreement_counts_its_events_and_disputes(log: Stream) -> None:
    for source, state in ((A, "agreed"), (B, "prospective")):
        log.post("cooperation-area-added", source=source, area_id="a", label={"en": "a"}, state=state)
    (row,) = rows(log)
    assert (row["kind"], row["events"], row["disputed"], row["visibility"]) == ("unspecified", 3, 1, "public")
    log.post("classified", kind="loi")
    assert rows(log)[0]["kind"] == "loi"
    assert rows(log, "source") == [{"source": A}, {"source": B}]


def test_the_status_of_each_day_has_one_row(log: Stream) -> None:
    log.signed("2025-07")
    log.post("entered-into-force", date="2025-09-01")
    log.post("terminated", date="2026-01-01", ground="consent")
    assert [(row["first"], row["last"], row["status"]) for row in rows(log, "status")] == [
        (FIRST_DAY, "2025-06-30", "registered"),
        ("2025-07-01", "2025-08-31", "signed"),
        ("2025-09-01", "2025-12-31", "in-force"),
        ("2026-01-01", LAST_DAY, "terminated"),
    ]


def test_events_are_counted_on_the_day_of_their_record_whatever_became_of_them(log: Stream) -> None:
    wrong = log.post("classified", kind="mou")
    log.retract(wrong)
    assert rows(log, "recorded") == [
        {"day": "1970-01-01", "type": "agreement.classified.v1", "events": 1},
        {"day": "1970-01-01", "type": "agreement.event-retracted.v1", "events": 1},
        {"day": "1970-01-01", "type": "agreement.registered.v1", "events": 1},
    ]


def test_what_stands_is_counted_on_the_first_day_that_it_can_have_happened(log: Stream) -> None:
    log.post("engagement-held", engagement_id="v1", kind="visit", start="../2025-07-16")
    log.post("engagement-held", engagement_id="v2", kind="visit", start="2025-07-1X")
    gone = log.post("engagement-held", engagement_id="v3", kind="visit", start="2025-07-20")
    log.retract(gone)
    log.post("engagement-held", engagement_id="v4", kind="visit", start="2025-07-10")
    assert rows(log, "happened") == [
        {"day": "2025-07-10", "type": "agreement.engagement-held.v1", "events": 2},
        {"day": "2025-07-16", "type": "agreement.engagement-held.v1", "events": 1},
    ]


@pytest.fixture
async def two(store: Opened) -> Opened:
    one, other = Stream("one"), Stream("other")
    one.post("classified", kind="loi", entry_mode="on-signature")
    one.signed("2025-07-16")
    other.signed("2024-12", source=B)
    for source, state in ((A, "agreed"), (B, "prospective")):
        other.post("cooperation-area-added", source=source, area_id="a", label={"en": "a"}, state=state)
    await build_from(store, ACTIVITY, one, other)
    return store


async def test_the_numbers_of_all_agreements(two: Opened) -> None:
    found = read(two, valid_as_of=on("2025-07-16"))
    assert (found.totals.agreements, found.totals.events) == (2, 7)
    assert (found.totals.sources, found.totals.disputed) == (2, 1)
    assert found.by_status == {"in-force": 1, "signed": 1}
    assert found.by_kind == {"loi": 1, "unspecified": 1}
    assert found.by_type == {
        "agreement.classified.v1": 1,
        "agreement.cooperation-area-added.v1": 2,
        "agreement.registered.v1": 2,
        "agreement.signed.v1": 2,
    }
    assert found.happened == (Counted(time="2024-12", events=1), Counted(time="2025-07", events=1))
    month = datetime.now(UTC).strftime("%Y-%m")
    assert sum(counted.events for counted in found.recorded) == 7
    assert found.recorded[-1].time <= month


async def test_the_statuses_are_those_of_the_day_asked_for(two: Opened) -> None:
    assert read(two, valid_as_of=on("2024-11-30")).by_status == {"registered": 2}
    assert read(two, valid_as_of=on("2024-12-01")).by_status == {"registered": 1, "signed": 1}
    today = read(two)
    assert abs((today.on - datetime.now(UTC).date()).days) <= 1
    assert today.by_status == {"in-force": 1, "signed": 1}


async def test_the_numbers_of_some_agreements(two: Opened) -> None:
    one = read(two, agreement="one")
    assert (one.totals.agreements, one.totals.events, one.totals.sources) == (1, 3, 1)
    assert (one.by_kind, one.happened) == ({"loi": 1}, (Counted(time="2025-07", events=1),))
    assert read(two, party="slv").totals.agreements == 2
    nobody = read(two, party="fra")
    assert (nobody.totals.agreements, nobody.totals.events, nobody.totals.sources) == (0, 0, 0)
    assert (nobody.by_status, nobody.by_type, nobody.recorded) == ({}, {}, ())


async def test_events_are_counted_by_day_month_or_year(two: Opened) -> None:
    for per, times in (("day", ["2024-12-01", "2025-07-16"]), ("year", ["2024", "2025"])):
        assert [counted.time for counted in read(two, per=per).happened] == times


async def test_they_say_how_far_the_log_was_counted(two: Opened) -> None:
    with two.reading.connect() as connection:
        assert stats(connection, StatsFilters(), sight=EVERYTHING)[1] == 7


async def test_before_the_first_build_there_are_none(store: Opened) -> None:
    with store.reading.connect() as connection, pytest.raises(Unavailable):
        stats(connection, StatsFilters(), sight=EVERYTHING)


async def test_the_numbers_of_the_story(store: Opened) -> None:
    await store.append(*told())
    await build(store, ACTIVITY)
    found = read(store, valid_as_of=date(2025, 7, 16))
    assert (found.totals.agreements, found.totals.events, found.totals.disputed) == (1, 71, 1)
    assert (found.by_status, found.by_kind) == ({"in-force": 1}, {"loi": 1})
    assert read(store, valid_as_of=date(2025, 7, 15)).by_status == {"registered": 1}


async def test_the_turns_of_status_add_up_to_the_numbers_of_every_day(two: Opened) -> None:
    with two.reading.connect() as connection:
        turns = status_through_time(connection, sight=EVERYTHING)
    assert list(turns) == sorted(turns, key=lambda turn: (turn.day, turn.status, turn.agreements))
    assert Turn(FIRST_DAY, "registered", 2) in turns
    for day in (date(2020, 1, 1), *(date.fromisoformat(turn.day) for turn in turns), date(2100, 1, 1)):
        added: dict[str, int] = {}
        for turn in turns:
            if turn.day <= day.isoformat():
                added[turn.status] = added.get(turn.status, 0) + turn.agreements
        assert {status: number for status, number in added.items() if number} == read(
            two, valid_as_of=day
        ).by_status
