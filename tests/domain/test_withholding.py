"""An agreement without its personal values: the same in everything that is derived, and as the log reads without them."""

import msgspec
import pytest

from registry.domain.agreement import fold
from registry.domain.codec import event_and_missing, join, split
from registry.domain.status import status
from registry.domain.view import view
from registry.domain.withholding import WITHHELD, withhold, without_personal_values

ADA, BO = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11", "11111111-2222-4333-8444-555555555555"


def person(id, name=None):
    return {"person_id": id} if name is None else {"person_id": id, "name": name}


@pytest.fixture
def told(log):
    """Ada signs and speaks, and holds an office; Bo is there under an id alone."""
    signatures = [
        {"party": "pak", "actor": {"person": person(ADA, "Ada")}, "capacity": "Minister"},
        {"party": "slv", "actor": {"person": person(BO)}},
    ]
    log.post("signed", signatures=signatures, occurred="2025")
    log.post("role-held", person=person(ADA, "Ada"), title={"en": "Envoy"}, party="pak", from_="2020")
    log.post(
        "statement-recorded",
        statement_id="s",
        speaker={"person": person(ADA, "Ada")},
        attribution="named",
        gist={"en": "All is well"},
        quoted=True,
    )
    return log


def read_without(posted, event):
    """The event as the log gives it to whoever may not read personal values."""
    part0, *people = split(posted.type, posted.body, {}, "p")
    joined = join(part0, {}, withheld=range(1, len(people) + 1))
    data, erased, withheld = event_and_missing(posted.type, joined)
    return msgspec.structs.replace(
        event,
        data=data,
        erased=joined.erased,
        places_erased=erased,
        withheld=joined.withheld,
        places_withheld=withheld,
    )


def test_what_is_withheld_is_shown_as_such_and_what_was_never_given_is_not(told):

    shown = view(without_personal_values(told.state), told.view().on)
    pak, slv = shown.signatures
    assert (pak.signatories[0].capacity, pak.signatories[0].withheld) == (None, True)
    assert (pak.signatories[0].actor.person.name, pak.signatories[0].actor.person.withheld) == (None, True)
    assert (slv.signatories[0].withheld, slv.signatories[0].actor.person.withheld) == (False, False)
    assert (shown.roles[0].title, shown.roles[0].from_, shown.roles[0].withheld) == (None, None, True)
    assert (shown.statements[0].gist, shown.statements[0].withheld) == (None, True)
    assert [one.parts for one in shown.withheld] == [(1,), (1,), (1,)]
    written = msgspec.json.encode(shown, enc_hook=str)
    assert not any(word in written for word in (b"Ada", b"Minister", b"Envoy", b"All is well"))
    assert b"Ada" in msgspec.json.encode(told.view(), enc_hook=str)


def test_the_status_is_the_same_and_the_state_itself_is_not_touched(told):
    left = without_personal_values(told.state)
    assert status(left, told.view().on) == status(told.state, told.view().on)
    assert left is not told.state
    assert left is without_personal_values(told.state) is told.state.derived[WITHHELD]
    assert told.view().roles[0].title == {"en": "Envoy"}


def test_an_agreement_without_persons_is_shown_as_it_is(log):
    log.signed("2025")
    assert without_personal_values(log.state) is log.state is without_personal_values(log.state)


def test_an_event_held_in_memory_and_one_read_from_the_log_are_the_same_without_their_values(told):
    for posted, event in zip(told.posted, told.events, strict=True):
        assert withhold(event) == read_without(posted, event)
    assert fold(None, map(withhold, told.events)).recorded == without_personal_values(told.state).recorded


def test_a_correction_withholds_as_well(told):
    office = told.events[2]
    told.correct(office, person=person(ADA, "Ada"), title={"en": "Consul"}, party="pak")
    left = without_personal_values(told.state)
    assert left.live[office.identity].withheld == (1,)
    assert left.live[office.identity].data.title == {"zxx": "[withheld]"}
    assert withhold(told.events[-1]) == read_without(told.posted[-1], told.events[-1])


def test_what_has_been_erased_stays_erased_and_keeps_its_number(told):
    signatures = [
        {"party": "pak", "actor": {"person": person(ADA, "Ada")}},
        {"party": "slv", "actor": {"person": person(BO, "Bo")}},
    ]
    both = told.post("signed", source="https://b.example/", signatures=signatures, occurred="2025")
    target = {"source": both.source, "id": both.id}
    told.record(told.make("personal-data-erased", target=target, parts=[1], legal_basis="request"))
    left = without_personal_values(told.state).recorded[both.identity]
    assert (left.erased, left.withheld) == ((1,), (2,))
    assert left.places_withheld == (("signatures", 1, "actor", "person", "name"),)


def test_states_of_one_agreement_share_what_is_made_of_their_events(told):
    memo = {}
    first = without_personal_values(fold(None, told.events[:3]), memo)
    second = without_personal_values(fold(None, told.events), memo)
    signed = told.events[1].identity
    assert first.recorded[signed] is second.recorded[signed]
