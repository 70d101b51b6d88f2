"""The acceptance story: two reports about one agreement, held to each of its points."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import reports
from registry.domain.agreement import keys_of
from registry.domain.envelope import Posted
from reports import SUBJECT, A, B


@pytest.fixture(scope="module")
def report_a() -> list[Posted]:
    return reports.report_a()


@pytest.fixture(scope="module")
def report_b() -> list[Posted]:
    return reports.report_b()


@pytest.fixture(scope="module")
def story(report_a: list[Posted], report_b: list[Posted]) -> list[Posted]:
    return report_a + report_b


def bodies(events: list[Posted], type_: str, **fields: Any) -> list[dict[str, Any]]:
    """The bodies of a type whose fields have these values, without their citations."""
    return [
        {name: value for name, value in event.body.items() if name != "cites"}
        for event in events
        if event.type == f"agreement.{type_}.v1"
        and all(event.body.get(name) == value for name, value in fields.items())
    ]


def the(events: list[Posted], type_: str, **fields: Any) -> dict[str, Any]:
    (body,) = bodies(events, type_, **fields)
    return body


def basis(events: list[Posted], id_: str) -> str:
    (event,) = [event for event in events if event.id == id_]
    (cite,) = event.body["cites"]
    return cite["basis"]


def test_each_report_speaks_for_itself_about_one_agreement(report_a, report_b):
    assert {(event.source, event.subject) for event in report_a} == {(A, SUBJECT)}
    assert {(event.source, event.subject) for event in report_b} == {(B, SUBJECT)}


def test_every_event_but_the_publications_cites_its_report(report_a, report_b):
    for events, publication in ((report_a, "openvoicenews-2025-07-17"), (report_b, "report-b")):
        for event in events:
            cited = [cite["publication_id"] for cite in event.body.get("cites", ())]
            assert cited == ([] if event.type == "agreement.publication-recorded.v1" else [publication])


def test_no_source_claims_a_key_twice(report_a, report_b):
    for events in (report_a, report_b):
        keys = Counter(key for event in events for key in keys_of(event.data))
        assert max(keys.values()) == 1


def test_point_1_the_two_publications(report_a, report_b):
    assert the(report_a, "publication-recorded") == {
        "publication_id": "openvoicenews-2025-07-17",
        "publisher": "OpenVoiceNews Pakistan",
        "title": "Pakistan Forms Crypto Partnership with El Salvador",
        "published": "2025-07-17",
        "lang": "en",
    }
    assert the(report_b, "publication-recorded") == {"publication_id": "report-b", "lang": "en"}


def test_point_2_each_report_registers_what_it_says_and_no_more(report_a, report_b):
    registered = the(report_a, "registered")
    assert set(registered) == {"title", "parties"}
    assert [(party["id"], party["country"]) for party in registered["parties"]] == [
        ("pak", "PAK"),
        ("slv", "SLV"),
    ]
    assert the(report_b, "registered") == registered | {"kind": "loi"}
    assert basis(report_b, "registered") == "stated"
    assert the(report_b, "classified") == {"legal_character": "non-binding", "entry_mode": "on-signature"}
    assert basis(report_b, "classified") == "inferred"


def test_point_3_the_signature_is_inferred_by_report_b(story, report_b):
    signed = the(story, "signed")
    assert signed["occurred"] == "2025-07-16"
    assert signed["place"] == {"name": "San Salvador", "country": "SLV"}
    assert {
        signature["party"]: signature["actor"]["person"]["name"] for signature in signed["signatures"]
    } == {"pak": "Bilal Bin Saqib", "slv": "Nayib Bukele"}
    assert basis(report_b, "signed") == "inferred"


def test_point_4_the_offices(story):
    held = {
        (role["person"]["name"], role["title"]["en"], role["party"]) for role in bodies(story, "role-held")
    }
    assert held == {
        ("Bilal Bin Saqib", "Minister of State for Crypto and Blockchain", "pak"),
        ("Bilal Bin Saqib", "Head of the Pakistan Crypto Council", "pak"),
        ("Nayib Bukele", "President of El Salvador", "slv"),
    }


def test_point_5_the_institutions(report_a, report_b):
    def linked(events: list[Posted]) -> set[tuple[str, str, str]]:
        found = bodies(events, "institution-linked")
        assert not any("established" in institution for institution in found)
        return {(each["institution_id"], each["party"], each["role"]) for each in found}

    assert linked(report_a) == {
        ("pak-crypto-working-groups", "pak", "mentioned"),
        ("slv-national-bitcoin-office", "slv", "mentioned"),
    }
    assert linked(report_b) == {
        ("pak-crypto-council", "pak", "mentioned"),
        ("pak-virtual-assets-authority", "pak", "regulator"),
    }


def test_point_6_the_visit_began_by_the_day_of_the_meeting(report_b):
    visit = the(report_b, "engagement-held", kind="visit")
    assert (visit["start"], visit["host"], visit["place"]["country"]) == ("../2025-07-16", "slv", "SLV")
    assert visit["participants"] == [{"on_behalf_of": "pak"}]


def test_point_7_the_meeting_that_report_b_tells_of(report_b):
    meeting = the(report_b, "engagement-held", kind="meeting")
    assert (meeting["start"], meeting["place"]["name"]) == ("2025-07-16", "San Salvador")
    assert meeting["topics"] == [
        "Bitcoin",
        "public-sector innovation",
        "policy design",
        "economic development",
    ]


def test_point_8_the_meeting_that_report_a_tells_of(report_a, report_b):
    meeting = the(report_a, "engagement-held")
    assert (meeting["kind"], meeting["start"], "place" in meeting) == ("meeting", "../2025-07-17", False)
    assert [set(participant) for participant in meeting["participants"]] == [
        {"institution_id", "on_behalf_of"}
    ] * 2
    assert meeting["topics"] == [
        "technical expertise",
        "regulatory frameworks",
        "blockchain in public services",
    ]
    assert meeting["engagement_id"] != the(report_b, "engagement-held", kind="meeting")["engagement_id"]


def test_points_9_and_10_the_areas(report_a, report_b):
    def areas(events: list[Posted], state: str) -> set[str]:
        return {area["area_id"] for area in bodies(events, "cooperation-area-added", state=state)}

    both = {"financial-inclusion", "public-services", "knowledge-sharing", "digital-assets"}
    assert areas(report_a, "agreed") == both | {
        "policy-development",
        "regulation",
        "remittances",
        "digital-identity",
        "emerging-financial-technology",
    }
    assert areas(report_b, "agreed") == both | {
        "policy-frameworks",
        "bitcoin",
        "cryptocurrency",
        "decentralized-finance",
    }
    assert areas(report_a, "prospective") == set()
    assert areas(report_b, "prospective") == {"crypto-mining", "digital-identity", "digital-asset-exchanges"}


def test_point_11_more_engagements_are_expected(story):
    planned = the(story, "engagement-planned")
    assert planned["label"] == {"en": "Series of engagements"}
    assert (planned["kind"], planned["certainty"], "when" in planned) == ("unspecified", "expected", False)


def test_point_12_the_commitments(report_a, report_b):
    def made(events: list[Posted]) -> dict[str, tuple[list[str], str]]:
        return {
            each["commitment_id"]: (each["by"], each["strength"])
            for each in bodies(events, "commitment-made")
        }

    assert made(report_a) == {"regulatory-guidance": (["pak", "slv"], "aim")}
    assert made(report_b) == {
        "joint-exploration": (["pak", "slv"], "aim"),
        "assistance": (["slv"], "possibility"),
    }


def test_point_13_the_statements(report_a, report_b):
    def said(events: list[Posted]) -> list[tuple[str, str | None, bool]]:
        return [
            (
                each["attribution"],
                each.get("speaker", {}).get("person", {}).get("name"),
                each["quoted"],
            )
            for each in bodies(events, "statement-recorded")
        ]

    assert said(report_a) == [
        ("anonymous", None, True),
        ("officials", None, False),
        ("analysts", None, False),
    ]
    assert said(report_b) == [
        ("named", "Bilal Bin Saqib", True),
        ("named", "Bilal Bin Saqib", False),
        ("named", "Bilal Bin Saqib", False),
        ("named", "Nayib Bukele", False),
        ("analysts", None, False),
    ]
    assert the(report_a, "statement-recorded", attribution="anonymous")["speaker"] == {"on_behalf_of": "pak"}


def test_point_14_the_facts_about_el_salvador_and_bitcoin(report_a, report_b):
    first = the(report_a, "fact-recorded", fact_id="first-legal-tender")
    assert first == the(report_b, "fact-recorded", fact_id="first-legal-tender")
    assert (first["about"], first["truth"]) == ("slv", True)
    assert the(report_a, "fact-recorded", fact_id="legal-tender-since")["date"] == "2021"
    figures = [fact for fact in bodies(report_b, "fact-recorded") if "quantity" in fact]
    assert {
        (fact["about"], *(fact["quantity"].get(name) for name in ("comparator", "value", "unit", "per")))
        for fact in figures
    } == {
        ("slv", "gt", "6237", "BTC", None),
        ("slv", "gt", "760000000", "USD", None),
        ("slv", "approx", "42000", "USD", "BTC"),
        ("bitcoin", "gt", "123000", "USD", "BTC"),
    }
    assert {fact["as_of"] for fact in figures} == {"2025-07~"}
    assert {basis(report_b, f"fact-{fact['fact_id']}") for fact in figures} == {"inferred"}


def test_point_15_the_facts_about_pakistan(report_a, report_b):
    def facts(events: list[Posted]) -> dict[str, Any]:
        return {
            fact["fact_id"]: fact.get("truth", "text")
            for fact in bodies(events, "fact-recorded", about="pak")
            if not fact.get("outlook")
        }

    assert facts(report_a) == {
        "pak-cryptocurrencies-regulated": False,
        "pak-policy-stage": "text",
        "pak-balanced-framework": "text",
        "pak-unbanked-population": True,
        "pak-remittance-inflow": True,
    }
    assert facts(report_b) == {
        "pak-national-policy": "text",
        "pak-bitcoin-reserve": "text",
        "pak-partnerships": "text",
    }


def test_point_16_the_outlooks(report_a, report_b):
    assert {fact["fact_id"] for fact in bodies(report_a, "fact-recorded", outlook=True)} == {
        "outlook-faster-regulation",
        "outlook-case-study",
        "outlook-global-trend",
        "outlook-roadmap",
    }
    assert {fact["fact_id"] for fact in bodies(report_b, "fact-recorded", outlook=True)} == {
        "outlook-regulator",
        "outlook-active-participant",
        "outlook-leaders",
        "outlook-approach-validated",
    }


def test_point_17_what_neither_report_says_is_not_posted(story):
    said = {event.type.removeprefix("agreement.").removesuffix(".v1") for event in story}
    assert said == {
        "registered",
        "classified",
        "publication-recorded",
        "signed",
        "role-held",
        "institution-linked",
        "engagement-held",
        "engagement-planned",
        "cooperation-area-added",
        "commitment-made",
        "statement-recorded",
        "fact-recorded",
    }


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)


def test_names_stand_in_persons_only_and_ids_are_random(story):
    by_name: dict[str, set[str]] = {}
    for event in story:
        for person in re.findall(r'\{"person_id": "[^}]*\}', json.dumps(event.body)):
            read_person = json.loads(person)
            by_name.setdefault(read_person["name"], set()).add(read_person["person_id"])
        elsewhere = re.sub(r'"name": "(Bilal Bin Saqib|Nayib Bukele)"', "", json.dumps(event.body))
        assert not re.search("Saqib|Bukele", elsewhere), event.id
    assert {name: len(ids) for name, ids in by_name.items()} == {"Bilal Bin Saqib": 1, "Nayib Bukele": 1}


def test_no_sentence_is_copied(story, shared):
    def words(text: str) -> list[str]:
        return re.findall(r"[a-z0-9]+", text.lower())

    def runs(text: str, length: int) -> set[tuple[str, ...]]:
        found = words(text)
        return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}

    reports = set().union(*(runs(path.read_text(), 5) for path in (shared / "seeds").glob("*.txt")))
    own = {
        (event.id, run)
        for event in story
        for name, value in event.body.items()
        if name in ("gist", "text", "predicate", "topics")
        for text in texts(value)
        for run in runs(text, 5) & reports
    }
    assert own == set()
