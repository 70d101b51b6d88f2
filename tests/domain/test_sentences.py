import re
from typing import Any

import msgspec
import pytest

from domain.conftest import Log
from registry.domain.codec import owners_of, typed
from registry.domain.envelope import Recorded
from registry.domain.events.event import EVENT_TYPES, Event
from registry.domain.pointers import expand
from registry.domain.sentences import MOST_LETTERS, SENTENCES, sentence

NAMED = "Somebody Named"


def recorded(name: str, body: dict[str, Any], erased: tuple[int, ...] = ()) -> Recorded:
    type_ = f"agreement.{name}.v1"
    data = Event() if 0 in erased else typed(type_, body)
    return Recorded(1, 1, 0, "https://a.example/", "e1", type_, "pak-slv-2025", data, erased)


def said(name: str, **body: Any) -> str:
    return sentence(recorded(name, {field.rstrip("_"): value for field, value in body.items()}))


EXAMPLES = [
    pytest.param(cls.short_name, example, id=f"{cls.short_name}-{i}")
    for cls in EVENT_TYPES.values()
    for i, example in enumerate(cls.examples)
]


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_every_type_has_a_sentence(name: str, example: dict[str, Any]):
    words = sentence(recorded(name, example))
    assert words[0] == words[0].upper()
    assert not set("{}[]\n") & set(words)
    assert "  " not in words
    assert "None" not in words


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_no_sentence_has_a_personal_value(name: str, example: dict[str, Any]):
    type_ = f"agreement.{name}.v1"
    personal = [
        str(value)
        for owned in EVENT_TYPES[type_].personal_at(example)
        for _, whole in expand(example, owned.at)
        if any(True for _ in expand(whole, owned.person))
        for path in owned.values
        for _, value in expand(whole, path)
    ]
    words = sentence(recorded(name, example))
    assert not [value for value in personal if value in words]
    assert bool(personal) == bool(owners_of(type_, example))


def test_a_sentence_reads_nothing_that_belongs_to_a_person():
    fields = {name: set(re.findall(r"\{(?:on )?(\w+)\}", text)) for name, text in SENTENCES.items()}
    for cls in EVENT_TYPES.values():
        personal = {path for owned in cls.personal if not owned.at for path in owned.values}
        known = {field.name for field in msgspec.structs.fields(cls)} | {"parties"}
        read = fields.get(cls.short_name, set())
        assert read <= known
        assert not {name for name in read if name.rstrip("_") in personal}


@pytest.mark.parametrize(
    ("occurred", "words"),
    [
        ("2025-07-16", "on 2025-07-16"),
        ("2025-07-16~", "on 2025-07-16 (approximate)"),
        ("2025-07", "in 2025-07"),
        ("2025?", "in 2025 (uncertain)"),
        ("2025-07-1X%", "on some day from 2025-07-10 to 2025-07-19 (approximate, uncertain)"),
        ("../2025-07", "on some day up to 2025-07-31"),
        ("2025-07/..", "on some day from 2025-07-01 on"),
    ],
)
def test_a_date_is_said_as_precisely_as_it_is_known(occurred: str, words: str):
    assert said("resumed", occurred=occurred) == f"Resumed {words}"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"kind": "visit", "start": "2025-07-16"}, "Visit held on 2025-07-16"),
        (
            {
                "kind": "working-group",
                "start": "2025-07-16",
                "end": "2025-07-18",
                "place": {"name": "San Salvador"},
                "label": {"es": "mesa", "en": "round table"},
            },
            "Working group held on 2025-07-16, until 2025-07-18, in San Salvador: round table",
        ),
        (
            {"kind": "unspecified", "start": "2025", "label": {"pt": "b", "es": "a"}},
            "Engagement held in 2025: a",
        ),
    ],
)
def test_what_is_not_given_is_left_out(body: dict[str, Any], words: str):
    assert said("engagement-held", engagement_id="m1", **body) == words


def test_words_of_the_vocabulary_are_read_as_words():
    words = said("classified", kind="mou", legal_character="non-binding", entry_mode="fixed-date")
    assert words == "Classified as memorandum of understanding, non-binding, in force on a fixed date"
    assert said("classified", kind="treaty") == "Classified as treaty"


def test_a_correction_says_what_holds_now(log: Log):
    signed = log.signed("2025-07-16")
    correction = log.correct(signed, signatures=[{"party": "slv"}, {"party": "pak"}], occurred="2025-07-15")
    assert sentence(correction) == "Corrected: signed for slv, pak on 2025-07-15"
    retraction = log.retract(correction)
    assert sentence(retraction) == f"Event {correction.id} of {correction.source} retracted"


def test_an_erased_event_is_told_by_its_type_alone():
    assert sentence(recorded("engagement-held", {}, erased=(0,))) == "Engagement held (erased)"


def test_a_long_text_is_cut_and_put_on_one_line():
    words = said("title-given", title={"en": "word\nword " * 200})
    assert len(words) == MOST_LETTERS
    assert words.startswith("Called: word word word")
    assert words.endswith("…")


def test_a_type_without_a_sentence_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("registry.domain.sentences.SENTENCES", {})
    assert said("treaty-registered", registry="UNTS", number="1", date="2026") == "Treaty registered"
