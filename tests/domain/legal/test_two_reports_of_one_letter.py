"""Worked case: two reports about one letter of intent, each with its own source, in either order."""

import pytest

from registry.domain.agreement import fold

A = "https://openvoicenews.example/"
B = "https://report-b.example/"
INFERRED = [{"publication_id": "report-b", "basis": "inferred"}]
SAQIB = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"
BUKELE = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b22"


def area(log, source, id_, state="agreed"):
    log.post("cooperation-area-added", source=source, area_id=id_, label={"en": id_}, state=state)


def report_a(log):
    log.registered(source=A, title="Partnership on digital assets")
    log.post("publication-recorded", source=A, publication_id="report-a", published="2025-07-17")
    log.post(
        "engagement-held",
        source=A,
        engagement_id="meeting-a",
        kind="meeting",
        start="../2025-07-17",
        participants=[{"institution_id": "working-groups"}, {"institution_id": "national-bitcoin-office"}],
    )
    for id_ in ("financial-inclusion", "digital-identity", "digital-assets"):
        area(log, A, id_)
    log.post(
        "fact-recorded",
        source=A,
        fact_id="legal-tender",
        about="slv",
        predicate="bitcoin is legal tender",
        truth=True,
    )


def report_b(log):
    log.registered(source=B, title="Partnership on digital assets", kind="loi")
    log.post("publication-recorded", source=B, publication_id="report-b")
    log.post(
        "classified",
        source=B,
        legal_character="non-binding",
        entry_mode="on-signature",
        cites=INFERRED,
        id="b-class",
    )
    log.post(
        "signed",
        source=B,
        id="b-signed",
        signatures=[
            {"party": "pak", "actor": {"person": {"person_id": SAQIB, "name": "Bilal Bin Saqib"}}},
            {"party": "slv", "actor": {"person": {"person_id": BUKELE, "name": "Nayib Bukele"}}},
        ],
        occurred="2025-07-16",
        place={"name": "San Salvador", "country": "SLV"},
        cites=INFERRED,
    )
    log.post("engagement-held", source=B, engagement_id="visit-b", kind="visit", start="../2025-07-16")
    log.post("engagement-held", source=B, engagement_id="meeting-b", kind="meeting", start="2025-07-16")
    for id_ in ("financial-inclusion", "digital-assets", "bitcoin"):
        area(log, B, id_)
    area(log, B, "digital-identity", "prospective")
    log.post(
        "fact-recorded",
        source=B,
        fact_id="legal-tender",
        about="slv",
        predicate="bitcoin is legal tender",
        truth=True,
    )


@pytest.fixture(params=["A first", "B first"])
def both(request, empty):
    for report in (report_a, report_b) if request.param == "A first" else (report_b, report_a):
        report(empty)
    return empty


def test_it_is_in_effect_since_the_signing_and_the_classification_explains_it(both):
    now = both.status("2025-07-20")
    assert (now.code, now.label, now.since.date, now.certain) == ("in-force", "in effect", "2025-07-16", True)
    assert [event.id for event in now.reason.events] == ["b-signed", "b-class"]
    assert both.code("2025-07-15") == "registered"


def test_the_one_dispute_is_about_digital_identity(both):
    assert both.view().disputed == ("area.digital-identity.state",)


def test_the_two_meetings_may_be_the_same_and_the_visit_is_not(both):
    found = {one.engagement_id: one.possible_duplicates for one in both.view().engagements}
    assert found == {"meeting-a": ("meeting-b",), "meeting-b": ("meeting-a",), "visit-b": ()}


def test_what_both_tell_is_corroborated(both):
    assert both.view().predicates["area.digital-assets.state"].sources == 2
    assert both.view().facts[0].sources == 2


def test_what_neither_tells_stays_unknown(both):
    shown = both.view()
    assert (shown.term, shown.entry_into_force, shown.termination) == (None, None, None)
    assert (shown.ratifications, shown.documents, shown.follow_ups, shown.external_ids) == ((), (), (), ())


def test_as_known_after_the_first_report_alone_nothing_is_known_of_an_instrument(empty):
    report_a(empty)
    last = len(empty.events)
    report_b(empty)
    empty.state = fold(None, empty.events[:last])
    shown = empty.view("2025-07-20")
    assert (shown.kind, shown.signatures, shown.status) == ("unspecified", (), "registered")
