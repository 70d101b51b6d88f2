"""Worked cases: how instruments end, are renewed, suspended and replaced."""

import pytest

A = "https://a.example/"
B = "https://b.example/"


@pytest.fixture
def running(empty):
    """In force from 2010, for terms of two years that renew themselves, with notice of three months."""
    empty.registered(legal_character="binding")
    empty.signed("2009-10-01")
    empty.post("entered-into-force", date="2010-01-01")
    empty.post("term-set", end="2011-12-31", auto_renew=True, renew_for="P2Y", notice="P3M")
    return empty


def test_a_chain_of_tacit_renewals_goes_on_until_a_notice_in_time(running):
    assert [running.view(f"{year}-06-01").term.tacit_renewals for year in (2011, 2013, 2015, 2017)] == [
        0,
        1,
        2,
        3,
    ]
    running.post("non-renewal-notified", party="slv", occurred="2017-09-30")
    assert running.code("2017-12-31") == "in-force"
    assert (running.code("2018-01-01"), running.status("2018-01-01").since.date) == ("expired", "2018-01-01")
    assert running.view("2018-01-01").flags.expired


def test_a_notice_one_day_late_lets_the_term_renew_itself_once_more(running):
    running.post("non-renewal-notified", party="slv", occurred="2017-10-01")
    assert running.code("2018-01-01") == "in-force"
    assert running.view("2018-01-01").term.current_end == "2019-12-31"
    assert running.code("2020-01-01") == "expired"


def test_a_notice_is_measured_against_the_end_it_would_prevent_and_not_the_first(running):
    running.post("non-renewal-notified", party="pak", occurred="2015-03-01")
    assert [running.code(f"{year}-01-01") for year in (2012, 2014, 2015, 2016)] == [
        "in-force",
        "in-force",
        "in-force",
        "expired",
    ]


def test_an_express_renewal_after_the_end_closes_the_gap(empty):
    empty.registered()
    empty.post("entered-into-force", date="2010-01-01")
    empty.post("term-set", end="2014-12-31", auto_renew=False)
    assert empty.code("2015-06-01") == "expired"
    empty.post("renewed", new_end="2019-12-31", occurred="2015-09-01", mode="express")
    assert empty.code("2015-06-01") == "in-force"
    assert empty.code("2020-01-01") == "expired"


def test_a_renewal_that_only_records_moves_nothing(running):
    before = running.view("2013-06-01").term
    running.post("renewed", occurred="2011-12-31", mode="tacit")
    assert running.view("2013-06-01").term.current_end == before.current_end


def test_a_termination_with_survival_ends_the_agreement_and_not_every_obligation(running):
    running.post("terminated", date="2013-07-01", ground="consent", survival_until="2018-06-30")
    assert [
        (running.code(on), running.view(on).flags.in_survival)
        for on in ("2013-06-30", "2013-07-01", "2018-07-01")
    ] == [
        ("in-force", False),
        ("terminated", True),
        ("terminated", False),
    ]


def test_a_denunciation_is_pending_and_then_terminates(running):
    running.post("denunciation-notified", party="pak", occurred="2013-01-15", effective="2013-07-15")
    assert (running.code("2013-07-14"), running.view("2013-07-14").flags.denunciation_pending) == (
        "in-force",
        True,
    )
    assert (running.code("2013-07-15"), running.view("2013-07-15").flags.denunciation_pending) == (
        "terminated",
        False,
    )
    running.post("denunciation-withdrawn", party="pak", occurred="2013-03-01")
    assert running.code("2013-07-15") == "in-force"


def test_what_is_superseded_ends_on_the_day_its_successor_takes_over(running):
    running.post("superseded", by_id="pak-slv-2013", date="2013-01-01")
    assert running.code("2012-12-31") == "in-force"
    now = running.view("2013-01-01")
    assert (now.status, now.supersessions[0].by_id) == ("superseded", "pak-slv-2013")


def test_a_suspended_agreement_runs_on_and_may_expire_meanwhile(running):
    running.post("non-renewal-notified", party="slv", occurred="2011-06-01")
    running.post("suspended", from_="2011-01-01")
    assert running.code("2011-12-31") == "suspended"
    assert running.code("2012-01-01") == "expired"


def test_terms_that_sources_tell_differently_follow_the_one_chosen(running):
    other = running.post("term-set", source=B, end="2010-06-30", auto_renew=False)
    assert running.view("2012-01-01").disputed == ("term",)
    assert running.code("2012-01-01") == "in-force"
    running.resolve("term", other)
    assert running.view("2012-01-01").resolved == ("term",)
    assert running.code("2010-07-01") == "expired"


def test_something_due_in_a_month_is_overdue_only_from_the_next_month(running):
    running.post("follow-up-scheduled", follow_up_id="plan", text={"en": "Work plan"}, due="2011-07")
    assert not running.view("2011-07-31").flags.overdue
    assert running.view("2011-08-01").flags.overdue
    assert running.view("2011-08-01").follow_ups[0].overdue


def test_two_visits_are_merged_and_separated_again(running):
    for source, id_ in ((A, "visit"), (B, "mission")):
        running.post("engagement-held", source=source, engagement_id=id_, kind="visit", start="2011-03")
    assert [one.possible_duplicates for one in running.view().engagements] == [("visit",), ("mission",)]
    merge = running.merge("engagement", "visit", "mission")
    assert [(one.engagement_id, one.merged_ids) for one in running.view().engagements] == [
        ("visit", ("mission",))
    ]
    running.retract(merge)
    assert [one.possible_duplicates for one in running.view().engagements] == [("visit",), ("mission",)]


def test_an_agreement_registered_by_mistake_is_retracted_on_every_day_and_keeps_its_history(running):
    running.post("agreement-retracted", reason="The report was about another instrument.")
    assert {running.code(on) for on in ("1900-01-01", "2010-06-01", "2030-01-01")} == {"retracted"}
    assert running.view().term is not None
