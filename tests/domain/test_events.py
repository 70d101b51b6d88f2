"""Every event type: its fields, what it claims, what it may claim once, whom it names, what it can get wrong."""

import copy

import msgspec
import pytest

from registry.domain.codec import typed
from registry.domain.edtf import parse
from registry.domain.events import EVENT_TYPES, Event, FactRecorded, FactValue, Fault, Signed, Term
from registry.domain.events.event import ends_before
from registry.domain.shapes import fields_of
from registry.domain.values import Duration, Place, Q, T
from registry.errors import Invalid

PERSON = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"

# The fields of every type; what may be left out has a question mark.
VOCABULARY = {
    "registered": "title parties kind? legal_character? entry_mode? subjects? external_ids? visibility?",
    "classified": "kind? legal_character? entry_mode?",
    "negotiation-opened": "occurred venue?",
    "text-adopted": "occurred languages?",
    "negotiation-abandoned": "occurred reason?",
    "title-given": "title",
    "visibility-changed": "visibility reason",
    "cooperation-area-added": "area_id label state occurred?",
    "cooperation-area-removed": "area_id occurred reason",
    "linked": "other_id relation",
    "signed": "signatures occurred place?",
    "signature-confirmed": "party occurred",
    "ratified": "party form occurred instrument_date?",
    "provisionally-applied": "from",
    "provisional-application-ended": "occurred",
    "entered-into-force": "date method?",
    "treaty-registered": "registry number date",
    "term-set": "start? end? auto_renew renew_for? notice?",
    "amended": "amendment_id summary effective articles?",
    "renewed": "new_end? occurred mode",
    "non-renewal-notified": "party occurred",
    "suspended": "from reason?",
    "resumed": "occurred",
    "denunciation-notified": "party occurred effective?",
    "denunciation-withdrawn": "party occurred",
    "terminated": "date ground survival_until?",
    "superseded": "by_id date",
    "engagement-planned": "engagement_id kind label? when? place? participants? topics? certainty",
    "engagement-held": "engagement_id kind label? start end? place? host? participants? topics? outcome?",
    "engagement-rescheduled": "engagement_id occurred when",
    "engagement-cancelled": "engagement_id occurred reason?",
    "commitment-made": "commitment_id text by strength",
    "follow-up-scheduled": "follow_up_id text commitment_id? due owner?",
    "follow-up-progressed": "follow_up_id occurred note? new_due?",
    "follow-up-completed": "follow_up_id occurred evidence?",
    "follow-up-dropped": "follow_up_id occurred reason",
    "institution-linked": "institution_id name party role established?",
    "role-held": "person title institution_id? party from? to?",
    "publication-recorded": "publication_id publisher? title? url? published? retrieved? sha256? lang?",
    "statement-recorded": "statement_id speaker? attribution gist quoted occurred?",
    "fact-recorded": "fact_id about predicate quantity? text? truth? date? as_of? outlook?",
    "document-attached": "doc_id kind lang? authentic? sha256 url?",
    "event-corrected": "target replacement reason kind",
    "event-retracted": "target reason",
    "dispute-resolved": "predicate chosen rationale",
    "duplicate-merged": "what kept_id dropped_id",
    "agreement-retracted": "reason",
    "personal-data-erased": "target parts legal_basis",
}

# What the first example of each type claims, and what else its source may claim only once.
CLAIMED = {
    "registered": ("title.en kind legal_character entry_mode", "registered:"),
    "classified": ("kind legal_character entry_mode", ""),
    "title-given": ("title.es", ""),
    "cooperation-area-added": (
        "area.digital-identity.state",
        "cooperation-area-added:digital-identity",
    ),
    "cooperation-area-removed": ("", "cooperation-area-removed:crypto-mining"),
    "signed": (
        "signature.pak.date signature.pak.place signature.slv.date signature.slv.place",
        "signed:pak signed:slv",
    ),
    "signature-confirmed": ("", "signature-confirmed:slv"),
    "ratified": ("", "ratified:pak"),
    "entered-into-force": ("entry-into-force", ""),
    "term-set": ("term", ""),
    "terminated": ("termination", ""),
    "amended": ("", "amended:amendment-1"),
    "engagement-planned": ("", "engagement-planned:follow-on-meeting"),
    "engagement-held": ("", "engagement-held:visit-1"),
    "engagement-rescheduled": ("", "engagement-rescheduled:follow-on-meeting"),
    "engagement-cancelled": ("", "engagement-cancelled:follow-on-meeting"),
    "commitment-made": ("", "commitment-made:explore-blockchain"),
    "follow-up-scheduled": ("", "follow-up-scheduled:draft-work-plan"),
    "follow-up-progressed": ("", "follow-up-progressed:draft-work-plan"),
    "follow-up-completed": ("", "follow-up-completed:draft-work-plan"),
    "follow-up-dropped": ("", "follow-up-dropped:draft-work-plan"),
    "statement-recorded": ("", "statement-recorded:strategic-relationship"),
    "fact-recorded": ("fact.btc-price", "fact-recorded:btc-price"),
    "document-attached": ("", "document-attached:text-en"),
}

NAMED = {
    "signed": "/signatures/0/party /signatures/1/party",
    "signature-confirmed": "/party",
    "ratified": "/party",
    "non-renewal-notified": "/party",
    "denunciation-notified": "/party",
    "denunciation-withdrawn": "/party",
    "engagement-planned": "/participants/0/on_behalf_of",
    "engagement-held": "/host /participants/0/on_behalf_of",
    "commitment-made": "/by/0 /by/1",
    "follow-up-scheduled": "/owner",
    "institution-linked": "/party",
    "role-held": "/party",
    "statement-recorded": "/speaker/on_behalf_of",
    "event-corrected": "/replacement/signatures/0/party /replacement/signatures/1/party",
}

SHORT_NAMES = sorted(VOCABULARY)


def example(name, /, **changes):
    body = copy.deepcopy(EVENT_TYPES[f"agreement.{name}.v1"].examples[0])
    body.update(changes)
    return {field: value for field, value in body.items() if value is not ...}


def event(name, /, **changes):
    return typed(f"agreement.{name}.v1", example(name, **changes))


def faults(name, /, **changes):
    return [(fault.rule, fault.pointer) for fault in event(name, **changes).faults()]


def test_the_vocabulary_is_complete():
    assert set(EVENT_TYPES) == {f"agreement.{name}.v1" for name in VOCABULARY}


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_a_type_has_its_fields_and_says_which_may_be_left_out(name):
    cls = EVENT_TYPES[f"agreement.{name}.v1"]
    own = [field for field in fields_of(cls) if field.encode_name not in ("cites", "confidence")]

    assert [field.encode_name + ("" if field.required else "?") for field in own] == VOCABULARY[name].split()
    assert cls.short_name == name
    assert cls.__name__ == "".join(word.capitalize() for word in name.split("-"))
    assert cls.__doc__


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_a_field_that_is_required_cannot_be_left_out(name):
    for field in VOCABULARY[name].split():
        body = example(name, **{field: ...})
        if field.endswith("?"):
            continue
        with pytest.raises(Invalid) as refused:
            typed(f"agreement.{name}.v1", body)
        assert [flaw.pointer for flaw in refused.value.flaws] == [f"/{field}"]


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_an_event_with_its_required_fields_alone_is_an_event(name):
    required = [field for field in VOCABULARY[name].split() if not field.endswith("?")]
    body = {field: value for field, value in example(name).items() if field in required}

    assert type(typed(f"agreement.{name}.v1", body)) is EVENT_TYPES[f"agreement.{name}.v1"]


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_a_field_that_nobody_knows_is_refused_with_its_place(name):
    with pytest.raises(Invalid) as refused:
        event(name, colour="green")

    assert [(flaw.pointer, flaw.detail) for flaw in refused.value.flaws] == [
        ("/colour", "there is no field 'colour' here")
    ]


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_an_event_claims_its_predicates(name):
    predicates, keys = CLAIMED.get(name, ("", ""))

    assert [predicate for predicate, _ in event(name).claims()] == predicates.split()
    assert list(event(name).keys()) == keys.split()


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_an_event_tells_every_party_it_names_and_where(name):
    named = list(event(name).parties_named())

    assert [pointer for pointer, _ in named] == NAMED.get(name, "").split()
    assert {party for _, party in named} <= {"pak", "slv"}


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_an_event_never_changes_and_can_be_hashed_or_compared(name):
    one = event(name)

    assert one == event(name)
    with pytest.raises(AttributeError):
        one.confidence = "low"
    for _, value in one.claims():
        assert value == value  # noqa: PLR0124 - that it compares at all
        hash(value)


@pytest.mark.parametrize(
    ("name", "part_id"),
    [
        ("engagement-held", "visit-1"),
        ("document-attached", "text-en"),
        ("amended", "amendment-1"),
        ("signed", None),
        ("institution-linked", None),
    ],
)
def test_an_event_knows_the_part_it_is_about(name, part_id):
    assert event(name).part_id == part_id


# what every event may carry


def test_a_claim_is_inferred_when_every_citation_says_so():
    stated, inferred = ({"publication_id": "r", "basis": basis} for basis in ("stated", "inferred"))

    assert not event("term-set").inferred
    assert not event("term-set", cites=[stated, inferred]).inferred
    assert event("term-set", cites=[inferred, inferred]).inferred


def test_confidence_is_one_of_three_words():
    assert event("term-set", confidence="medium").confidence == "medium"
    with pytest.raises(Invalid, match="this is no"):
        event("term-set", confidence="certain")


# instrument


def test_three_parties_are_one_too_many():
    parties = [{"id": id_, "kind": "state", "name": {"en": id_}} for id_ in ("pak", "slv", "gbr")]

    for given in (parties, parties[:1], []):
        with pytest.raises(Invalid) as refused:
            event("registered", parties=given)
        assert [flaw.pointer for flaw in refused.value.flaws] == ["/parties"]


def test_the_two_parties_are_two():
    same = [{"id": "pak", "kind": "state", "name": {"en": name}} for name in ("Pakistan", "Islamabad")]

    assert faults("registered", parties=same) == [("parties-not-distinct", "/parties/1/id")]
    assert faults("registered") == []


def test_a_registration_claims_only_what_it_says():
    bare = event("registered", kind=..., legal_character=..., entry_mode=..., title={"en": "A", "es": "B"})

    assert dict(bare.claims()) == {"title.en": "A", "title.es": "B"}


def test_a_classification_of_nothing_is_an_empty_claim():
    assert faults("classified", kind=..., legal_character=..., entry_mode=...) == [("empty-claim", "")]
    assert faults("classified", kind=..., legal_character=...) == []


def test_the_state_of_an_area_is_claimed_without_its_label_and_day():
    one = event("cooperation-area-added", label={"en": "eID"}, occurred=...)

    assert list(one.claims()) == [("area.digital-identity.state", "prospective")]


# signature


def test_a_signature_claims_its_day_and_its_place_for_each_party():
    claims = dict(event("signed").claims())

    assert claims["signature.pak.date"] == claims["signature.slv.date"] == parse("2025-07-16")
    assert claims["signature.slv.place"] == Place(name="San Salvador", country="SLV")


def test_a_signature_without_a_place_claims_none():
    assert [
        predicate for predicate, _ in event("signed", place=..., signatures=[{"party": "slv"}]).claims()
    ] == ["signature.slv.date"]


def test_a_party_signs_once_in_one_event():
    twice = [{"party": "pak"}, {"party": "pak", "capacity": "Minister"}]

    assert faults("signed", signatures=twice) == [("party-repeated", "/signatures/1/party")]


def test_whom_a_signatory_acted_for_is_a_party_too():
    signatures = [{"party": "pak", "actor": {"on_behalf_of": "slv"}}]

    assert list(event("signed", signatures=signatures).parties_named()) == [
        ("/signatures/0/party", "pak"),
        ("/signatures/0/actor/on_behalf_of", "slv"),
    ]


# term


def test_a_term_claims_all_that_was_said_of_it():
    assert dict(event("term-set").claims())["term"] == Term(
        start=parse("2025-07-16"),
        end=parse("2030-07-15"),
        auto_renew=True,
        renew_for=Duration("P5Y", 60, 0),
        notice=Duration("P6M", 6, 0),
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"end": "2024"}, [("end-before-start", "/end")]),
        ({"end": "2025"}, []),
        ({"start": "../2025", "end": "1900"}, []),
        ({"end": "2025-07-15", "start": "2025-07-16"}, [("end-before-start", "/end")]),
        ({"end": ...}, [("auto-renew-incomplete", "/end")]),
        ({"end": "2030/.."}, [("auto-renew-incomplete", "/end")]),
        ({"renew_for": ...}, [("auto-renew-incomplete", "/renew_for")]),
        ({"renew_for": "P0D"}, [("auto-renew-incomplete", "/renew_for")]),
        (
            {"end": ..., "renew_for": ...},
            [("auto-renew-incomplete", "/end"), ("auto-renew-incomplete", "/renew_for")],
        ),
        ({"end": ..., "renew_for": ..., "auto_renew": False}, []),
        ({"renew_for": "P0D", "auto_renew": False}, []),
    ],
)
def test_a_term_ends_after_it_starts_and_renews_itself_only_from_an_end_by_a_period(changes, expected):
    assert faults("term-set", **changes) == expected


@pytest.mark.parametrize(
    ("start", "end", "certainly"),
    [
        ("2025-07-16", "2025-07-15", True),
        ("2025-07-16", "2025-07-16", False),
        ("2025-08", "2025-07", True),
        ("2025-07-16", "2025-07", False),
        ("2025-07/..", "2025-06", True),
        ("../2025", "1900", False),
        ("2025", "1900/..", False),
        (None, "2025", False),
        ("2025", None, False),
    ],
)
def test_an_end_is_before_a_start_only_when_it_certainly_is(start, end, certainly):
    assert ends_before(start and parse(start), end and parse(end)) is certainly


# engagements, follow-ups, who


def test_an_engagement_ends_after_it_starts():
    assert faults("engagement-held", start="2025-07-16", end="2025-07-15") == [("end-before-start", "/end")]
    assert faults("engagement-held", start="2025-07-16", end=...) == []


def test_an_engagement_without_host_and_participants_names_no_party():
    assert list(event("engagement-held", host=..., participants=...).parties_named()) == []


def test_a_commitment_is_made_by_somebody():
    with pytest.raises(Invalid) as refused:
        event("commitment-made", by=[])

    assert [flaw.pointer for flaw in refused.value.flaws] == ["/by"]
    assert list(event("follow-up-scheduled", owner=...).parties_named()) == []


def test_an_office_that_ends_before_it_starts_is_refused_before_it_is_decided():
    with pytest.raises(Invalid, match=r"no agreement\.role-held"):
        event("role-held", **{"from": "2025", "to": "2024"})


def test_a_speaker_without_a_party_names_none():
    assert list(event("statement-recorded", speaker=...).parties_named()) == []


# facts


def fact(**given):
    return event("fact-recorded", quantity=..., **given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [("empty-claim", "")]),
        ({"truth": False}, []),
        ({"date": "2021"}, []),
        ({"text": {"en": "x"}}, []),
        ({"truth": True, "date": "2021"}, [("one-value", "/date")]),
        ({"text": {"en": "x"}, "truth": True, "date": "2021"}, [("one-value", "/truth")]),
    ],
)
def test_a_fact_gives_exactly_one_value(given, expected):
    assert [(fault.rule, fault.pointer) for fault in fact(**given).faults()] == expected


def value(**given):
    ((_, claimed),) = fact(**given).claims()
    return claimed


def quantity(number, **more):
    return {"value": number, "unit": "BTC", "comparator": "gt", **more}


def test_quantities_are_equal_as_numbers():
    def amount(number, **more):
        ((_, claimed),) = event("fact-recorded", quantity=quantity(number, **more)).claims()
        return claimed

    assert amount("6237") == amount("6237.0")
    assert hash(amount("6237")) == hash(amount("6237.0"))
    assert amount("6237") != amount("6238")
    assert amount("6237") != amount("6237", unit="USD")
    assert amount("6237") != amount("6237", comparator="eq")
    assert amount("6237") != amount("6237", per="USD")
    assert amount("1") != value(truth=True)


def test_facts_are_compared_by_what_they_say_about_what():
    assert value(truth=True) == value(truth=True, as_of="2025", confidence="low")
    assert value(truth=True) != value(truth=False)
    assert value(truth=True) != value(truth=True, about="slv")
    assert value(truth=True) != value(truth=True, predicate="cost")
    assert value(text={"en": "a", "es": "b"}) == value(text={"es": "b", "en": "a"})
    assert hash(value(text={"en": "a"})) != hash(value(text={"en": "b"}))
    assert value(date="2021") != value(date="2021~")
    assert value(truth=True) != "truth"


def test_a_fact_is_shown_as_it_was_posted():
    shown = FactValue(about="slv", predicate="reserve", quantity=Q(value="1.0", unit="BTC", comparator="gt"))

    assert msgspec.to_builtins(shown)["quantity"]["value"] == "1.0"
    assert msgspec.to_builtins(FactValue(about="a", predicate="b", truth=True)) == {
        "about": "a",
        "predicate": "b",
        "truth": True,
    }


def test_an_outlook_claims_but_is_never_disputed():
    outlook = fact(text={"en": "x"}, outlook=True)

    assert not outlook.disputable
    assert [predicate for predicate, _ in outlook.claims()] == ["fact.btc-price"]
    assert fact(truth=True).disputable
    assert event("signed").disputable


# corrections


def test_a_correction_has_the_faults_and_parties_of_its_replacement():
    replacement = {"signatures": [{"party": "pak"}, {"party": "pak"}], "occurred": "2025"}

    correction = event("event-corrected", replacement=replacement)

    assert type(correction.replacing) is Signed
    assert list(correction.faults()) == [
        Fault("party-repeated", "/replacement/signatures/1/party", "a party signs once in one event")
    ]
    assert list(correction.claims()) == list(correction.keys()) == []


def test_what_replaces_a_fault_of_the_whole_points_at_the_replacement():
    target = {"source": "/a", "id": "1", "type": "agreement.classified.v1"}

    assert faults("event-corrected", target=target, replacement={}) == [("empty-claim", "/replacement")]


@pytest.mark.parametrize(
    "predicate",
    [
        "kind",
        "legal_character",
        "entry_mode",
        "title.en",
        "title.pt-BR",
        "signature.pak.date",
        "signature.pak.place",
        "entry-into-force",
        "term",
        "termination",
        "area.digital-identity.state",
        "fact.btc-price",
    ],
)
def test_every_predicate_can_be_resolved(predicate):
    assert event("dispute-resolved", predicate=predicate).predicate == predicate


@pytest.mark.parametrize(
    "predicate",
    ["", "status", "title", "title.EN", "signature.pak", "area.x", "fact.A", "terms", "kind\n", "x.kind"],
)
def test_what_is_no_predicate_cannot_be_resolved(predicate):
    with pytest.raises(Invalid) as refused:
        event("dispute-resolved", predicate=predicate)

    assert [flaw.pointer for flaw in refused.value.flaws] == ["/predicate"]


def test_every_predicate_that_is_claimed_can_be_resolved():
    for name in SHORT_NAMES:
        for predicate, _ in event(name).claims():
            assert event("dispute-resolved", predicate=predicate)


def test_a_thing_is_not_merged_into_itself():
    assert faults("duplicate-merged", dropped_id="meeting-b") == [("merge-loops", "/dropped_id")]
    assert faults("duplicate-merged") == []


@pytest.mark.parametrize("parts", [[], [-1], [65_536], ["1"], [1.0], [True]])
def test_the_parts_of_an_erasure_are_numbers_of_parts(parts):
    with pytest.raises(Invalid):
        event("personal-data-erased", parts=parts)
    assert event("personal-data-erased", parts=[0, 65_535]).parts == (0, 65_535)


# personal values

PERSONAL = {
    "signed": ["signatures/*/actor/person/name", "signatures/*/capacity"],
    "engagement-planned": ["participants/*/person/name"],
    "engagement-held": ["participants/*/person/name"],
    "role-held": ["/person/name", "/title", "/from", "/to"],
    "statement-recorded": ["/speaker/person/name", "/gist"],
}


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_a_type_declares_where_its_personal_values_lie(name):
    cls = EVENT_TYPES[f"agreement.{name}.v1"]

    assert [f"{owned.at}/{each}" for owned in cls.personal for each in owned.values] == PERSONAL.get(name, [])


def test_wherever_a_type_has_a_person_the_name_is_declared_personal():
    def persons(shape):
        return "person_id" in str(shape)

    for name in SHORT_NAMES:
        cls = EVENT_TYPES[f"agreement.{name}.v1"]
        holders = [field.encode_name for field in fields_of(cls) if persons(field.type)]
        declared = {f"{owned.at}/{owned.person}".lstrip("/").split("/")[0] for owned in cls.personal}
        assert set(holders) == declared


def test_an_event_of_nothing_claims_nothing():
    nothing = Event()

    assert list(nothing.claims()) == list(nothing.keys()) == []
    assert list(nothing.parties_named()) == list(nothing.faults()) == []
    assert Event.personal_at({}) == ()


def test_an_example_uses_every_field_of_its_type():
    for name in SHORT_NAMES:
        used = {field for body in EVENT_TYPES[f"agreement.{name}.v1"].examples for field in body}
        assert {field.rstrip("?") for field in VOCABULARY[name].split()} <= used


def test_texts_are_given_by_language():
    assert T.__metadata__[0].min_length == 1
    assert FactRecorded.part == "fact_id"
