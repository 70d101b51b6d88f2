"""What a principal may post, beyond holding the scope."""

from typing import Any

import pytest

from registry.access import KEY, Principal
from registry.domain import cloudevents
from registry.domain.agreement import Agreement, evolve
from registry.domain.envelope import Posted, Recorded
from registry.domain.permission import check_parties, check_source
from registry.errors import NotPermitted

PARTIES = [
    {"id": "pak", "kind": "state", "name": {"en": "Pakistan"}, "country": "PAK"},
    {"id": "slv", "kind": "state", "name": {"en": "El Salvador"}, "country": "SLV"},
]


def posted(name: str, data: dict[str, Any], source: str = "https://desk.example/") -> Posted:
    return cloudevents.posted(
        {
            "specversion": "1.0",
            "id": name,
            "source": source,
            "type": f"agreement.{name}.v1",
            "subject": "an-agreement",
            "data": data,
        }
    )


FOUNDING = posted("registered", {"title": {"en": "A letter"}, "parties": PARTIES})
LATER = posted("text-adopted", {"occurred": "2026"})


@pytest.fixture
def founded() -> Agreement:
    return evolve(
        None,
        Recorded(
            position=1,
            version=1,
            recorded_at=1,
            source=FOUNDING.source,
            id=FOUNDING.id,
            type=FOUNDING.type,
            subject=FOUNDING.subject,
            data=FOUNDING.data,
        ),
    )


def bound(*, sources: tuple[str, ...] = (), parties: tuple[str, ...] = ()) -> Principal:
    return Principal(id="x", kind=KEY, label="x", scopes=frozenset(), sources=sources, parties=parties)


@pytest.mark.parametrize(
    ("sources", "source", "may"),
    [
        ((), "urn:any", True),
        (("https://desk.example/",), "https://desk.example/", True),
        (("https://desk.example/",), "https://desk.example/2", True),
        (("https://desk.example",), "https://desk.example/2", False),
        (("https://desk.example",), "https://desk.example.evil.example", False),
        (("urn:desk:",), "urn:desk:1", True),
        (("urn:desk:",), "urn:desk", False),
        (("https://desk.example/x#",), "https://desk.example/x#7", True),
        (("urn:a", "urn:b"), "urn:b", True),
        (("urn:a", "urn:b"), "urn:c", False),
    ],
)
def test_an_event_of_a_source(sources: tuple[str, ...], source: str, may: bool) -> None:
    event = posted("text-adopted", {"occurred": "2026"}, source)
    if may:
        check_source(bound(sources=sources), event)
    else:
        with pytest.raises(NotPermitted) as refused:
            check_source(bound(sources=sources), event)
        assert (refused.value.rule, refused.value.pointer) == ("source-not-permitted", "/source")


@pytest.mark.parametrize(
    ("parties", "may"), [((), True), (("pak",), True), (("isl", "slv"), True), (("isl",), False)]
)
@pytest.mark.parametrize("event", [FOUNDING, LATER], ids=["founding", "later"])
def test_an_event_about_an_agreement(
    parties: tuple[str, ...], may: bool, event: Posted, founded: Agreement
) -> None:
    state = None if event is FOUNDING else founded
    if may:
        check_parties(bound(parties=parties), state, event)
    else:
        with pytest.raises(NotPermitted) as refused:
            check_parties(bound(parties=parties), state, event)
        assert (refused.value.rule, refused.value.pointer) == ("party-not-permitted", "/subject")
        assert "slv" not in refused.value.detail


def test_what_is_about_no_agreement_is_left_to_the_rules() -> None:
    check_parties(bound(parties=("isl",)), None, LATER)
