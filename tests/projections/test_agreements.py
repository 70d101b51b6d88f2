"""The list of agreements: its rows, and what each filter and order gives."""

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

import uk_data
from conftest import campaign
from domain.conftest import B, Log
from projections.conftest import live_rows
from projections.reading import AGREEMENT, REPORT_A, REPORT_B, Stream, build, build_from, items, on, told
from registry.access import EVERYTHING
from registry.domain.events.instrument import Kind, LegalCharacter
from registry.domain.stages import RULES
from registry.domain.view import UNCLAIMED, view
from registry.projections.agreement_list import (
    LIST,
    AgreementFilters,
    CharacterWord,
    KindWord,
    Moment,
    StatusWord,
)
from registry.projections.agreements import AGREEMENTS, NO_DAYS
from registry.projections.listing import FIRST_DAY, LAST_DAY, page
from registry.projections.mentions import MOST_LETTERS, mentions
from registry.projections.rebuild import check
from registry.projections.words import MOST_SOUGHT, Sought
from store.conftest import Opened

PERSON = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"
OTHER = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b22"


@pytest.fixture
def log() -> Stream:
    return Stream("one")


def rows(log: Log, table: str = "") -> list[dict[str, Any]]:
    assert log.state is not None
    return list(AGREEMENTS.rows(log.state).get(table, ()))


def main(log: Log) -> dict[str, Any]:
    (row,) = rows(log)
    return row


def test_an_agreement_has_one_row_that_says_what_is_not_known_of_it(log: Stream) -> None:
    row = main(log)
    assert (row["kind"], row["legal_character"]) == ("unspecified", "undetermined")
    assert (row["signed_earliest"], row["signed_latest"]) == NO_DAYS
    assert (row["id"], row["position"], row["visibility"]) == (1, 1, "public")
    assert (row["one_party"], row["other_party"]) == ("pak", "slv")
    assert rows(log, "overdue") == rows(log, "mention") == []


def test_the_first_event_numbers_an_agreement_for_ever(log: Stream) -> None:
    log.post("title-given", source=B, title={"es": "Carta"})
    assert main(log)["id"] == 1
    assert main(log)["position"] == 2


def test_the_days_of_signature_reach_from_the_first_signature_to_the_last(log: Stream) -> None:
    log.signed("2025-07-16", "pak")
    assert (main(log)["signed_earliest"], main(log)["signed_latest"]) == ("2025-07-16", "2025-07-16")
    log.signed("2025-08", "slv", source=B)
    assert (main(log)["signed_earliest"], main(log)["signed_latest"]) == ("2025-07-16", "2025-08-31")


@pytest.mark.parametrize(
    ("dates", "shown"),
    [
        (("2025-07~", "2025-07~"), "2025-07~"),
        (("2025-07", "2025-08-02"), "2025-07-01/2025-08-02"),
        (("../2025-07-16", "2025-08"), "../2025-08-31"),
        (("2025-07-16", "2025-08-01/.."), "2025-07-16/.."),
    ],
)
async def test_dates_of_signature_are_shown_as_one(
    log: Stream, store: Opened, dates: tuple[str, str], shown: str
) -> None:
    log.signed(dates[0], "pak")
    log.signed(dates[1], "slv", source=B)
    await build_from(store, AGREEMENTS, log)
    assert [item.signed for item in items(store, LIST)] == [shown]


def test_each_day_has_one_status(log: Stream) -> None:
    log.post("classified", entry_mode="on-signature", legal_character="non-binding")
    log.signed("2025-07")
    log.post("terminated", source=B, date="2026-01-10", ground="consent")
    days = [(row["first"], row["last"], row["status"], row["certain"]) for row in rows(log, "status")]
    assert days == [
        (FIRST_DAY, "2025-06-30", "registered", True),
        ("2025-07-01", "2025-07-30", "in-force", False),
        ("2025-07-31", "2026-01-09", "in-force", True),
        ("2026-01-10", LAST_DAY, "terminated", True),
    ]
    assert {row["label"] for row in rows(log, "status")} == {"registered", "in effect", "terminated"}


def test_the_days_on_which_something_is_overdue_are_kept_as_spans(log: Stream) -> None:
    log.post("follow-up-scheduled", follow_up_id="f1", text={"en": "Report"}, due="2025-09")
    assert rows(log, "overdue") == [{"first": "2025-10-01", "last": LAST_DAY}]
    log.post("follow-up-progressed", follow_up_id="f1", occurred="2025-10-20", new_due="2025-11-30")
    log.post("follow-up-completed", follow_up_id="f1", occurred="2025-12-24")
    assert rows(log, "overdue") == [
        {"first": "2025-10-01", "last": "2025-10-19"},
        {"first": "2025-12-01", "last": "2025-12-23"},
    ]


def test_overdue_is_on_every_day_what_the_agreement_itself_says() -> None:
    dice = random.Random(7)
    for _ in range(campaign(300)):
        log = Stream("one")
        for part in ("f1", "f2"):
            log.post("follow-up-scheduled", follow_up_id=part, text={"en": "x"}, due=some_date(dice))
            if dice.random() < 0.6:
                log.post(
                    "follow-up-progressed",
                    follow_up_id=part,
                    occurred=some_date(dice),
                    **({"new_due": some_date(dice)} if dice.random() < 0.7 else {}),
                )
            if dice.random() < 0.5:
                log.post("follow-up-completed", source=B, follow_up_id=part, occurred=some_date(dice))
            if dice.random() < 0.2:
                log.post("follow-up-dropped", follow_up_id=part, occurred=some_date(dice), reason="x")
        spans = rows(log, "overdue")
        assert log.state is not None
        for offset in range(0, 900, 13):
            day = date(2024, 12, 1) + timedelta(days=offset)
            held = any(span["first"] <= day.isoformat() <= span["last"] for span in spans)
            assert held == view(log.state, day).flags.overdue, (log.posted, day)


def some_date(dice: random.Random) -> str:
    month = f"{dice.choice((2025, 2026))}-{dice.randint(1, 12):02}"
    day = f"{month}-{dice.randint(1, 28):02}"
    return dice.choice((day, day, month, month[:4], f"../{day}", f"{day}/..", f"{month}~"))


def test_an_agreement_is_found_by_its_titles_areas_and_statements(log: Stream) -> None:
    log.post("title-given", source=B, title={"es": "Carta de intención"})
    log.post("cooperation-area-added", area_id="x", label={"en": "Digital assets"}, state="agreed")
    log.post(
        "statement-recorded",
        statement_id="s",
        attribution="analysts",
        gist={"en": "A new era"},
        quoted=False,
    )
    assert main(log)["words"] == "a assets carta de digital era intencion intent letter new of"


def test_an_erased_statement_is_found_no_more_and_its_speaker_still_is(log: Stream) -> None:
    said = log.post(
        "statement-recorded",
        statement_id="s",
        speaker={"person": {"person_id": PERSON, "name": "A. Speaker"}},
        attribution="named",
        gist={"en": "Sovereignty"},
        quoted=True,
    )
    assert main(log)["words"] == "intent letter of"
    assert [row["words"] for row in rows(log, "spoken")] == ["intent letter of sovereignty"]
    log.erase(said, 1)
    assert rows(log, "spoken") == []
    assert rows(log, "mention") == [{"what": "person", "value": PERSON}]


def test_an_agreement_mentions_persons_institutions_places_areas_and_subjects() -> None:
    log = Stream("one", subjects=["Fisheries; tuna", "FISHERIES"])
    log.post("negotiation-opened", occurred="2025", venue={"name": "São Tomé"})
    log.post("negotiation-opened", source=B, occurred="2025")
    log.post(
        "signed",
        signatures=[
            {"party": "pak", "actor": {"person": {"person_id": PERSON}}},
            {"party": "slv", "actor": {"institution_id": "bank"}},
        ],
        occurred="2025-07-16",
        place={"name": "San Salvador"},
    )
    log.post(
        "engagement-held",
        engagement_id="m",
        kind="meeting",
        start="2025",
        place={"name": "Paris"},
        participants=[{"institution_id": "council"}],
    )
    log.post(
        "engagement-planned",
        engagement_id="n",
        kind="meeting",
        certainty="expected",
        participants=[{"on_behalf_of": "pak"}],
    )
    log.post("institution-linked", institution_id="council", name={"en": "C"}, party="pak", role="lead")
    log.post(
        "role-held", person={"person_id": OTHER}, title={"en": "x"}, institution_id="bureau", party="slv"
    )
    log.post("role-held", source=B, person={"person_id": OTHER}, title={"en": "y"}, party="slv")
    log.post("cooperation-area-added", area_id="fish", label={"en": "Fish"}, state="agreed")
    log.merge("institution", "council", "bureau")
    assert log.state is not None
    assert mentions(log.state) == [
        ("area", "fish"),
        ("institution", "bank"),
        ("institution", "bureau"),
        ("institution", "council"),
        ("person", OTHER),
        ("person", PERSON),
        ("place", "paris"),
        ("place", "san salvador"),
        ("place", "sao tome"),
        ("subject", "fisheries"),
        ("subject", "fisheries tuna"),
    ]


def test_long_names_are_cut_where_they_are_found_and_sorted_by() -> None:
    log = Stream("one", title="x " * 5000, subjects=["y " * 500])
    assert len(main(log)["title_order"]) == MOST_LETTERS
    (mention,) = rows(log, "mention")
    assert len(mention["value"]) == MOST_LETTERS


def test_the_words_of_filters_are_those_of_the_vocabulary() -> None:
    assert set(get_args(KindWord)) == {*get_args(get_args(Kind)[0]), UNCLAIMED["kind"]}
    assert set(get_args(CharacterWord)) == {
        *get_args(get_args(LegalCharacter)[0]),
        UNCLAIMED["legal_character"],
    }
    log = Stream("one")
    assert log.state is not None
    from registry.domain.course import course

    tried = {found.code for rule in RULES for found in rule(course(log.state), on("2025-01-01"))}
    assert tried <= set(get_args(StatusWord))
    assert set(get_args(StatusWord)) - tried == set()


@pytest.fixture
async def four(store: Opened) -> Opened:
    """Four agreements, of which ``alpha`` is in force, ``beta`` terminated, ``gamma`` and ``delta`` registered."""
    alpha = Stream("alpha", title="Zebra treaty", kind="treaty", entry_mode="on-signature")
    alpha.signed("2025-07-16", place={"name": "Paris"})
    alpha.post("follow-up-scheduled", follow_up_id="f", text={"en": "x"}, due="2025-09-30")
    beta = Stream("beta", title="Ägypten pact", kind="mou", legal_character="non-binding", subjects=["Fish"])
    beta.signed("2024", place={"name": "paris"})
    beta.post("terminated", date="2025-01-01", ground="consent")
    beta.post("classified", source=B, kind="treaty")
    gamma = Stream("gamma", title="Between")
    gamma.post("role-held", person={"person_id": PERSON, "name": "N"}, title={"en": "x"}, party="slv")
    gamma.post("institution-linked", institution_id="bank", name={"en": "B"}, party="pak", role="lead")
    gamma.post("cooperation-area-added", area_id="fish", label={"en": "Fish"}, state="agreed")
    delta = Stream("delta", source=B, title="another")
    await build_from(store, AGREEMENTS, alpha, beta, gamma, delta)
    return store


ALL = ["alpha", "beta", "delta", "gamma"]
CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ALL),
    ({"party": "pak"}, ALL),
    ({"party": "fra"}, []),
    ({"pair": ("slv", "pak")}, ALL),
    ({"pair": ("pak", "fra")}, []),
    ({"kind": ("treaty",)}, ["alpha"]),
    ({"kind": ("treaty", "mou")}, ["alpha", "beta"]),
    ({"kind": ("unspecified",)}, ["delta", "gamma"]),
    ({"legal_character": ("undetermined",)}, ["alpha", "delta", "gamma"]),
    ({"status": ("in-force",), "valid_as_of": on("2025-07-16")}, ["alpha"]),
    ({"status": ("in-force",), "valid_as_of": on("2025-07-15")}, []),
    ({"status": ("terminated", "in-force"), "valid_as_of": on("2026-01-01")}, ["alpha", "beta"]),
    ({"status": ("registered",), "valid_as_of": on("2020-01-01")}, ALL),
    ({"subject": "FISH!"}, ["beta"]),
    ({"area": "fish"}, ["gamma"]),
    ({"place": "Paris"}, ["alpha", "beta"]),
    ({"person": PERSON}, ["gamma"]),
    ({"institution": "bank"}, ["gamma"]),
    ({"source": B}, ["delta"]),
    ({"signed_from": on("2025-01-01")}, ["alpha"]),
    ({"signed_to": on("2024-01-01")}, ["beta"]),
    ({"signed_from": on("2024-06-01"), "signed_to": on("2025-12-31")}, ["alpha", "beta"]),
    ({"signed_from": on("0001-01-01"), "signed_to": on("9999-12-31")}, ["alpha", "beta"]),
    ({"disputed": True}, ["beta"]),
    ({"disputed": False}, ["alpha", "delta", "gamma"]),
    ({"overdue": True, "valid_as_of": on("2025-10-01")}, ["alpha"]),
    ({"overdue": True, "valid_as_of": on("2025-09-30")}, []),
    ({"overdue": False, "valid_as_of": on("2025-10-01")}, ["beta", "delta", "gamma"]),
    ({"updated_since": Moment(position=7)}, ["delta", "gamma"]),
    ({"updated_since": Moment(time=0)}, ALL),
    ({"updated_since": Moment(time=2**60)}, []),
    ({"q": Sought.parse("agypt")}, ["beta"]),
    ({"q": Sought.parse("fish")}, ["gamma"]),
    ({"q": Sought.parse("treaty zeb")}, ["alpha"]),
    ({"q": Sought.parse("treaty pact")}, []),
    ({"q": Sought.parse("pact"), "kind": ("mou",), "place": "PARIS"}, ["beta"]),
    ({"q": Sought.parse("pact"), "kind": ("treaty",)}, []),
]


async def test_every_filter_keeps_what_it_says(four: Opened) -> None:
    for filters, found in CASES:
        assert [item.id for item in items(four, LIST, **filters)] == found, filters


SORTS = {
    "id": ALL,
    "-id": ALL[::-1],
    "title": ["beta", "delta", "gamma", "alpha"],
    "-title": ["alpha", "gamma", "delta", "beta"],
    "signed": ["beta", "alpha", "delta", "gamma"],
    "-signed": ["alpha", "beta", "gamma", "delta"],
    "updated": ["alpha", "beta", "gamma", "delta"],
    "-updated": ["delta", "gamma", "beta", "alpha"],
}


async def test_every_order_is_kept_from_page_to_page(four: Opened) -> None:
    assert set(SORTS) == set(LIST.sorts)
    for sort, found in SORTS.items():
        assert [item.id for item in items(four, LIST, sort=sort)] == found, sort


async def test_an_item_shows_what_the_agreement_is_on_the_day(four: Opened) -> None:
    alpha, beta, *_ = items(four, LIST, valid_as_of=on("2025-10-01"))
    assert (alpha.title, alpha.kind, alpha.status, alpha.since) == (
        "Zebra treaty",
        "treaty",
        "in-force",
        "2025-07-16",
    )
    assert (alpha.overdue, alpha.certain, alpha.disputed, alpha.version) == (True, True, (), 3)
    assert [(party.id, str(party), party.country) for party in alpha.parties] == [
        ("pak", "pak", "PAK"),
        ("slv", "slv", "SLV"),
    ]
    assert (beta.status, beta.disputed, beta.subjects, beta.legal_character) == (
        "terminated",
        ("kind",),
        ("Fish",),
        "non-binding",
    )
    assert (await _then(four, "2024-06-01"))[1].certain is False


async def _then(store: Opened, day: str) -> list[Any]:
    return items(store, LIST, valid_as_of=on(day))


async def test_an_agreement_without_an_english_title_is_listed_by_its_first(store: Opened) -> None:
    log = Log("one")
    parties = [{"id": name, "kind": "state", "name": {"fr": name}} for name in ("a", "b")]
    log.post("registered", title={"fr": "Traité", "es": "Tratado"}, parties=parties)
    await build_from(store, AGREEMENTS, log)
    (item,) = items(store, LIST)
    assert (item.title, item.titles) == ("Tratado", {"es": "Tratado", "fr": "Traité"})


async def test_an_agreement_whose_founding_event_was_erased_is_still_listed(store: Opened) -> None:
    log = Stream("one")
    first = log.events[0]
    log.erase(first, 0)
    assert log.state is not None
    row = main(log)
    assert (row["title_order"], row["words"], row["id"]) == ("", "", 1)
    assert rows(log, "status")[0]["status"] == "registered"


async def test_the_story_is_listed_as_it_is_told(store: Opened) -> None:
    await store.append(*told())
    await build(store, AGREEMENTS)
    (item,) = items(store, LIST, valid_as_of=on("2026-01-01"))
    assert (item.id, item.source, item.version) == (AGREEMENT, REPORT_A, 71)
    assert (item.status, item.status_label, item.since) == ("in-force", "in effect", "2025-07-16")
    assert item.disputed == ("area.digital-identity.state",)
    assert (item.kind, item.possible_duplicates, item.signed) == ("loi", 2, "2025-07-16")
    assert items(store, LIST, area="digital-identity", place="san salvador", q=Sought.parse("sover"))
    assert not items(store, LIST, status=("in-force",), valid_as_of=on("2025-07-15"))
    assert not items(store, LIST, source=REPORT_B)


async def test_an_agreement_never_has_two_rows(four: Opened) -> None:
    assert [item.id for item in items(four, LIST)] == ALL
    with four.writing.connect() as connection:
        main = AGREEMENTS.tables(1, connection.dialect.name)[""]
        row = dict(connection.execute(select(main)).mappings().first() or {})
        with pytest.raises(IntegrityError):
            connection.execute(main.insert(), [{**row, "id": 99}])


async def test_a_rebuild_finds_the_same_rows(four: Opened) -> None:
    assert live_rows(four.writing, AGREEMENTS)["status"]
    assert check(four.writing, four.reader, AGREEMENTS) == []


@pytest.mark.parametrize(
    ("text", "position", "time"),
    [
        ("0", 0, None),
        ("71", 71, None),
        ("1970-01-01T00:00:00.000001Z", None, 1),
        ("1970-01-01t01:00:01+01:00", None, 1_000_000),
    ],
)
def test_a_moment_is_a_position_or_a_time(text: str, position: int | None, time: int | None) -> None:
    moment = Moment.parse(text)
    assert (moment.position, moment.time) == (position, time)


@pytest.mark.parametrize("text", ["", "-1", "x", "2025-07-16", "1" * 16, "\uff11", "2016-12-31T23:59:60Z"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        Moment.parse(text)


def test_filters_that_differ_have_cursors_that_differ() -> None:
    assert str(Moment(position=1)) != str(Moment(time=1))
    assert str(Sought(("a",) * MOST_SOUGHT)) == " ".join("a" * MOST_SOUGHT)


async def test_what_the_united_kingdom_agreed_is_listed_on_any_day(store: Opened, shared: Path) -> None:
    rows = random.Random(3).sample(uk_data.read_rows(shared), campaign(3000))
    events = list(uk_data.posted(rows))
    for start in range(0, len(events), 500):
        await store.append(*events[start : start + 500])
    await build(store, AGREEMENTS)
    states = {row["record_id"]: store.reader.agreement(uk_data.agreement_id(row)) for row in rows}
    for day in (date(1900, 1, 1), date(1950, 6, 15), date(2000, 1, 1)):
        expected = {}
        for state in states.values():
            assert state is not None
            shown = view(state, day)
            expected[state.id] = (shown.status, shown.certain, shown.disputed, shown.kind)
        with store.reading.connect() as connection:
            found, cursor = {}, None
            while True:
                one = page(
                    connection,
                    LIST,
                    AgreementFilters(valid_as_of=day),
                    sight=EVERYTHING,
                    sort="-signed",
                    cursor=cursor,
                    limit=97,
                )
                found |= {i.id: (i.status, i.certain, i.disputed, i.kind) for i in one.items}
                if (cursor := one.next) is None:
                    break
        assert found == expected
