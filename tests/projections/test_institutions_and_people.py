from typing import Any

import pytest
from sqlalchemy import select

from domain.conftest import A, B
from projections.conftest import live_rows
from projections.reading import Stream, build, build_from, items, shown_in, told
from registry.projections import institutions, people
from registry.projections.institutions_and_people import INSTITUTIONS_AND_PEOPLE
from registry.projections.packing import pack
from registry.projections.replace import replace
from registry.projections.views import live_of
from store.conftest import Opened

ONE = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"
TWO = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b22"
NAME = "Amina Example"


def rows(log: Stream) -> dict[str, list[dict]]:
    assert log.state is not None
    return {name: list(of) for name, of in INSTITUTIONS_AND_PEOPLE.rows(log.state).items()}


def person(id_: str = ONE, name: str | None = NAME) -> dict[str, Any]:
    return {"person_id": id_} | ({"name": name} if name else {})


def linked(log: Stream, id_: str, source: str = A, **more: Any) -> None:
    given = {"name": {"en": id_.title()}, "party": "pak", "role": "mentioned"} | more
    log.post("institution-linked", source=source, institution_id=id_, **given)


def signed(log: Stream, *actors: dict[str, Any] | None, source: str = A, capacity: str | None = None):
    more = {"capacity": capacity} if capacity else {}
    signatures = [
        {"party": party} | ({"actor": actor, **more} if actor else {})
        for party, actor in zip(("pak", "slv"), actors, strict=False)
    ]
    return log.post("signed", source=source, signatures=signatures, occurred="2025-07-16")


@pytest.fixture
def log() -> Stream:
    return Stream("one")


def test_an_agreement_that_names_nobody_has_no_rows(log: Stream) -> None:
    log.signed("2025-07-16")
    log.post("engagement-held", engagement_id="v1", kind="visit", start="2025-07-16")
    log.post(
        "statement-recorded", statement_id="s1", attribution="officials", gist={"en": "Good."}, quoted=False
    )
    assert rows(log) == {"": [], "person": [], "tie": []}


def test_an_institution_has_what_is_said_of_it(log: Stream) -> None:
    linked(log, "council", role="lead", established="2025-03")
    (row,) = rows(log)[""]
    assert (row["party"], row["role"]) == ("pak", "lead")
    shown = shown_in([row], institution_id="council")
    assert (shown["name"], shown["established"]) == ({"en": "Council"}, "2025-03")


def test_an_institution_that_is_only_named_is_there_without_a_name(log: Stream) -> None:
    signed(log, None, {"institution_id": "office"}, capacity="Director")
    log.post("role-held", person=person(), title={"en": "Head"}, institution_id="bureau", party="slv")
    found = {row["institution_id"]: row for row in rows(log)[""]}
    assert [(id_, row["party"]) for id_, row in found.items()] == [("bureau", None), ("office", None)]
    (act,) = shown_in(list(found.values()), institution_id="office")["acts"]
    assert act == {"agreement": "one", "act": "signed", "party": "slv", "date": "2025-07-16", "source": A}


def test_merged_institutions_go_by_the_kept_id_wherever_they_are_named(log: Stream) -> None:
    linked(log, "council")
    linked(log, "crypto-council", source=B)
    signed(log, {"institution_id": "crypto-council"})
    log.post("role-held", person=person(), title={"en": "Head"}, institution_id="crypto-council", party="pak")
    log.merge("institution", "council", "crypto-council")
    found = rows(log)
    (shown,) = [shown_in(found[""], institution_id="council")]
    assert [act["act"] for act in shown["acts"]] == ["signed"]
    assert [office["institution_id"] for office in shown_in(found["person"], person_id=ONE)["offices"]] == [
        "council"
    ]
    assert found["tie"] == [
        {"act": "held-office", "person_id": ONE, "party": "pak", "institution_id": "council"}
    ]


def test_a_person_has_names_offices_and_acts(log: Stream) -> None:
    signed(log, {"person": person()}, capacity="Minister")
    signed(log, {"person": person(name="A. Example")}, source=B)
    log.post(
        "role-held", person=person(), title={"en": "Minister"}, party="pak", from_="2025-05", to="2026/.."
    )
    taking_part = [{"person": person(), "on_behalf_of": "pak", "institution_id": "ministry"}]
    log.post("engagement-held", engagement_id="v1", kind="visit", start="2025-07", participants=taking_part)
    log.post(
        "engagement-planned", engagement_id="v2", kind="visit", certainty="expected", participants=taking_part
    )
    speaker = {"person": person()}
    log.post(
        "statement-recorded",
        statement_id="s1",
        attribution="named",
        gist={"en": "Good."},
        quoted=False,
        speaker=speaker,
        occurred="2025-07-17",
    )
    shown = shown_in(rows(log)["person"], person_id=ONE)
    assert shown["names"] == ["A. Example", NAME]
    (office,) = shown["offices"]
    assert (office["title"], office["from"], office["to"]) == ({"en": "Minister"}, "2025-05", "2026/..")
    assert [(act["act"], act.get("party"), act["date"], act.get("part_id")) for act in shown["acts"]] == [
        ("signed", "pak", "2025-07-16", None),
        ("signed", "pak", "2025-07-16", None),
        ("took-part", "pak", "2025-07", "v1"),
        ("spoke", None, "2025-07-17", "s1"),
    ]
    assert [act.get("capacity") for act in shown["acts"][:2]] == ["Minister", None]
    assert {(tie["act"], tie["institution_id"]) for tie in rows(log)["tie"]} == {
        ("signed", None),
        ("held-office", None),
        ("took-part", "ministry"),
        ("spoke", None),
    }


def everything_of(log: Stream) -> list[tuple[Any, int]]:
    """A person's values in every kind of event, each with the number of its part."""
    speaker = {"person": person()}
    return [
        (signed(log, {"person": person()}, capacity="Minister of Examples"), 1),
        (log.post("role-held", person=person(), title={"en": "Minister of Examples"}, party="pak"), 1),
        (
            log.post(
                "engagement-held",
                engagement_id="v1",
                kind="visit",
                start="2025-07",
                participants=[{"person": person(TWO, "B. Other")}, {"person": person()}],
            ),
            2,
        ),
        (
            log.post(
                "statement-recorded",
                statement_id="s1",
                attribution="named",
                gist={"en": "Good."},
                quoted=False,
                speaker=speaker,
            ),
            1,
        ),
    ]


def test_of_an_erased_person_only_the_random_id_is_left(log: Stream) -> None:
    said = everything_of(log)
    for number, (event, part) in enumerate(said):
        assert NAME in str(rows(log)), number
        log.erase(event, part)
    assert NAME not in str(rows(log))
    assert "Minister of Examples" not in str(rows(log))
    shown = shown_in(rows(log)["person"], person_id=ONE)
    assert shown["erased"] is True
    assert "names" not in shown
    assert [(office["title"], office["erased"]) for office in shown["offices"]] == [(None, True)]
    assert [act["act"] for act in shown["acts"]] == ["signed", "took-part", "spoke"]
    assert shown_in(rows(log)["person"], person_id=TWO)["names"] == ["B. Other"]


async def test_the_name_is_gone_from_the_tables_with_the_rows_that_are_replaced(store: Opened) -> None:
    log = Stream("one")
    said = everything_of(log)
    await build_from(store, INSTITUTIONS_AND_PEOPLE, log)
    (before, _) = items(store, people.LIST)[::-1]
    assert (before.name, before.erased) == (NAME, False)
    for event, part in said:
        log.erase(event, part)
    assert log.state is not None
    with store.writing.begin() as connection:
        tables = live_of(connection, INSTITUTIONS_AND_PEOPLE).tables(connection)
        replace(
            connection,
            tables,
            pack(tables, connection.dialect.name, {"one": INSTITUTIONS_AND_PEOPLE.rows(log.state)}),
        )
        for table in tables.values():
            assert NAME not in str(connection.execute(select(table)).all())
    (after, _) = items(store, people.LIST)[::-1]
    assert (after.person_id, after.name, after.names, after.erased) == (ONE, None, (), True)


@pytest.fixture
async def directory(store: Opened) -> Opened:
    one, other = Stream("one"), Stream("other")
    linked(one, "council", role="lead")
    linked(other, "council", name={"en": "The Council"}, established="2025-03")
    linked(other, "office", party="slv", role="regulator")
    signed(one, {"person": person()}, {"person": person(TWO, "B. Other"), "institution_id": "office"})
    other.post(
        "role-held",
        person=person(name="A. Example"),
        title={"en": "Head"},
        institution_id="council",
        party="pak",
    )
    await build_from(store, INSTITUTIONS_AND_PEOPLE, one, other)
    return store


INSTITUTIONS: list[tuple[dict, list[tuple[str, int]]]] = [
    ({}, [("council", 2), ("office", 2)]),
    ({"institution": "council"}, [("council", 2)]),
    ({"agreement": "one"}, [("council", 1), ("office", 1)]),
    ({"party": "slv"}, [("office", 1)]),
    ({"role": "lead"}, [("council", 1)]),
    ({"role": "negotiator"}, []),
]

PEOPLE: list[tuple[dict, list[tuple[str, int]]]] = [
    ({}, [(TWO, 1), (ONE, 2)]),
    ({"person": ONE}, [(ONE, 2)]),
    ({"agreement": "other"}, [(ONE, 1)]),
    ({"party": "pak"}, [(ONE, 2)]),
    ({"institution": "office"}, [(TWO, 1)]),
    ({"act": "signed"}, [(TWO, 1), (ONE, 1)]),
    ({"act": "held-office", "institution": "council"}, [(ONE, 1)]),
    ({"act": "signed", "institution": "council"}, []),
]


async def test_filters_narrow_the_list_of_institutions(directory: Opened) -> None:
    for filters, found in INSTITUTIONS:
        listed = [
            (one.institution_id, one.agreements) for one in items(directory, institutions.LIST, **filters)
        ]
        assert listed == found, filters
    backwards = items(directory, institutions.LIST, sort="-institution")
    assert [item.institution_id for item in backwards] == ["office", "council"]


async def test_filters_narrow_the_list_of_people(directory: Opened) -> None:
    for filters, found in PEOPLE:
        listed = [(one.person_id, one.agreements) for one in items(directory, people.LIST, **filters)]
        assert listed == found, filters


async def test_an_institution_is_put_together_from_its_agreements(directory: Opened) -> None:
    council, office = items(directory, institutions.LIST)
    assert council.names == ({"en": "Council"}, {"en": "The Council"})
    assert (council.name, council.established, council.parties) == ({"en": "Council"}, "2025-03", ("pak",))
    assert council.roles == ("lead", "mentioned")
    assert [(link.agreement, link.role) for link in council.links] == [
        ("one", "lead"),
        ("other", "mentioned"),
    ]
    assert [(link.agreement, link.role) for link in office.links] == [("one", None), ("other", "regulator")]
    assert [act.act for act in office.acts] == ["signed"]


async def test_an_institution_without_any_name_is_listed(store: Opened) -> None:
    log = Stream("one")
    signed(log, {"institution_id": "office"})
    await build_from(store, INSTITUTIONS_AND_PEOPLE, log)
    (office,) = items(store, institutions.LIST)
    assert (office.name, office.names, office.roles) == (None, (), ())


async def test_a_person_is_put_together_from_their_agreements(directory: Opened) -> None:
    _, one = items(directory, people.LIST)
    assert (one.name, one.names) == ("A. Example", ("A. Example", NAME))
    assert [(office.agreement, office.institution_id) for office in one.offices] == [("other", "council")]
    assert [(act.agreement, act.act) for act in one.acts] == [("one", "signed")]


async def test_the_story_has_four_institutions_and_two_people(store: Opened) -> None:
    await store.append(*told())
    await build(store, INSTITUTIONS_AND_PEOPLE)
    assert {item.institution_id: item.roles for item in items(store, institutions.LIST)} == {
        "pak-crypto-council": ("mentioned",),
        "pak-crypto-working-groups": ("mentioned",),
        "pak-virtual-assets-authority": ("regulator",),
        "slv-national-bitcoin-office": ("mentioned",),
    }
    found = {item.name: item for item in items(store, people.LIST)}
    assert sorted(map(str, found)) == ["Bilal Bin Saqib", "Nayib Bukele"]
    saqib = found["Bilal Bin Saqib"]
    assert [office.title for office in saqib.offices] == [
        {"en": "Head of the Pakistan Crypto Council"},
        {"en": "Minister of State for Crypto and Blockchain"},
    ]
    assert [act.act for act in saqib.acts] == ["signed", "took-part", "spoke", "spoke", "spoke"]


async def test_both_kinds_of_rows_say_who_may_read_them(store: Opened) -> None:
    log = Stream("one", visibility="restricted")
    linked(log, "council")
    signed(log, {"person": person()})
    await build_from(store, INSTITUTIONS_AND_PEOPLE, log)
    found = live_rows(store.writing, INSTITUTIONS_AND_PEOPLE)
    assert [row[1] for row in (*found[""], *found["person"])] == ["restricted", "restricted"]
