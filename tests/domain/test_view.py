"""What is shown of an agreement on a day, each item with the events behind it."""

import msgspec
import pytest

from registry.domain.claims_view import claims_view
from registry.domain.codec import split
from registry.domain.compare import compare
from registry.domain.events import EVENT_TYPES
from registry.domain.shown.behind import record_time
from registry.domain.timeline import timeline

A = "https://a.example/"
B = "https://b.example/"
ONE = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"
TWO = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b22"
INFERRED = [{"publication_id": "p", "locator": "2", "basis": "inferred"}]


def person(id_, name=None):
    return {"person_id": id_, **({"name": name} if name else {})}


def erase(log, target, *parts):
    log.record(
        log.make(
            "personal-data-erased",
            target={"source": target.source, "id": target.id},
            parts=list(parts),
            legal_basis="GDPR 17(1)(b)",
        )
    )


@pytest.fixture
def story(log):
    """Both sources tell of nearly everything there is."""
    left_out = {
        "registered",
        "event-corrected",
        "event-retracted",
        "dispute-resolved",
        "personal-data-erased",
    }
    for source in (A, B):
        for cls in EVENT_TYPES.values():
            if cls.short_name not in left_out:
                log.post(cls.short_name, source=source, admin=True, **cls.examples[0])
    return log


def test_fields_that_nobody_claims_are_shown_in_the_words_for_that(log):
    shown = log.view()
    assert (shown.kind, shown.legal_character, shown.entry_mode) == ("unspecified", "undetermined", "unknown")
    assert (shown.term, shown.termination, shown.entry_into_force) == (None, None, None)


def test_it_says_what_it_stands_for(log):
    log.signed("2025-07-16")
    shown = log.view("2025-07-20")
    assert (shown.id, shown.version, shown.position, str(shown.on)) == ("pak-slv-2025", 2, 2, "2025-07-20")
    assert shown.recorded_at == "1970-01-01T00:00:02.000000Z"
    assert (shown.status, shown.status_label, shown.certain) == ("signed", "signed", True)
    assert (shown.since.date, shown.reason.positions) == ("2025-07-16", (2,))


def test_record_times_have_six_digits_of_a_second():
    assert record_time(1_767_323_045_000_006) == "2026-01-02T03:04:05.000006Z"


def test_registrations_add_up(log):
    log.registered(source=B, subjects=["health", "trade"], external_ids=["x/1"])
    log.registered(source="https://c.example/", subjects=["trade"], title="Memorandum")
    shown = log.view()
    assert (shown.subjects, shown.external_ids) == (("health", "trade"), ("x/1",))
    assert shown.title == {"en": "Letter of Intent"}
    assert shown.predicates["title.en"].claims == 3
    assert shown.predicates["title.en"].sources == 2


def test_behind_every_predicate_stands_the_event_whose_value_is_shown(log):
    claim = log.post("classified", kind="loi", cites=INFERRED, confidence="low")
    correction = log.correct(claim, kind="mou", cites=INFERRED, confidence="high")
    kind = log.view().predicates["kind"]
    assert (kind.by.event, kind.by.source, kind.by.id, kind.by.position) == ("classified", A, "e2", 2)
    assert (kind.by.corrections, kind.by.basis, kind.by.confidence) == (
        (correction.position,),
        "inferred",
        "high",
    )
    assert kind.by.cites[0].locator == "2"


def test_visibility_is_the_last_recorded_else_the_founding_one_else_public(empty):
    empty.registered(visibility="restricted")
    assert empty.view().visibility == "restricted"
    empty.registered(source=B, visibility="public")
    assert empty.view().visibility == "restricted"
    first = empty.post("visibility-changed", visibility="public", reason="Announced.")
    empty.post("visibility-changed", visibility="restricted", reason="Too early.")
    empty.correct(first, visibility="public", reason="Announced today.")
    assert empty.view().visibility == "restricted"
    empty.retract(empty.events[3])
    assert empty.view().visibility == "public"


def test_an_agreement_is_public_when_nobody_says_otherwise(log):
    assert log.view().visibility == "public"


def test_signatures_are_listed_by_party_and_signatories_by_source(log):
    signature = {"party": "pak", "actor": {"person": person(ONE, "Ada Sample")}, "capacity": "Minister"}
    log.post("signed", signatures=[signature], occurred="2025-07")
    log.post(
        "signed",
        source=B,
        signatures=[
            {"party": "slv", "ad_referendum": True},
            {"party": "pak", "actor": {"person": person(TWO)}},
        ],
        occurred="2025-07-16",
        place={"name": "San Salvador", "country": "SLV"},
    )
    pak, slv = log.view().signatures
    assert (pak.party, pak.date, pak.place.name, pak.counts) == ("pak", "2025-07-16", "San Salvador", True)
    assert [(one.by.source, one.actor.person.name, one.capacity) for one in pak.signatories] == [
        (B, None, None),
        (A, "Ada Sample", "Minister"),
    ]
    assert (slv.ad_referendum, slv.confirmed, slv.counts, slv.signatories[0].actor) == (
        True,
        None,
        False,
        None,
    )
    confirmation = log.post("signature-confirmed", party="slv", occurred="2025-08-01")
    slv = log.view().signatures[1]
    assert (slv.confirmed, slv.counts, slv.by[-1].position) == ("2025-08-01", True, confirmation.position)
    assert log.view().disputed == ()


def test_ratifications_force_and_registrations_are_shown(log):
    log.post("ratified", party="slv", form="approval", occurred="2025-11", instrument_date="2025-10-01")
    log.post("ratified", party="pak", form="ratification", occurred="2025-09")
    log.post("entered-into-force", date="2025-12-01", method="by exchange")
    log.post("treaty-registered", registry="UNTS", number="I-1", date="2026")
    shown = log.view("2025-11-30")
    assert [(one.party, one.form, one.date, one.instrument_date) for one in shown.ratifications] == [
        ("pak", "ratification", "2025-09", None),
        ("slv", "approval", "2025-11", "2025-10-01"),
    ]
    force = shown.entry_into_force
    assert (force.date, force.method, force.ahead, force.by[0].position) == (
        "2025-12-01",
        "by exchange",
        True,
        4,
    )
    assert not log.view("2025-12-01").entry_into_force.ahead
    assert [(one.registry, one.number, one.date) for one in shown.treaty_registrations] == [
        ("UNTS", "I-1", "2026")
    ]


def test_milestones_are_shown_by_day(log):
    log.post("provisional-application-ended", occurred="2026-01-31")
    log.post("provisionally-applied", from_="2025-08-01")
    log.post("text-adopted", occurred="2025-06")
    log.post("negotiation-opened", occurred="2025-03")
    log.post("negotiation-abandoned", occurred="2025-04")
    assert [(one.by.event, one.date) for one in log.view().milestones] == [
        ("negotiation-opened", "2025-03"),
        ("negotiation-abandoned", "2025-04"),
        ("text-adopted", "2025-06"),
        ("provisionally-applied", "2025-08-01"),
        ("provisional-application-ended", "2026-01-31"),
    ]


def test_the_term_is_shown_as_claimed_and_as_it_stands(log):
    log.post("term-set", start="2020", end="2020-12-31", auto_renew=True, renew_for="P1Y", notice="P3M")
    log.post("renewed", new_end="2022-12-31", occurred="2020-06", mode="express")
    log.post("non-renewal-notified", party="pak", occurred="2024-01-01")
    term = log.view("2024-06-01").term
    assert (term.start, term.end, term.renew_for, term.notice) == ("2020", "2020-12-31", "P1Y", "P3M")
    assert (term.current_end, term.tacit_renewals, term.stopped, term.notice_deadline) == (
        "2024-12-31",
        2,
        True,
        None,
    )
    assert [(one.new_end, one.mode) for one in term.renewals] == [("2022-12-31", "express")]
    assert [(one.party, one.occurred) for one in term.notices] == [("pak", "2024-01-01")]
    assert log.view("2023-06-01").term.notice_deadline == "2023-09-30"


def test_a_term_known_only_by_a_renewal_is_shown(log):
    log.post("renewed", new_end="2022-12-31", occurred="2020-06", mode="express")
    term = log.view().term
    assert (term.end, term.current_end, term.by, term.auto_renew) == (None, "2022-12-31", (), False)


def test_ends_suspensions_and_denunciations_are_shown(log):
    log.post("terminated", date="2030", ground="consent", survival_until="2031")
    log.post("superseded", by_id="another-one", date="2029")
    log.post("suspended", from_="2026-01-01", reason="Budget.")
    log.post("suspended", from_="2028-01-01")
    resumed = log.post("resumed", occurred="2026-06-01")
    log.post("denunciation-notified", party="pak", occurred="2027", effective="2028-06")
    log.post("denunciation-notified", party="slv", occurred="2028")
    log.post("denunciation-withdrawn", party="pak", occurred="2027-11")
    log.post("amended", amendment_id="a", summary={"en": "x"}, effective="2027", articles=["2"])
    shown = log.view("2027-06-01")
    assert (shown.termination.date, shown.termination.ground, shown.termination.survival_until) == (
        "2030",
        "consent",
        "2031",
    )
    assert [(one.by_id, one.date) for one in shown.supersessions] == [("another-one", "2029")]
    assert [(one.from_, one.resumed, one.reason, len(one.by)) for one in shown.suspensions] == [
        ("2026-01-01", "2026-06-01", "Budget.", 2),
        ("2028-01-01", None, None, 1),
    ]
    assert shown.suspensions[0].by[1].position == resumed.position
    assert [(one.party, one.effective, one.withdrawn, one.pending) for one in shown.denunciations] == [
        ("pak", "2028-06", "2027-11", True),
        ("slv", None, None, False),
    ]
    assert [(one.amendment_id, one.effective, one.articles) for one in shown.amendments] == [
        ("a", "2027", ("2",))
    ]


def test_an_area_is_removed_from_the_day_of_its_removal_until_it_is_taken_up_again(log):
    log.post("cooperation-area-added", area_id="a", label={"en": "a"}, state="agreed")
    log.post("cooperation-area-removed", area_id="a", occurred="2026-03-01", reason="x")
    log.post(
        "cooperation-area-added", source=B, area_id="a", label={"en": "a"}, state="agreed", occurred="2027"
    )
    log.post("cooperation-area-removed", area_id="b", occurred="2026-03-01", reason="x")
    removed = {
        day: [one.removed for one in log.view(day).areas]
        for day in ("2026-02-28", "2026-03-01", "2027-01-01")
    }
    assert removed == {"2026-02-28": [False, False], "2026-03-01": [True, True], "2027-01-01": [False, True]}
    a, b = log.view().areas
    assert (a.state, a.label, a.disputed, len(a.claims)) == ("agreed", {"en": "a"}, False, 3)
    assert (b.state, b.label) == ("unknown", None)


def test_institutions_are_shown_once_with_all_that_was_said(log):
    data = {"institution_id": "council", "party": "pak"}
    log.post("institution-linked", source=A, **data, name={"en": "Council"}, role="mentioned", cites=INFERRED)
    log.post(
        "institution-linked", source=B, **data, name={"en": "The Council"}, role="lead", established="2025-03"
    )
    log.post(
        "role-held", person=person(ONE, "Ada"), title={"en": "Head"}, institution_id="office", party="pak"
    )
    log.post("institution-linked", institution_id="office", name={"en": "Office"}, party="pak", role="lead")
    log.merge("institution", "council", "office")
    (council,) = log.view().institutions
    assert (council.name, council.role, council.established) == ({"en": "The Council"}, "lead", "2025-03")
    assert (council.merged_ids, len(council.claims)) == (("office",), 3)
    assert log.view().roles[0].institution_id == "council"


def test_offices_and_statements_are_shown_and_say_what_was_erased(log):
    role = log.post(
        "role-held", person=person(ONE, "Ada"), title={"en": "Envoy"}, party="pak", from_="2025-05", to="2026"
    )
    spoken = log.post(
        "statement-recorded",
        statement_id="s",
        speaker={"person": person(ONE, "Ada"), "on_behalf_of": "pak"},
        attribution="named",
        gist={"en": "A good step."},
        quoted=True,
        occurred="2025-07-16",
    )
    log.post(
        "statement-recorded", statement_id="t", attribution="analysts", gist={"en": "More."}, quoted=False
    )
    (office,), (said, analysts) = log.view().roles, log.view().statements
    assert (office.person.name, office.title, office.from_, office.to, office.erased) == (
        "Ada",
        {"en": "Envoy"},
        "2025-05",
        "2026",
        False,
    )
    assert (said.speaker.person.name, said.gist, said.occurred, said.quoted) == (
        "Ada",
        {"en": "A good step."},
        "2025-07-16",
        True,
    )
    assert (analysts.speaker, analysts.occurred, analysts.erased) == (None, None, False)
    erase(log, role, 1)
    erase(log, spoken, 1)
    (office,), (said, _) = log.view().roles, log.view().statements
    assert (office.person.person_id, office.person.name, office.title, office.from_) == (
        ONE,
        None,
        None,
        None,
    )
    assert (office.erased, office.person.erased) == (True, True)
    assert (said.gist, said.erased, said.speaker.person.erased, said.speaker.on_behalf_of) == (
        None,
        True,
        True,
        "pak",
    )


def test_a_signatory_who_was_erased_is_told_from_one_who_was_not(log):
    signatures = [
        {"party": "pak", "actor": {"person": person(ONE, "Ada")}, "capacity": "Minister"},
        {"party": "slv", "actor": {"person": person(TWO, "Bo")}},
    ]
    signed = log.post("signed", signatures=signatures, occurred="2025")
    before = log.view()
    erase(log, signed, 1)
    pak, slv = log.view().signatures
    assert [(one.parts, one.by.position) for one in log.view().erased] == [((1,), signed.position)]
    assert (pak.signatories[0].actor.person.name, pak.signatories[0].capacity, pak.signatories[0].erased) == (
        None,
        None,
        True,
    )
    assert (slv.signatories[0].actor.person.name, slv.signatories[0].erased) == ("Bo", False)
    assert (log.view().status, log.view().reason) == (before.status, before.reason)


def test_an_erased_participant_is_null_also_in_what_was_said(log):
    participants = [{"person": person(ONE, "Ada")}, {"institution_id": "office"}]
    held = log.post(
        "engagement-held", engagement_id="v", kind="visit", start="2025", participants=participants
    )
    erase(log, held, 1)
    (visit,) = log.view().engagements
    assert [one.person and (one.person.name, one.person.erased) for one in visit.participants] == [
        (None, True),
        None,
    ]
    assert visit.claims[0].says["participants"][0] == {
        "person": {"person_id": ONE, "name": None, "erased": True}
    }


def test_facts_documents_publications_and_links_are_shown(log):
    about = {"fact_id": "reserve", "about": "slv", "predicate": "reserve", "as_of": "2025-07~"}
    quantity = {"value": "6237", "unit": "BTC", "comparator": "gt"}
    log.post("fact-recorded", quantity=quantity, **about)
    log.post("fact-recorded", source=B, quantity={**quantity, "value": "7000"}, **about)
    log.post("fact-recorded", fact_id="since", about="slv", predicate="since", date="2021", outlook=True)
    sha = "0" * 64
    log.post("document-attached", doc_id="text", kind="text", lang="en", authentic=True, sha256=sha)
    log.post("publication-recorded", publication_id="p", published="2025-07", title="Report")
    log.post("linked", other_id="framework-2024", relation="implements")
    shown = log.view()
    reserve, since = shown.facts
    assert (reserve.quantity.value, reserve.as_of, reserve.disputed, reserve.sources) == (
        "6237",
        "2025-07~",
        True,
        1,
    )
    assert [claim.says["quantity"]["value"] for claim in reserve.claims] == ["6237", "7000"]
    assert (since.date, since.outlook, since.text, since.truth) == ("2021", True, None, None)
    assert [(one.doc_id, one.authentic, one.url) for one in shown.documents] == [("text", True, None)]
    assert [(one.publication_id, one.published, one.title) for one in shown.publications] == [
        ("p", "2025-07", "Report")
    ]
    assert [(one.other_id, one.relation, one.by.position) for one in shown.links] == [
        ("framework-2024", "implements", 7)
    ]


def test_everything_can_be_written_as_json_and_read_again(story):
    shown = story.view()
    written = msgspec.json.encode(shown)
    assert msgspec.json.decode(written, type=type(shown)) == shown


def test_every_event_that_says_something_is_behind_some_item(story):
    positions = set()

    def collect(value):
        if isinstance(value, dict):
            positions.update([value["position"]] if "position" in value and "source" in value else [])
            for inner in value.values():
                collect(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                collect(inner)

    collect(msgspec.to_builtins(story.view()))
    unseen = {
        story.events[position - 1].data.short_name for position in range(1, story.state.version + 1)
    } - {story.events[position - 1].data.short_name for position in positions}
    assert unseen == {"visibility-changed"}


def test_erasing_everybody_changes_no_status_no_dispute_and_no_claim(story):
    before, days, claims = story.view(), timeline(story.state), claims_view(story.state)
    for event in story.events[:]:
        people = len(split(event.type, story.body(event), {}, "p")) - 1
        if people:
            erase(story, event, *range(1, people + 1))
    after = story.view()
    assert len(after.erased) == 8
    assert (timeline(story.state), claims_view(story.state)) == (days, claims)
    changed = {change.field.split("[")[0] for change in compare(before, after)}
    assert changed == {"signatures", "engagements", "roles", "statements", "erased"}
