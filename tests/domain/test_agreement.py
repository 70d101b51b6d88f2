"""The state: live events, their chains of corrections, and what an erasure leaves."""

import msgspec
import pytest

from registry.domain.agreement import Agreement, evolve, first_of, fold
from registry.domain.codec import event_and_places, join, split
from registry.domain.envelope import Posted
from registry.domain.events import Registered, Signed, TermSet
from registry.domain.events.event import Event
from registry.domain.redaction import redacted

A = "https://a.example/"
B = "https://b.example/"
ONE = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"
TWO = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b22"


def person(id_, name=None):
    return {"person": {"person_id": id_, **({"name": name} if name else {})}}


@pytest.fixture
def signed_by_persons(log):
    """Signed by two persons whose names are given."""
    signatures = [
        {"party": "pak", "actor": person(ONE, "Ada Sample"), "capacity": "Minister"},
        {"party": "slv", "actor": person(TWO, "Bo Sample")},
    ]
    log.post("signed", signatures=signatures, occurred="2025-07-16")
    return log


def erase(log, target, *parts):
    """Record an erasure as its route does: without asking decide."""
    return log.record(
        log.make(
            "personal-data-erased",
            target={"source": target.source, "id": target.id},
            parts=list(parts),
            legal_basis="GDPR 17(1)(b)",
        )
    )


def as_read_again(log, event, *erased):
    """The event as it is read from the log once parts of it are gone."""
    posted = next(one for one in log.posted if (one.source, one.id) == event.identity)
    part0, *people = split(posted.type, posted.body, {}, "p")
    open_parts = {number: part for number, part in enumerate(people, start=1) if number not in erased}
    joined = join(None if 0 in erased else part0, open_parts)
    data, places = event_and_places(posted.type, joined)
    return msgspec.structs.replace(event, data=data, erased=joined.erased, places_erased=places)


def test_a_registration_founds_an_agreement(empty):
    founding = empty.registered()
    state = empty.state
    assert (state.id, state.founder, state.parties) == (empty.subject, (A, "e1"), ("pak", "slv"))
    assert (state.version, state.position, state.recorded_at) == (1, 1, 1_000_000)
    assert state.live[A, "e1"].first == founding


def test_nothing_else_founds_one(log):
    signed = log.signed("2025-07-16")
    with pytest.raises(ValueError, match=r"begins with agreement\.registered"):
        evolve(None, signed)


def test_folding_leaves_the_state_it_starts_from_as_it_was(log):
    start = log.state.copy()
    before = dict(start.live), dict(start.index), start.version
    signed = log.make("signed", signatures=[{"party": "pak"}], occurred="2025")
    event = msgspec.structs.replace(
        log.events[0], id=signed.id, type=signed.type, data=signed.data, version=2
    )
    after = fold(start, [event])
    assert (start.live, start.index, start.version) == before
    assert after.version == 2
    assert after.live.keys() == {(A, "e1"), (A, signed.id)}


def test_folding_nothing_gives_nothing_and_folding_no_news_gives_an_equal_copy(log):
    assert fold(None, []) is None
    same = fold(log.state, [])
    assert isinstance(same, Agreement)
    assert same is not log.state
    assert same.live == log.state.live


def test_what_is_derived_is_forgotten_when_more_is_known(log):
    assert log.view().kind == "unspecified"
    assert log.state.derived
    log.post("classified", kind="loi")
    assert log.view().kind == "loi"


def test_a_copy_derives_anew(log):
    log.view()
    assert log.state.copy().derived == {}


def test_a_correction_replaces_what_an_event_says_under_its_first_identity(log):
    term = log.post("term-set", end="2030", auto_renew=False)
    correction = log.correct(term, end="2031", auto_renew=False)
    live = log.state.live[term.identity]
    assert isinstance(live.data, TermSet)
    assert str(live.data.end) == "2031"
    assert (live.source, live.positions) == (A, (2, 3))
    assert correction.identity not in log.state.live
    assert first_of(log.state, correction.identity) == term.identity


def test_a_correction_of_a_correction_replaces_it(log):
    term = log.post("term-set", end="2030", auto_renew=False)
    first = log.correct(term, end="2031", auto_renew=False)
    second = log.correct(first, end="2032", auto_renew=False)
    assert str(log.state.live[term.identity].data.end) == "2032"
    assert log.state.live[term.identity].positions == (2, 3, 4)
    log.retract(second)
    assert str(log.state.live[term.identity].data.end) == "2031"


def test_retracting_a_correction_restores_what_it_replaced_and_takes_its_own_corrections_along(log):
    term = log.post("term-set", end="2030", auto_renew=False)
    first = log.correct(term, end="2031", auto_renew=False)
    log.correct(first, end="2032", auto_renew=False)
    log.retract(first)
    live = log.state.live[term.identity]
    assert (str(live.data.end), live.corrections) == ("2030", ())


def test_retracting_an_event_takes_its_corrections_along(log):
    term = log.post("term-set", end="2030", auto_renew=False)
    log.correct(term, end="2031", auto_renew=False)
    log.retract(term)
    assert term.identity not in log.state.live
    assert "term" not in log.state.index


def test_keys_follow_what_an_event_says_now(log):
    claim = log.post("classified", kind="loi")
    correction = log.correct(claim, legal_character="binding")
    assert "kind" not in log.state.index
    assert log.state.index["legal_character"] == (claim.identity,)
    log.retract(correction)
    assert log.state.index["kind"] == (claim.identity,)


def test_two_live_corrections_half_way_through_a_reordered_log_leave_one_of_them_showing(log):
    term = log.post("term-set", end="2030", auto_renew=False)
    withdrawn = log.correct(term, end="2031", auto_renew=False)
    retraction = log.retract(withdrawn)
    kept = log.correct(term, end="2032", auto_renew=False)
    founding = log.events[0]
    half_way = fold(None, [founding, term, withdrawn, kept])
    assert str(half_way.live[term.identity].data.end) == "2031"
    assert str(fold(half_way, [retraction]).live[term.identity].data.end) == "2032"


def test_a_correction_that_comes_before_what_it_corrects_waits_for_it(log):
    term = log.post("term-set", end="2030", auto_renew=False)
    correction = log.correct(term, end="2031", auto_renew=False)
    founding = log.events[0]
    state = fold(None, [founding, correction])
    assert state.live.keys() == {founding.identity}
    assert str(fold(state, [term]).live[term.identity].data.end) == "2031"


def test_an_erasure_takes_the_values_of_one_person_out_of_the_state(signed_by_persons):
    log = signed_by_persons
    signed = log.events[1]
    erase(log, signed, 1)
    live = log.state.live[signed.identity]
    assert isinstance(live.data, Signed)
    first, second = live.data.signatures
    assert (first.actor.person.person_id, first.actor.person.name, first.capacity) == (ONE, None, None)
    assert second.actor.person.name == "Bo Sample"
    assert live.erased == (1,)
    assert live.first == as_read_again(log, signed, 1)


def test_erasing_one_after_the_other_gives_what_the_log_gives(signed_by_persons):
    log = signed_by_persons
    signed = log.events[1]
    erase(log, signed, 1)
    erase(log, signed, 2)
    assert log.state.live[signed.identity].first == as_read_again(log, signed, 1, 2)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_parts_keep_their_numbers_whatever_was_erased_before(log, order):
    three = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b33"
    participants = [person(ONE, "Ada"), person(TWO), person(TWO, "Bo"), person(three, "Cy")]
    held = log.post(
        "engagement-held", engagement_id="v", kind="visit", start="2025", participants=participants
    )
    gone = ()
    for number in order:
        gone = (*gone, number)
        erase(log, held, number)
        assert log.state.live[held.identity].first == as_read_again(log, held, *gone)


def test_an_erased_office_says_so_where_a_text_is_required(log):
    role = log.post("role-held", party="pak", title={"en": "Envoy"}, from_="2020", **person(ONE, "Ada"))
    erase(log, role, 1)
    live = log.state.live[role.identity]
    assert live.first == as_read_again(log, role, 1)
    assert (live.data.title, live.data.from_) == ({"zxx": "[erased]"}, None)


def test_an_erasure_in_a_correction_takes_the_values_out_of_what_it_put_in_place(signed_by_persons):
    log = signed_by_persons
    signed = log.events[1]
    correction = log.correct(signed, **{**log.body(signed), "occurred": "2025-07-17"})
    erase(log, correction, 2)
    live = log.state.live[signed.identity]
    assert [one.actor.person.name for one in live.data.signatures] == ["Ada Sample", None]
    assert live.erased == (2,)
    assert live.corrections[0] == as_read_again(log, correction, 2)


def test_an_erased_part_0_leaves_an_event_that_claims_nothing(log):
    term = log.post("term-set", end="2030", auto_renew=False)
    correction = log.correct(term, end="2031", auto_renew=False)
    erase(log, term, 0)
    assert str(log.state.live[term.identity].data.end) == "2031"
    log.retract(correction)
    live = log.state.live[term.identity]
    assert (type(live.data), live.erased) == (Event, (0,))
    assert log.view().term is None


def test_an_agreement_whose_founding_event_was_corrected_and_erased_keeps_its_parties(log):
    founding = log.events[0]
    correction = log.correct(founding, **log.body(founding))
    erase(log, founding, 0)
    assert log.state.parties == ("pak", "slv")
    again = fold(None, [as_read_again(log, founding, 0), correction])
    assert again.parties == ("pak", "slv")
    assert isinstance(again.live[founding.identity].data, Registered)


def test_an_agreement_known_only_by_an_erased_founding_event_can_still_be_shown(log):
    state = fold(None, [as_read_again(log, log.events[0], 0)])
    assert state.parties == ()
    log.state = state
    shown = log.view()
    assert (shown.title, shown.parties, shown.status, shown.visibility) == ({}, (), "registered", "public")


def test_an_erasure_of_an_event_that_is_not_here_changes_nothing(log):
    before = dict(log.state.live)
    tombstone = log.make(
        "personal-data-erased", target={"source": B, "id": "x"}, parts=[1], legal_basis="GDPR 17(1)(b)"
    )
    log.record(tombstone)
    del log.state.live[tombstone.source, tombstone.id]
    assert log.state.live == before


def test_redacting_an_event_of_nobody_changes_only_what_it_says_of_itself(log):
    founding = log.events[0]
    assert redacted(founding, (1,)).data == founding.data


def test_posted_events_need_no_attributes():
    assert Posted("s", "i", "t", "a", {}, Event()).attrs == {}
