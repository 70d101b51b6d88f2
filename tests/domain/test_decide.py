"""Each rule by which a posted event is refused, and what is accepted beside it."""

import pytest

from registry.domain.decide import decide
from registry.errors import Invalid, Rejected

A = "https://a.example/"
B = "https://b.example/"
C = "https://c.example/"


@pytest.fixture
def refused():
    """Check that posting is refused by a rule; give the refusal."""

    def check(rule, post, *args, **data):
        with pytest.raises(Rejected) as caught:
            post(*args, **data)
        assert caught.value.rule == rule
        return caught.value

    return check


def test_only_a_registration_founds_an_agreement(empty, refused):
    refused("unknown-agreement", empty.signed, "2025-07-16")
    empty.registered()
    empty.signed("2025-07-16")


def test_the_parties_are_two_different_ones(empty, refused):
    pak = {"id": "pak", "kind": "state", "name": {"en": "Pakistan"}}
    refusal = refused("parties-not-distinct", empty.post, "registered", title={"en": "x"}, parties=[pak, pak])
    assert refusal.pointer == "/parties/1/id"


def test_an_agreement_of_one_or_three_parties_is_not_valid(empty):
    pak = {"id": "pak", "kind": "state", "name": {"en": "Pakistan"}}
    with pytest.raises(Invalid):
        empty.post("registered", title={"en": "x"}, parties=[pak])


def test_a_second_source_registers_the_same_parties_in_any_order(log, refused):
    pak, slv = ({"id": party, "kind": "state", "name": {"en": party}} for party in ("pak", "slv"))
    log.post("registered", source=B, title={"en": "Letter"}, parties=[slv, pak])
    other = {"id": "usa", "kind": "state", "name": {"en": "United States"}}
    refusal = refused(
        "other-parties", log.post, "registered", source=C, title={"en": "Letter"}, parties=[pak, other]
    )
    assert refusal.positions == (1,)
    assert refusal.pointer == "/parties"


@pytest.mark.parametrize(
    ("name", "pointer", "data"),
    [
        ("signed", "/signatures/0/party", {"signatures": [{"party": "usa"}], "occurred": "2025"}),
        (
            "signed",
            "/signatures/0/actor/on_behalf_of",
            {"signatures": [{"party": "pak", "actor": {"on_behalf_of": "usa"}}], "occurred": "2025"},
        ),
        ("ratified", "/party", {"party": "usa", "form": "approval", "occurred": "2025"}),
        ("denunciation-notified", "/party", {"party": "usa", "occurred": "2025"}),
        (
            "follow-up-scheduled",
            "/owner",
            {"follow_up_id": "f", "text": {"en": "x"}, "due": "2025", "owner": "usa"},
        ),
        (
            "engagement-held",
            "/host",
            {"engagement_id": "v", "kind": "visit", "start": "2025", "host": "usa"},
        ),
        (
            "commitment-made",
            "/by/1",
            {"commitment_id": "c", "text": {"en": "x"}, "by": ["pak", "usa"], "strength": "aim"},
        ),
    ],
)
def test_a_reference_names_a_party_of_the_agreement(log, refused, name, pointer, data):
    refusal = refused("unknown-party", log.post, name, **data)
    assert refusal.pointer == pointer
    assert refusal.positions == (1,)


def test_a_source_claims_a_predicate_once(log, refused):
    log.registered(source=B, kind="loi")
    refusal = refused("already-claimed", log.post, "classified", source=B, kind="mou")
    assert refusal.positions == (2,)
    log.post("classified", source=B, legal_character="binding")
    log.post("classified", source=A, kind="mou")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("ratified", {"party": "pak", "form": "ratification", "occurred": "2025"}),
        ("signature-confirmed", {"party": "pak", "occurred": "2025"}),
        ("engagement-held", {"engagement_id": "v", "kind": "visit", "start": "2025"}),
        ("follow-up-completed", {"follow_up_id": "f", "occurred": "2025"}),
        ("entered-into-force", {"date": "2025"}),
        ("term-set", {"auto_renew": False}),
        ("terminated", {"date": "2025", "ground": "consent"}),
        ("fact-recorded", {"fact_id": "f", "about": "pak", "predicate": "is", "truth": True}),
        ("cooperation-area-added", {"area_id": "a", "label": {"en": "a"}, "state": "agreed"}),
    ],
)
def test_another_source_may_claim_what_one_has_claimed_and_the_same_may_not(log, refused, name, data):
    log.post(name, source=A, **data)
    log.post(name, source=B, **data)
    assert refused("already-claimed", log.post, name, source=A, **data).positions == (2,)


def test_what_has_no_key_may_be_claimed_again(log):
    for occurred in ("2025-01-01", "2026-01-01"):
        log.post("suspended", from_=occurred)
        log.post("resumed", occurred=occurred)
        log.post("denunciation-notified", party="pak", occurred=occurred)


def test_a_source_that_registered_an_agreement_does_not_register_it_again(log, refused):
    refused("already-claimed", log.registered, title="Another title")


def test_one_event_names_a_signing_party_once(log, refused):
    refused("party-repeated", log.signed, "2025-07-16", "pak", "pak")


def test_an_event_claims_something(log, refused):
    refused("empty-claim", log.post, "classified")
    refused("empty-claim", log.post, "fact-recorded", fact_id="f", about="pak", predicate="is")
    refused(
        "one-value",
        log.post,
        "fact-recorded",
        fact_id="f",
        about="pak",
        predicate="is",
        truth=True,
        date="2025",
    )


def test_an_end_does_not_come_before_its_start(log, refused):
    refused("end-before-start", log.post, "term-set", start="2025", end="2024", auto_renew=False)
    refused(
        "end-before-start",
        log.post,
        "engagement-held",
        engagement_id="v",
        kind="visit",
        start="2025-07-16",
        end="2025-07-15",
    )
    log.post("term-set", start="2025", end="2025", auto_renew=False)


def test_a_term_that_renews_itself_says_when_and_for_how_long(log, refused):
    refused("auto-renew-incomplete", log.post, "term-set", auto_renew=True, renew_for="P1Y")
    refused("auto-renew-incomplete", log.post, "term-set", auto_renew=True, end="2025")
    refused("auto-renew-incomplete", log.post, "term-set", auto_renew=True, end="2025", renew_for="P0D")


def test_a_correction_names_an_event_of_the_agreement(log, refused):
    stranger = log.make("terminated", id="elsewhere", date="2025", ground="consent")
    signed = log.signed("2025-07-16")
    target = {"source": A, "id": "elsewhere"}
    refused("target-unknown", log.post, "event-retracted", target=target, reason="Wrong.")
    refusal = refused(
        "target-unknown",
        log.post,
        "event-corrected",
        target={**target, "type": stranger.type},
        replacement=stranger.body,
        reason="Wrong.",
        kind="entry-error",
    )
    assert refusal.pointer == "/target"
    log.retract(signed)


def test_what_was_retracted_is_no_target_any_more(log, refused):
    signed = log.signed("2025-07-16")
    correction = log.correct(signed, signatures=[{"party": "pak"}, {"party": "slv"}], occurred="2025-07-17")
    retraction = log.retract(signed)
    body = log.body(signed)
    assert refused("target-not-live", log.retract, signed).positions == (retraction.position,)
    assert refused("target-not-live", log.correct, signed, **body).positions == (retraction.position,)
    assert refused("target-not-live", log.retract, correction).positions == (retraction.position,)


def test_a_retracted_correction_is_no_target_any_more(log, refused):
    signed = log.signed("2025-07-16")
    body = log.body(signed)
    correction = log.correct(signed, **{**body, "occurred": "2025-07-17"})
    retraction = log.retract(correction)
    assert refused("target-not-live", log.correct, correction, **body).positions == (retraction.position,)


def test_a_source_corrects_its_own_events_only(log, refused):
    signed = log.signed("2025-07-16", source=B)
    refusal = refused("target-of-another-source", log.correct, signed, source=A, **log.body(signed))
    assert refusal.positions == (2,)
    refused("target-of-another-source", log.retract, signed, source=A)
    log.correct(signed, source=A, admin=True, **log.body(signed))


def test_a_correction_made_for_another_source_stays_with_those_who_may_make_such(log, refused):
    signed = log.signed("2025-07-16", source=B)
    correction = log.correct(signed, source=A, admin=True, **log.body(signed))
    refused("target-of-another-source", log.correct, correction, source=A, **log.body(signed))
    refused("target-of-another-source", log.retract, correction, source=B)
    log.retract(signed, source=B)


def test_an_event_has_one_live_correction_and_a_further_one_corrects_that(log, refused):
    signed = log.signed("2025-07-16")
    body = log.body(signed)
    first = log.correct(signed, **body)
    refusal = refused("already-corrected", log.correct, signed, **body)
    assert refusal.positions == (first.position,)
    second = log.correct(first, **body)
    log.retract(second)
    third = log.correct(first, **body)
    log.retract(first)
    refused("target-not-live", log.retract, third)
    log.correct(signed, **body)


def test_the_target_type_is_that_of_the_event_first_corrected(log, refused):
    signed = log.signed("2025-07-16")
    target = {"source": signed.source, "id": signed.id, "type": "agreement.resumed.v1"}
    refusal = refused(
        "target-type",
        log.post,
        "event-corrected",
        target=target,
        replacement={"occurred": "2025"},
        reason="Wrong.",
        kind="entry-error",
    )
    assert refusal.pointer == "/target/type"


def test_a_replacement_that_is_no_data_of_the_type_is_not_valid(log):
    signed = log.signed("2025-07-16")
    with pytest.raises(Invalid) as caught:
        log.correct(signed, occurred="yesterday", signatures=[])
    assert caught.value.flaws[0].pointer.startswith("/replacement")


def test_a_replacement_breaks_no_rule_of_its_own_type(log, refused):
    term = log.post("term-set", end="2030", auto_renew=False)
    refusal = refused("auto-renew-incomplete", log.correct, term, end="2030", auto_renew=True)
    assert refusal.pointer == "/replacement/renew_for"


def test_a_replacement_names_the_same_parties(log, refused):
    ratified = log.post("ratified", party="pak", form="approval", occurred="2025")
    refused("replacement-parties", log.correct, ratified, party="slv", form="approval", occurred="2025")
    refused("unknown-party", log.correct, ratified, party="usa", form="approval", occurred="2025")
    signed = log.signed("2025-07-16")
    refused("replacement-parties", log.correct, signed, signatures=[{"party": "pak"}], occurred="2025")


def test_the_founding_event_is_corrected_with_the_same_parties(log, refused):
    founding = log.events[0]
    pak, slv = log.body(founding)["parties"]
    usa = {**slv, "id": "usa"}
    refused("replacement-parties", log.correct, founding, title={"en": "Letter"}, parties=[pak, usa])
    log.correct(founding, title={"en": "Letter"}, parties=[slv, {**pak, "name": {"en": "Islamic Republic"}}])
    assert log.view().title == {"en": "Letter"}
    assert [party.id for party in log.view().parties] == ["slv", "pak"]


def test_a_reference_that_an_event_can_be_without_may_be_corrected(log):
    visit = log.post("engagement-held", engagement_id="v", kind="visit", start="2025", host="pak")
    log.correct(visit, engagement_id="v", kind="visit", start="2025", host="slv")
    assert log.view().engagements[0].host == "slv"


def test_a_replacement_is_about_the_same_part(log, refused):
    visit = log.post("engagement-held", engagement_id="v", kind="visit", start="2025")
    refused("replacement-part", log.correct, visit, engagement_id="w", kind="visit", start="2025")


def test_a_replacement_is_about_the_same_merge_and_the_same_predicate(log, refused):
    signed = log.signed("2025-07-16", "pak")
    log.signed("2025-07-17", "pak", source=B)
    merge = log.merge("engagement", "v", "w")
    refused("replacement-part", log.correct, merge, what="engagement", kept_id="w", dropped_id="v")
    resolution = log.resolve("signature.pak.date", signed)
    body = log.body(resolution)
    refused("replacement-part", log.correct, resolution, **{**body, "predicate": "term"})
    log.correct(resolution, **{**body, "chosen": {"source": B, "id": "e3"}})
    assert log.view().signatures[0].date == "2025-07-17"


def test_a_correction_claims_nothing_that_its_source_has_claimed_elsewhere(log, refused):
    kind = log.post("classified", kind="loi")
    log.post("classified", legal_character="binding")
    refused("already-claimed", log.correct, kind, kind="loi", legal_character="binding")
    log.correct(kind, kind="mou")


def test_a_retraction_brings_back_nothing_that_its_source_has_claimed_since(log, refused):
    kind = log.post("classified", kind="loi")
    correction = log.correct(kind, legal_character="binding")
    later = log.post("classified", kind="mou")
    refusal = refused("already-claimed", log.retract, correction)
    assert refusal.positions == (later.position,)
    log.retract(later)
    log.retract(correction)
    assert log.view().kind == "loi"


def test_after_a_retraction_the_source_may_claim_anew(log):
    signed = log.signed("2025-07-16")
    log.retract(signed)
    log.signed("2025-07-17")
    assert log.view().signatures[0].date == "2025-07-17"


def test_a_retraction_is_never_a_target(log, refused):
    retraction = log.retract(log.signed("2025-07-16"))
    refused("target-never", log.retract, retraction)


def test_the_founding_event_is_never_retracted(log, refused):
    refused("founder-retracted", log.retract, log.events[0])
    second = log.registered(source=B)
    log.retract(second)
    correction = log.correct(log.events[0], **log.body(log.events[0]))
    log.retract(correction)


GOVERNING = [
    ("visibility-changed", {"visibility": "restricted", "reason": "Embargo."}),
    ("agreement-retracted", {"reason": "Registered by mistake."}),
    ("duplicate-merged", {"what": "engagement", "kept_id": "v", "dropped_id": "w"}),
    (
        "dispute-resolved",
        {"predicate": "title.en", "chosen": {"source": A, "id": "e1"}, "rationale": {"en": "So."}},
    ),
]


@pytest.mark.parametrize(("name", "data"), GOVERNING)
def test_the_founding_source_or_an_administrator_decides_what_concerns_the_whole(log, refused, name, data):
    assert refused("founding-source-only", log.post, name, source=B, **data).positions == (1,)
    by_admin = log.post(name, source=B, admin=True, **data)
    refused("founding-source-only", log.correct, by_admin, **data)
    refused("founding-source-only", log.retract, by_admin)
    log.retract(by_admin, admin=True)
    log.post(name, source=A, **data)


def test_a_predicate_has_one_live_resolution(log, refused):
    one, other = log.post("classified", kind="loi"), log.post("classified", source=B, kind="mou")
    resolution = log.resolve("kind", one)
    assert refused("already-resolved", log.resolve, "kind", other).positions == (resolution.position,)
    log.correct(resolution, **log.body(resolution))
    log.retract(resolution)
    log.resolve("kind", other)


def test_merging_areas_merges_what_may_be_resolved_once(log, refused):
    for area in ("a", "b"):
        log.post("cooperation-area-added", area_id=area, label={"en": area}, state="agreed")
    log.resolve("area.a.state", log.events[1])
    log.merge("area", "b", "a")
    refused("already-resolved", log.resolve, "area.b.state", log.events[2])


def test_a_resolution_chooses_a_live_claim_on_the_predicate(log, refused):
    claim = log.post("classified", kind="loi")
    other = log.signed("2025-07-16", source=B)
    assert refused("chosen-not-a-claim", log.resolve, "kind", other).positions == (other.position,)
    log.retract(claim)
    refused("chosen-not-a-claim", log.resolve, "kind", claim)
    stranger = log.make("classified", id="nowhere", kind="loi")
    assert refused("chosen-not-a-claim", log.resolve, "kind", stranger).positions == ()


def test_a_resolution_may_name_the_correction_of_the_claim(log):
    claim = log.post("classified", kind="loi", cites=[{"publication_id": "p", "basis": "inferred"}])
    log.post("classified", source=B, kind="mou")
    correction = log.correct(claim, kind="treaty")
    log.resolve("kind", correction)
    assert log.view().kind == "treaty"
    assert log.view().resolved == ("kind",)


def test_merges_do_not_lead_back_to_where_they_began(log, refused):
    one, two = log.merge("engagement", "a", "b"), log.merge("engagement", "b", "c")
    refusal = refused("merge-loops", log.merge, "engagement", "c", "a")
    assert set(refusal.positions) == {one.position, two.position}
    refused("merge-loops", log.merge, "engagement", "a", "a")
    log.merge("area", "c", "a")
    log.correct(one, **log.body(one))
    log.retract(two)
    log.merge("engagement", "c", "a")


def test_merges_that_meet_again_do_not_loop(log):
    log.merge("engagement", "b", "a")
    log.merge("engagement", "c", "a")
    log.merge("engagement", "d", "b")
    log.merge("engagement", "d", "c")
    log.merge("engagement", "e", "d")
    log.merge("engagement", "a", "z")


def test_an_erasure_is_never_posted(log, refused):
    target = {"source": A, "id": "e1"}
    refused(
        "erasure-route-only",
        log.post,
        "personal-data-erased",
        admin=True,
        target=target,
        parts=[1],
        legal_basis="GDPR 17(1)(b)",
    )


def test_a_refused_event_leaves_the_state_as_it_was(log):
    before = log.view()
    with pytest.raises(Rejected):
        log.registered()
    assert log.view() == before


def test_deciding_does_not_look_at_the_day_or_at_what_came_first(log):
    late = log.make("entered-into-force", date="1703-12-27")
    early = log.make("signed", signatures=[{"party": "pak"}], occurred="9999-12-31")
    for first, second in ((late, early), (early, late)):
        state = log.state.copy()
        decide(state, first)
        decide(state, second)
