"""Claims on a predicate: corroboration, disputes, and which value is shown."""

import pytest

from registry.domain.claims import claimed, disagree, resolutions, shown
from registry.domain.claims_view import claims_view
from registry.domain.edtf import parse
from registry.domain.events import FactValue, Term
from registry.domain.values import Place, Q

A = "https://a.example/"
B = "https://b.example/"
C = "https://c.example/"
INFERRED = [{"publication_id": "p", "basis": "inferred"}]
STATED = [*INFERRED, {"publication_id": "q", "basis": "stated"}]


@pytest.fixture
def group(log):
    return lambda predicate: claimed(log.state)[predicate]


def values(group):
    return [(str(claim.value), claim.live.source, claim.sources) for claim in group.claims]


def test_every_predicate_of_the_vocabulary_is_claimed_by_its_events(log):
    log.post("classified", kind="loi", legal_character="binding", entry_mode="ratification")
    log.signed("2025-07-16", place={"name": "San Salvador"})
    log.post("entered-into-force", date="2025")
    log.post("term-set", auto_renew=False)
    log.post("terminated", date="2026", ground="consent")
    log.post("cooperation-area-added", area_id="health", label={"en": "health"}, state="agreed")
    log.post("fact-recorded", fact_id="reserve", about="slv", predicate="has", truth=True)
    assert list(claimed(log.state)) == [
        "area.health.state",
        "entry-into-force",
        "entry_mode",
        "fact.reserve",
        "kind",
        "legal_character",
        "signature.pak.date",
        "signature.pak.place",
        "signature.slv.date",
        "signature.slv.place",
        "term",
        "termination",
        "title.en",
    ]


def test_equal_values_corroborate_and_each_source_counts_once(log, group):
    log.post("classified", source=A, kind="loi")
    log.registered(source=B, kind="loi")
    log.post("classified", source=C, kind="mou")
    assert values(group("kind")) == [("loi", A, 2), ("loi", B, 2), ("mou", C, 1)]
    assert group("kind").disputed


def test_a_value_nobody_disputes_is_no_dispute(log, group):
    log.post("classified", source=A, kind="loi")
    log.post("classified", source=B, kind="loi")
    assert not group("kind").differ


def test_stated_is_shown_over_inferred_even_against_more_sources(log):
    log.post("classified", source=A, kind="mou", cites=INFERRED)
    log.post("classified", source=B, kind="mou", cites=INFERRED)
    log.post("classified", source=C, kind="loi", cites=STATED)
    assert shown(log.state, "kind").value == "loi"
    assert shown(log.state, "kind").basis == "stated"


def test_the_narrowest_date_is_shown_over_more_sources(log):
    log.post("entered-into-force", source=A, date="2025")
    log.post("entered-into-force", source=B, date="2025")
    log.post("entered-into-force", source=C, date="2025-07")
    assert str(shown(log.state, "entry-into-force").value) == "2025-07"


def test_stated_is_shown_over_a_narrower_date(log):
    log.post("entered-into-force", source=A, date="2025-07-16", cites=INFERRED)
    log.post("entered-into-force", source=B, date="2025")
    assert str(shown(log.state, "entry-into-force").value) == "2025"


def test_most_sources_are_shown_over_the_lowest_identity(log):
    log.post("classified", source=A, kind="mou")
    log.post("classified", source=B, kind="loi")
    log.post("classified", source=C, kind="loi")
    assert shown(log.state, "kind").value == "loi"


def test_the_lowest_identity_is_shown_when_nothing_else_tells(log):
    log.post("classified", source=C, kind="mou", id="a")
    log.post("classified", source=B, kind="loi", id="z")
    assert shown(log.state, "kind").live.source == B


def test_a_corrected_claim_ranks_by_its_first_identity(log):
    claim = log.post("classified", source=A, kind="mou", id="a")
    log.post("classified", source=B, kind="loi", id="b")
    log.correct(claim, source=C, admin=True, kind="treaty")
    assert shown(log.state, "kind").value == "treaty"


def test_dates_disagree_only_when_their_ranges_do_not_meet(log, group):
    log.post("entered-into-force", source=A, date="2025")
    log.post("entered-into-force", source=B, date="2025-07")
    assert not group("entry-into-force").differ
    log.post("entered-into-force", source=C, date="2025-08-01")
    assert group("entry-into-force").disputed


def test_approximate_dates_of_one_range_are_equal(log, group):
    log.post("entered-into-force", source=A, date="2025-07")
    log.post("entered-into-force", source=B, date="2025-07~")
    assert values(group("entry-into-force")) == [("2025-07", A, 2), ("2025-07~", B, 2)]


def test_terms_disagree_only_in_what_both_give(log, group):
    log.post("term-set", source=A, end="2030-12", auto_renew=True, renew_for="P1Y", notice="P6M")
    log.post("term-set", source=B, end="2030-12-31", auto_renew=True, renew_for="P12M")
    assert not group("term").differ
    assert str(shown(log.state, "term").value.end) == "2030-12-31"
    log.post("term-set", source=C, auto_renew=False)
    assert group("term").disputed


def test_a_term_that_gives_an_end_is_shown_over_one_that_gives_none(log):
    log.post("term-set", source=A, auto_renew=False)
    log.post("term-set", source=B, end="2030", auto_renew=False)
    assert shown(log.state, "term").live.source == B


def test_places_disagree_only_in_what_both_give():
    assert not disagree(Place(name="San Salvador"), Place(name="San Salvador", country="SLV"))
    assert disagree(Place(name="San Salvador"), Place(name="Islamabad"))


def fact(**value):
    return FactValue(about="slv", predicate="reserve", **value)


def test_quantities_are_compared_as_numbers_and_fact_dates_as_dates():
    one, same, more = (
        Q(value="6237", unit="BTC", comparator="gt"),
        Q(value="6237.0", unit="BTC", comparator="gt"),
        Q(value="6240", unit="BTC", comparator="gt"),
    )
    assert not disagree(fact(quantity=one), fact(quantity=same))
    assert disagree(fact(quantity=one), fact(quantity=more))
    assert not disagree(fact(date=parse("2021")), fact(date=parse("2021-09-07")))
    assert disagree(fact(date=parse("2021")), fact(date=parse("2022")))
    assert disagree(fact(date=parse("2021")), fact(truth=True))


def test_values_of_different_kinds_disagree():
    assert disagree(Term(auto_renew=False), Place(name="x"))
    assert disagree(parse("2025"), "2025")


def test_fact_dates_of_one_range_corroborate(log, group):
    about = {"fact_id": "since", "about": "slv", "predicate": "legal-tender-since"}
    log.post("fact-recorded", source=A, date="2021", **about)
    log.post("fact-recorded", source=B, date="2021~", **about)
    log.post("fact-recorded", source=C, date="2021-09-07", **about)
    assert not group("fact.since").differ
    assert [claim.sources for claim in group("fact.since").claims] == [1, 2, 2]


def test_outlooks_are_never_disputed(log, group):
    about = {"fact_id": "roadmap", "about": "pak", "predicate": "outlook"}
    log.post("fact-recorded", source=A, text={"en": "It may."}, outlook=True, **about)
    log.post("fact-recorded", source=B, text={"en": "It will not."}, outlook=True, **about)
    assert len(group("fact.roadmap").claims) == 2
    assert not group("fact.roadmap").differ


def test_titles_are_claims_by_language(log, group):
    log.registered(source=B, title="Memorandum")
    log.post("title-given", source=B, title={"es": "Carta"})
    assert group("title.en").disputed
    assert not group("title.es").differ


def test_a_resolution_is_shown_over_everything_and_all_claims_stay(log, group):
    inferred = log.post("entered-into-force", source=C, date="2020", cites=INFERRED)
    log.post("entered-into-force", source=A, date="2025-07-16")
    log.post("entered-into-force", source=B, date="2025-07-16")
    resolution = log.resolve("entry-into-force", inferred)
    now = group("entry-into-force")
    assert (str(now.shown.value), len(now.claims)) == ("2020", 3)
    assert (now.differ, now.settled, now.disputed) == (True, True, False)
    log.retract(resolution)
    assert group("entry-into-force").disputed
    assert str(shown(log.state, "entry-into-force").value) == "2025-07-16"


def test_a_resolution_whose_claim_was_retracted_stays_says_so_and_settles_nothing(log, group):
    chosen = log.post("classified", source=A, kind="loi")
    log.post("classified", source=B, kind="mou")
    log.post("classified", source=C, kind="treaty")
    log.resolve("kind", chosen)
    assert log.view().resolved == ("kind",)
    log.retract(chosen)
    assert resolutions(log.state)["kind"].dangling
    assert group("kind").disputed
    assert (log.view().resolved, log.view().disputed) == ((), ("kind",))
    assert log.view().resolutions[0].dangling


def test_a_resolution_of_which_no_claim_is_left_is_still_told(log):
    chosen = log.post("classified", source=A, kind="loi")
    log.resolve("kind", chosen)
    log.retract(chosen)
    assert log.view().kind == "unspecified"
    assert [(one.predicate, one.dangling) for one in log.view().resolutions] == [("kind", True)]


def test_of_two_resolutions_brought_together_by_a_merge_that_of_the_kept_area_holds(log):
    events = [
        log.post("cooperation-area-added", area_id=area, label={"en": area}, state=state, source=source)
        for area, state, source in (("a", "agreed", A), ("b", "prospective", B))
    ]
    log.resolve("area.a.state", events[0])
    log.resolve("area.b.state", events[1])
    log.merge("area", "b", "a")
    assert shown(log.state, "area.b.state").value == "prospective"
    log.retract(log.events[-1])
    log.merge("area", "a", "b")
    assert shown(log.state, "area.a.state").value == "agreed"


def test_all_claims_of_a_predicate_are_given_with_their_events(log):
    log.post("classified", source=A, kind="loi", cites=INFERRED, confidence="low")
    log.post("classified", source=B, kind="mou")
    resolution = log.resolve("kind", log.events[1])
    (kind,) = claims_view(log.state, "kind")
    assert (kind.predicate, kind.disputed, kind.resolved) == ("kind", False, True)
    assert kind.resolved_by.position == resolution.position
    assert [(claim.value, claim.by.source, claim.by.basis, claim.by.confidence) for claim in kind.claims] == [
        ("loi", A, "inferred", "low"),
        ("mou", B, "stated", None),
    ]


def test_claims_are_given_as_they_were_posted(log):
    log.post("term-set", end="2030~", auto_renew=True, renew_for="P1Y")
    log.signed("2025-07-1X", "pak", place={"name": "San Salvador"})
    by_name = {one.predicate: one.claims[0].value for one in claims_view(log.state)}
    assert by_name["term"] == {"end": "2030~", "auto_renew": True, "renew_for": "P1Y"}
    assert by_name["signature.pak.date"] == "2025-07-1X"
    assert by_name["signature.pak.place"]["name"] == "San Salvador"
    assert claims_view(log.state, "kind") == ()
