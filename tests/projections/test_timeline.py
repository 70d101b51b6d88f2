"""The timeline: one row for each date that an event gives."""

from typing import Any

import pytest

from domain.conftest import B, Log
from projections.conftest import live_rows
from projections.reading import AGREEMENT, REPORT_B, Stream, build, build_from, items, told
from registry.domain.edtf import Edtf
from registry.domain.events.event import EVENT_TYPES
from registry.projections.listing import FIRST_DAY, LAST_DAY
from registry.projections.timeline import LIST, TIMELINE, dates_of
from store.conftest import Opened


@pytest.fixture
def log() -> Stream:
    return Stream("one")


def rows(log: Log) -> list[dict[str, Any]]:
    assert log.state is not None
    return list(TIMELINE.rows(log.state)[""])


def told_by(log: Log) -> list[tuple[str, str, str]]:
    return [(row["what"], row["field"], row["date"]) for row in rows(log)]


def test_what_has_no_date_is_not_on_the_timeline(log: Stream) -> None:
    log.post("engagement-planned", engagement_id="m", kind="meeting", certainty="expected")
    assert rows(log) == []


def test_every_date_of_an_event_has_a_row(log: Stream) -> None:
    log.post("engagement-held", engagement_id="m1", kind="meeting", start="../2025-07-16", end="2025-07-18~")
    start, end = sorted(rows(log), key=lambda row: row["field"], reverse=True)
    assert (start["field"], start["date"], start["part"]) == ("start", "../2025-07-16", "m1")
    assert (start["earliest"], start["latest"], start["day"]) == (FIRST_DAY, "2025-07-16", "2025-07-16")
    assert (end["field"], end["date"]) == ("end", "2025-07-18~")
    assert (end["position"], end["recorded_at"], end["source"]) == (2, 2_000_000, log.events[1].source)
    assert end["event"] == log.events[1].id


def test_dates_go_by_their_names_in_json(log: Stream) -> None:
    log.post("provisionally-applied", from_="2025-07-16")
    log.post("term-set", start="2025", end="2030/..", auto_renew=False)
    assert told_by(log) == [
        ("provisionally-applied", "from", "2025-07-16"),
        ("term-set", "end", "2030/.."),
        ("term-set", "start", "2025"),
    ]
    assert [row["latest"] for row in rows(log)] == ["2025-07-16", LAST_DAY, "2025-12-31"]


def test_the_days_of_a_person_in_office_are_not_on_the_timeline(log: Stream) -> None:
    person = {"person_id": "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"}
    log.post("role-held", person=person, title={"en": "Minister"}, party="pak", from_="2024", to="2025")
    assert rows(log) == []


def test_every_date_of_the_vocabulary_is_known_to_the_timeline_but_personal_ones() -> None:
    for cls in EVENT_TYPES.values():
        personal = {path for owned in cls.personal for path in owned.values}
        for example in cls.examples:
            from registry.domain.codec import typed

            data = typed(cls.type, example)
            dated = {
                field: str(value)
                for field in cls.__struct_fields__
                if isinstance(value := getattr(data, field), Edtf) and field.rstrip("_") not in personal
            }
            assert {f.rstrip("_"): t for f, t in dated.items()} == {f: str(w) for f, w in dates_of(data)}


def test_a_correction_gives_a_date_from_when_it_was_recorded(log: Stream) -> None:
    wrong = log.post("entered-into-force", date="2025-07-16")
    log.correct(wrong, date="2025-07-17")
    (row,) = rows(log)
    assert (row["date"], row["position"], row["recorded_at"], row["event"]) == (
        "2025-07-17",
        3,
        3_000_000,
        wrong.id,
    )
    log.retract(wrong)
    assert rows(log) == []


def test_dates_that_sources_dispute_say_so(log: Stream) -> None:
    log.signed("2025-07-16")
    log.post("term-set", start="2025-08", auto_renew=False)
    log.post("terminated", date="2030", ground="consent")
    assert not any(row["disputed"] for row in rows(log))
    log.signed("2025-07-18", "slv", source=B)
    log.post("term-set", source=B, start="2025-09", auto_renew=False)
    assert [(row["what"], row["disputed"]) for row in rows(log)] == [
        ("signed", True),
        ("term-set", True),
        ("terminated", False),
        ("signed", True),
        ("term-set", True),
    ]


def test_an_engagement_in_a_disputed_agreement_is_itself_not_disputed(log: Stream) -> None:
    log.post("classified", kind="loi")
    log.post("classified", source=B, kind="mou")
    log.post("engagement-held", engagement_id="m", kind="visit", start="2025")
    assert [row["disputed"] for row in rows(log)] == [False]


async def test_the_list_can_be_narrowed_and_sorted_by_day(store: Opened) -> None:
    one, other = Stream("one"), Stream("other")
    one.post("ratified", party="pak", form="approval", occurred="2025-03", instrument_date="2025-02-27")
    other.post("entered-into-force", date="../2025-01-01")
    await build_from(store, TIMELINE, one, other)
    both = [("other", "date"), ("one", "instrument_date"), ("one", "occurred")]
    assert [(item.agreement, item.field) for item in items(store, LIST)] == both
    assert [(item.agreement, item.field) for item in items(store, LIST, sort="-day")] == both[::-1]
    assert {item.agreement for item in items(store, LIST, agreement="one")} == {"one"}
    assert [item.what for item in items(store, LIST, what=("entered-into-force", "signed"))] == [
        "entered-into-force"
    ]
    assert len(items(store, LIST, party="slv")) == 3
    assert items(store, LIST, party="fra") == []
    forced, instrument, _ = items(store, LIST)
    assert (forced.earliest, forced.latest) == (None, "2025-01-01")
    assert (instrument.earliest, instrument.latest) == ("2025-02-27", "2025-02-27")
    assert instrument.recorded_at.endswith("Z")


async def test_the_story_has_its_dates_and_the_same_rows_everywhere(store: Opened) -> None:
    await store.append(*told())
    await build(store, TIMELINE)
    signed = items(store, LIST, agreement=AGREEMENT, what=("signed",))
    assert [(one.date, one.source, one.disputed) for one in signed] == [("2025-07-16", REPORT_B, False)]
    kept = live_rows(store.writing, TIMELINE)[""]
    state = store.reader.agreement(AGREEMENT)
    assert state is not None
    assert kept == sorted((AGREEMENT, *row.values()) for row in TIMELINE.rows(state)[""])
