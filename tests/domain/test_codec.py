import copy
import json
from types import MappingProxyType

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.codec import (
    ERASED_TEXT,
    MARKER,
    Joined,
    as_stored,
    canonical,
    join,
    known,
    names_in_texts,
    owners_of,
    recorded_event,
    same_content,
    split,
    typed,
)
from registry.domain.events import EVENT_TYPES, Event, EventCorrected, RoleHeld, Signed, StatementRecorded
from registry.domain.events.event import OLDER_VERSIONS, Owned, Upcast, event_type
from registry.domain.pointers import pointer, tokens_of, value_at
from registry.domain.values import Person
from registry.errors import Invalid

SIGNED = "agreement.signed.v1"
CORRECTED = "agreement.event-corrected.v1"
PRINCIPAL = "3d3c7f2e-8a55-4d55-9b0a-9f0f5a3b7c33"
ANA = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"
BEA = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b22"
CAI = "9b0d6c2e-1111-4222-8333-444455556666"


def example(name, **changes):
    body = copy.deepcopy(EVENT_TYPES[f"agreement.{name}.v1"].examples[0])
    body.update(changes)
    return {field: value for field, value in body.items() if value is not ...}


def person(id_, name=None):
    return {"person_id": id_} | ({"name": name} if name else {})


def parts_of(name, body, attrs=None):
    whole, *parts = split(name, body, attrs or {}, PRINCIPAL)
    return json.loads(whole), [json.loads(part) for part in parts]


def joined_without(name, body, *gone, attrs=None):
    whole, *parts = split(name, body, attrs or {}, PRINCIPAL)
    return join(whole, {k: part for k, part in enumerate(parts, 1) if k not in gone})


@pytest.fixture
def signed_by_two():
    return example(
        "signed",
        signatures=[
            {"party": "pak", "actor": {"person": person(ANA, "Ana Example")}, "capacity": "Minister"},
            {"party": "slv", "actor": {"person": person(BEA, "Bea Example")}},
        ],
    )


@pytest.fixture
def held_office():
    return example("role-held")


# typed


@pytest.mark.parametrize(("name", "cls"), EVENT_TYPES.items())
def test_every_example_is_an_event_of_its_type(name, cls):
    for body in cls.examples:
        event = typed(name, body)

        assert type(event) is cls
        assert list(event.faults()) == []


def test_a_type_that_nobody_knows_is_refused():
    assert known(SIGNED)
    assert not known("agreement.signed.v9")
    with pytest.raises(Invalid, match=r"no event type 'agreement\.signed\.v9'"):
        typed("agreement.signed.v9", {})


@pytest.mark.parametrize(
    ("name", "changes", "place"),
    [
        ("signed", {"confidence": None}, "/confidence"),
        ("signed", {"place": {"name": "x", "country": None}}, "/place/country"),
        ("signed", {"cites": [None]}, "/cites/0"),
        ("event-corrected", {"replacement": {"occurred": None}}, "/replacement/occurred"),
    ],
)
def test_null_is_refused_wherever_it_stands(name, changes, place):
    with pytest.raises(Invalid) as refused:
        typed(f"agreement.{name}.v1", example(name, **changes))

    assert [(flaw.pointer, flaw.detail) for flaw in refused.value.flaws] == [
        (place, "leave out a field that says nothing")
    ]


def test_data_that_is_null_is_refused():
    with pytest.raises(Invalid):
        typed(SIGNED, None)


def test_the_word_null_in_a_text_is_a_word():
    assert typed("agreement.agreement-retracted.v1", {"reason": "null and void"}).reason == "null and void"


@pytest.mark.parametrize(
    "type_",
    ["agreement.unknown.v1", CORRECTED, "agreement.event-retracted.v1", "agreement.personal-data-erased.v1"],
)
def test_a_correction_names_the_type_of_the_event_first_corrected(type_):
    target = {"source": "/a", "id": "1", "type": type_}

    with pytest.raises(Invalid) as refused:
        typed(CORRECTED, example("event-corrected", target=target))

    assert [flaw.pointer for flaw in refused.value.flaws] == ["/target/type"]


def test_a_replacement_has_the_shape_of_the_type_it_replaces():
    replacement = {"signatures": [{"party": "pak"}, {"party": "S L V"}], "occurred": "2025"}

    with pytest.raises(Invalid) as refused:
        typed(CORRECTED, example("event-corrected", replacement=replacement))

    assert [flaw.pointer for flaw in refused.value.flaws] == ["/replacement/signatures/1/party"]


# split


def test_the_worked_event_is_split_byte_for_byte(shared):
    worked = json.loads((shared / "vectors" / "leaf.json").read_text())
    posted = worked["posted"]

    parts = split(posted["type"], posted["data"], {"correlationid": "story-1"}, PRINCIPAL)

    assert [part.decode() for part in parts] == [part["data_utf8"] for part in worked["parts"]]


def test_the_parts_of_an_event_are_canonical_and_hold_each_value_once(signed_by_two):
    whole, *parts = split(SIGNED, signed_by_two, {"correlationid": "c"}, PRINCIPAL)

    assert parts == [
        b'{"/signatures/0/actor/person/name":"Ana Example","/signatures/0/capacity":"Minister"}',
        b'{"/signatures/1/actor/person/name":"Bea Example"}',
    ]
    assert whole == canonical(json.loads(whole))
    assert b"Example" not in whole
    assert b"Minister" not in whole
    assert json.loads(whole)["attrs"] == {"correlationid": "c"}
    assert json.loads(whole)["principal"] == PRINCIPAL


def test_an_event_without_persons_is_one_part():
    body = example("terminated")

    assert split("agreement.terminated.v1", body, {}, PRINCIPAL) == (
        canonical({"attrs": {}, "data": body, "principal": PRINCIPAL}),
    )


def test_posted_data_is_left_as_it_was(signed_by_two):
    before = copy.deepcopy(signed_by_two)

    split(SIGNED, signed_by_two, {}, PRINCIPAL)

    assert signed_by_two == before


def test_persons_are_numbered_as_they_first_appear_in_the_canonical_data():
    late_in_the_list = [{"person": person(id_, f"{id_[0]}.")} for id_ in (BEA, ANA, BEA, CAI)]
    body = example("engagement-held", participants=late_in_the_list)

    _, parts = parts_of("agreement.engagement-held.v1", body)

    assert [sorted(part) for part in parts] == [
        ["/participants/0/person/name", "/participants/2/person/name"],
        ["/participants/1/person/name"],
        ["/participants/3/person/name"],
    ]


def test_the_tenth_element_of_a_list_comes_after_the_ninth():
    many = [{"person": person(f"{i:08x}-0000-4000-8000-000000000000", f"P{i}")} for i in range(11)]

    _, parts = parts_of("agreement.engagement-held.v1", example("engagement-held", participants=many))

    assert [list(part.values()) for part in parts] == [[f"P{i}"] for i in range(11)]


def test_the_same_person_in_one_event_has_one_part():
    signatures = [{"party": party, "actor": {"person": person(ANA, "Ana")}} for party in ("pak", "slv")]

    _, parts = parts_of(SIGNED, example("signed", signatures=signatures))

    assert parts == [{"/signatures/0/actor/person/name": "Ana", "/signatures/1/actor/person/name": "Ana"}]


def test_a_person_with_an_id_alone_needs_no_part():
    signatures = [
        {"party": "pak", "actor": {"person": person(ANA)}},
        {"party": "slv", "capacity": "President"},
    ]

    whole, parts = parts_of(SIGNED, example("signed", signatures=signatures))

    assert parts == []
    assert whole["data"]["signatures"] == signatures


def test_a_capacity_belongs_to_the_person_even_without_a_name():
    signatures = [{"party": "pak", "actor": {"person": person(ANA)}, "capacity": "Minister"}]

    _, parts = parts_of(SIGNED, example("signed", signatures=signatures))

    assert parts == [{"/signatures/0/capacity": "Minister"}]


def test_a_whole_text_in_several_languages_goes_to_the_part(held_office):
    held_office["title"] = {"en": "Minister", "es": "Ministra"}

    whole, parts = parts_of("agreement.role-held.v1", held_office)

    assert parts == [
        {
            "/from": "2025-05",
            "/person/name": "A. Signatory",
            "/title": {"en": "Minister", "es": "Ministra"},
            "/to": "2026/..",
        }
    ]
    assert whole["data"]["title"] == {MARKER: 1}
    assert whole["data"]["party"] == "pak"


def test_what_a_named_speaker_said_is_personal_and_what_analysts_said_is_not():
    named, analysts = StatementRecorded.examples

    assert parts_of("agreement.statement-recorded.v1", named)[1] == [
        {"/gist": named["gist"], "/speaker/person/name": "A. Signatory"}
    ]
    assert parts_of("agreement.statement-recorded.v1", analysts)[1] == []


def test_the_persons_of_a_replacement_are_those_of_its_type(signed_by_two):
    body = example("event-corrected", replacement=signed_by_two)

    _, parts = parts_of(CORRECTED, body)

    assert [sorted(part) for part in parts] == [
        ["/replacement/signatures/0/actor/person/name", "/replacement/signatures/0/capacity"],
        ["/replacement/signatures/1/actor/person/name"],
    ]


# join


def test_all_parts_together_give_what_was_posted(signed_by_two):
    joined = joined_without(SIGNED, signed_by_two, attrs={"time": "2025-07-16T10:00:00Z"})

    assert joined == Joined({"time": "2025-07-16T10:00:00Z"}, signed_by_two, PRINCIPAL)
    assert recorded_event(SIGNED, joined) == typed(SIGNED, signed_by_two)


def test_an_erased_part_leaves_its_number_where_its_values_were(signed_by_two):
    joined = joined_without(SIGNED, signed_by_two, 1)

    first, second = joined.body["signatures"]
    assert first["capacity"] == first["actor"]["person"]["name"] == {MARKER: 1}
    assert second == signed_by_two["signatures"][1]
    assert joined.erased == (1,)
    assert joined.pointers_erased == ("/signatures/0/actor/person/name", "/signatures/0/capacity")


def test_a_text_that_looks_like_a_marker_is_a_text():
    body = {"reason": 'the word "$part" in quotes'}

    joined = joined_without("agreement.agreement-retracted.v1", body)

    assert joined.body == body
    assert joined.erased == ()


@pytest.mark.parametrize("event", EVENT_TYPES.values(), ids=lambda event: event.type)
def test_what_is_passed_on_as_it_is_stored_is_what_join_gives(event):
    for body in event.examples:
        part0, *parts = split(event.type, body, {"time": "2025-07-16T10:00:00Z"}, PRINCIPAL)
        passed_on = as_stored(part0)
        if parts:
            assert passed_on is None
        else:
            whole = join(part0, {})
            assert msgspec.json.encode(passed_on.body) == canonical(whole.body)
            assert msgspec.structs.replace(whole, body=None) == Joined(
                passed_on.attrs, None, passed_on.principal
            )
            assert passed_on.erased == passed_on.withheld == ()
    assert as_stored(None) is None


def test_without_part_0_nothing_is_known_but_that_there_was_an_event():
    joined = join(None, {1: b'{"/gist":{"en":"x"}}'})

    assert joined.erased == (0,)
    assert joined.body == {}
    assert recorded_event(SIGNED, joined) == Event()
    assert list(recorded_event(SIGNED, joined).claims()) == list(Event().keys()) == []


# recorded events


def test_an_erased_value_is_absent_where_the_type_can_do_without(signed_by_two):
    event = recorded_event(SIGNED, joined_without(SIGNED, signed_by_two, 1))

    assert isinstance(event, Signed)
    assert event.signatures[0].actor.person.person_id == ANA
    assert event.signatures[0].actor.person.name is None
    assert event.signatures[0].capacity is None
    assert event.signatures[1].actor.person.name == "Bea Example"


def test_an_erased_value_says_so_where_the_type_requires_one(held_office):
    name = "agreement.role-held.v1"

    event = recorded_event(name, joined_without(name, held_office, 1))

    assert isinstance(event, RoleHeld)
    assert event.title == ERASED_TEXT
    assert (event.person.name, event.from_, event.to) == (None, None, None)
    assert event.party == "pak"


def test_an_erased_value_in_a_replacement_is_treated_alike(held_office):
    target = {"source": "/a", "id": "1", "type": "agreement.role-held.v1"}
    body = example("event-corrected", target=target, replacement=held_office)

    event = recorded_event(CORRECTED, joined_without(CORRECTED, body, 1))

    assert isinstance(event, EventCorrected)
    assert event.replacing.title == ERASED_TEXT
    assert MARKER not in str(event.replacement)


def test_erasing_changes_no_claim_no_key_and_no_party(signed_by_two):
    whole = typed(SIGNED, signed_by_two)
    event = recorded_event(SIGNED, joined_without(SIGNED, signed_by_two, 1, 2))

    assert list(event.claims()) == list(whole.claims())
    assert list(event.keys()) == list(whole.keys())
    assert list(event.parties_named()) == list(whole.parties_named())


# older versions


@pytest.fixture
def visited():
    """A type in its second version: the first had the guest at the top and called the day ``on``."""

    def second(body):
        guest = {field: body[field] for field in ("person", "note") if field in body}
        return {"occurred": body["on"], "guest": guest}

    class Guest(msgspec.Struct, frozen=True, kw_only=True):
        person: Person
        note: dict[str, str]

    old, new = "agreement.visited.v1", "agreement.visited.v2"
    first = Owned(at="", person="person", values=("person/name", "note"))

    @event_type(new)
    class Visited(Event, frozen=True, kw_only=True):
        guest: Guest
        occurred: str

        personal = (Owned(at="guest", person="person", values=("person/name", "note")),)
        upcasts = MappingProxyType({old: Upcast(second, personal=(first,))})

    yield Visited
    del EVENT_TYPES[new], OLDER_VERSIONS[old]


OLD_VISIT = {"on": "2025", "person": {"person_id": ANA, "name": "Ana"}, "note": {"en": "kind"}}


def test_an_older_version_becomes_the_class_of_today(visited):
    event = typed("agreement.visited.v1", OLD_VISIT)

    assert isinstance(event, visited)
    assert (event.occurred, event.guest.person.name) == ("2025", "Ana")
    assert event.type == "agreement.visited.v2"
    assert event.short_name == "visited"
    assert known("agreement.visited.v1")


def test_an_older_version_is_kept_as_posted_with_its_own_personal_places(visited):
    whole, parts = parts_of("agreement.visited.v1", OLD_VISIT)

    assert whole["data"] == {
        "on": "2025",
        "person": {"person_id": ANA, "name": {MARKER: 1}},
        "note": {MARKER: 1},
    }
    assert parts == [{"/note": {"en": "kind"}, "/person/name": "Ana"}]


def test_an_erased_value_of_an_older_version_is_lifted_first(visited):
    event = recorded_event("agreement.visited.v1", joined_without("agreement.visited.v1", OLD_VISIT, 1))

    assert event.guest.person == Person(person_id=ANA)
    assert event.guest.note == ERASED_TEXT


def test_a_correction_may_replace_data_of_an_older_version(visited):
    target = {"source": "/a", "id": "1", "type": "agreement.visited.v1"}
    body = example("event-corrected", target=target, replacement=OLD_VISIT)

    assert typed(CORRECTED, body).replacing.occurred == "2025"
    erased = recorded_event(CORRECTED, joined_without(CORRECTED, body, 1))
    assert erased.replacing.guest.note == ERASED_TEXT


def test_a_flaw_of_an_older_version_is_still_a_flaw(visited):
    with pytest.raises(Invalid, match=r"this is no agreement\.visited\.v1"):
        typed("agreement.visited.v1", {**OLD_VISIT, "on": 2025})


@pytest.mark.parametrize("body", [{}, [], "x", {"on": "2025", "person": []}])
def test_what_cannot_be_lifted_is_no_event_of_the_older_version(visited, body):
    with pytest.raises(Invalid, match=r"this is no agreement\.visited\.v1"):
        typed("agreement.visited.v1", body)


# posting again


def test_the_same_event_again_has_the_same_content(signed_by_two):
    joined = joined_without(SIGNED, signed_by_two, attrs={"time": "2025-07-16T10:00:00Z", "traceparent": "a"})
    again = copy.deepcopy(signed_by_two)

    assert same_content(
        joined, {"time": "2025-07-16T10:00:00Z", "traceparent": "b", "tracestate": "c"}, again
    )


@pytest.mark.parametrize("attrs", [{}, {"time": "2025-07-17T10:00:00Z"}, {"time": "x", "correlationid": "1"}])
def test_other_attributes_are_other_content(signed_by_two, attrs):
    joined = joined_without(SIGNED, signed_by_two, attrs={"time": "2025-07-16T10:00:00Z"})

    assert not same_content(joined, attrs, signed_by_two)


@pytest.mark.parametrize("gone", [(), (1,), (1, 2)])
def test_other_data_is_other_content_also_after_an_erasure(signed_by_two, gone):
    joined = joined_without(SIGNED, signed_by_two, *gone)

    assert same_content(joined, {}, signed_by_two)
    for change in (
        {"occurred": "2025-07-17"},
        {"occurred": ...},
        {"confidence": "low"},
        {"signatures": signed_by_two["signatures"][:1]},
        {"signatures": {}},
        {"place": "San Salvador"},
    ):
        body = {**signed_by_two, **change}
        other = {name: value for name, value in body.items() if value is not ...}
        assert not same_content(joined, {}, other)


def test_an_erased_value_equals_any_other_but_not_its_absence(signed_by_two):
    joined = joined_without(SIGNED, signed_by_two, 1)
    signed_by_two["signatures"][0]["capacity"] = "Someone else"

    assert same_content(joined, {}, signed_by_two)
    assert not same_content(joined_without(SIGNED, signed_by_two, 2), {"time": "x"}, signed_by_two)

    del signed_by_two["signatures"][0]["capacity"]
    assert not same_content(joined, {}, signed_by_two)


def test_true_is_not_one():
    body = {"auto_renew": True, "n": [True]}
    joined = Joined({}, {"auto_renew": 1, "n": [1], "x": {MARKER: 1}}, PRINCIPAL, (1,), ("/x",))

    assert not same_content(joined, {}, {**body, "x": 1})
    assert not same_content(Joined({}, {"n": 1}, PRINCIPAL), {}, {"n": True})


def test_an_event_that_is_wholly_erased_equals_anything():
    assert same_content(join(None, {}), {"time": "x"}, {"any": "thing"})


# names in texts


def test_a_name_given_in_the_event_is_found_in_its_other_texts(signed_by_two):
    signed_by_two["place"] = {"name": "Palace, after ana  Example"}
    signed_by_two["cites"] = [{"publication_id": "r", "basis": "stated", "locator": "ANA EXAMPLE, p. 3"}]

    assert names_in_texts(owners_of(SIGNED, signed_by_two), signed_by_two) == ("/cites/0/locator",)


def test_a_name_is_found_as_whole_words_only(signed_by_two):
    signed_by_two["signatures"][0]["actor"]["person"]["name"] = "Li"
    signed_by_two["place"] = {"name": "Lima"}
    assert names_in_texts(owners_of(SIGNED, signed_by_two), signed_by_two) == ()

    signed_by_two["place"] = {"name": "Villa Li"}
    assert names_in_texts(owners_of(SIGNED, signed_by_two), signed_by_two) == ("/place/name",)


def test_a_name_in_a_personal_text_is_where_it_belongs():
    body = example("statement-recorded", gist={"en": "I, A. Signatory, promise."})

    assert names_in_texts(owners_of("agreement.statement-recorded.v1", body), body) == ()


def test_without_a_name_there_is_nothing_to_find():
    assert names_in_texts({}, example("term-set")) == ()


# properties

PERSON_IDS = (ANA, BEA, CAI)
words = st.text(
    st.characters(categories=["L", "Nd"], include_characters=" '~/\"\\"), min_size=1, max_size=12
).map(lambda text: f"x{text}")
texts = st.dictionaries(st.sampled_from(["en", "es", "ur", "pt-BR"]), words, min_size=1, max_size=2)


def some(**fields):
    return st.fixed_dictionaries({}, optional=fields)


persons = st.builds(
    lambda id_, more: {"person_id": id_, **more}, st.sampled_from(PERSON_IDS), some(name=words)
)
actors = st.builds(
    lambda person_, more: {"person": person_, **more}, persons, some(institution_id=st.just("bank"))
) | st.just({"institution_id": "bank"})
signed = st.builds(
    lambda one, two, more: {
        "signatures": [{"party": "pak", **one}, {"party": "slv", **two}],
        "occurred": "2025-07-16",
        **more,
    },
    some(actor=actors, capacity=words),
    some(actor=actors, capacity=words),
    some(place=st.builds(lambda name: {"name": name}, words)),
)
held = st.builds(
    lambda participants, more: {
        "engagement_id": "v",
        "kind": "visit",
        "start": "2025",
        "participants": participants,
        **more,
    },
    st.lists(actors, max_size=12),
    some(outcome=texts, label=texts),
)
roles = st.builds(
    lambda who, title, more: {"person": who, "title": title, "party": "pak", **more},
    persons,
    texts,
    some(**{"from": st.just("2020"), "to": st.just("2026")}),
)
statements = st.builds(
    lambda gist, more: {"statement_id": "s", "attribution": "named", "gist": gist, "quoted": True, **more},
    texts,
    some(speaker=actors),
)
posted = (
    st.tuples(st.just(SIGNED), signed)
    | st.tuples(st.just("agreement.engagement-held.v1"), held)
    | st.tuples(st.just("agreement.role-held.v1"), roles)
    | st.tuples(st.just("agreement.statement-recorded.v1"), statements)
)
corrected = posted.map(
    lambda event: (
        CORRECTED,
        {
            "target": {"source": "/a", "id": "1", "type": event[0]},
            "replacement": event[1],
            "reason": "r",
            "kind": "entry-error",
        },
    )
)
events = posted | corrected


@given(events, st.dictionaries(st.sampled_from(["time", "correlationid"]), words))
@settings(max_examples=300, deadline=None)
def test_splitting_and_joining_gives_back_what_was_posted(event, attrs):
    name, body = event
    typed(name, body)

    whole, *parts = split(name, body, attrs, PRINCIPAL)
    joined = join(whole, dict(enumerate(parts, 1)))

    assert joined == Joined(attrs, body, PRINCIPAL)
    assert same_content(joined, attrs, body)
    assert recorded_event(name, joined) == typed(name, body)


@given(events, st.sets(st.integers(1, 3)))
@settings(max_examples=300, deadline=None)
def test_every_erasure_leaves_a_readable_event_that_equals_its_posting(event, gone):
    name, body = event
    whole, *parts = split(name, body, {}, PRINCIPAL)
    erased = {k for k in gone if k <= len(parts)}

    joined = join(whole, {k: part for k, part in enumerate(parts, 1) if k not in erased})
    again = recorded_event(name, joined)

    assert set(joined.erased) == erased
    assert same_content(joined, {}, body)
    assert type(again) is type(typed(name, body))
    assert list(again.keys()) == list(typed(name, body).keys())


@given(events)
@settings(max_examples=300, deadline=None)
def test_every_personal_value_is_in_the_part_of_its_person_and_nowhere_else(event):
    name, body = event
    whole, *parts = split(name, body, {}, PRINCIPAL)
    data = json.loads(whole)["data"]
    seen = []

    for number, part in enumerate(parts, 1):
        for place, value in json.loads(part).items():
            at = tokens_of(place, data)
            assert value_at(data, at) == {MARKER: number}
            assert value_at(body, at) == value
            assert pointer(at) == place
            seen.append((at, number))
    numbers = [number for _, number in sorted(seen)]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(parts) + 1))
    assert "name" not in {key for who in found_persons(data) for key in who if not isinstance(who[key], dict)}


def found_persons(value):
    if isinstance(value, dict):
        if "person_id" in value:
            yield value
        for inner in value.values():
            yield from found_persons(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from found_persons(inner)
