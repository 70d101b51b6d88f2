"""Languages, dates and what a template does with values."""

import re
from collections.abc import Callable

import pytest
from jinja2 import Template

from registry.domain.edtf import parse
from registry.errors import NotFound
from registry.ui.dates import in_words
from registry.ui.hashed import static_file, static_url
from registry.ui.language import best, languages, negotiated
from registry.ui.render import ENVIRONMENT

ENGLISH = languages()["en"]
PLACES = re.compile(r"\{\w+\}")


@pytest.fixture
def written() -> Callable[..., str]:
    """Render a piece of a template in a language."""

    def render(template: str, language: str = "en", **values: object) -> str:
        made: Template = ENVIRONMENT.from_string(template)
        return made.render(language=languages()[language], **values)

    return render


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("2025-07-16", "16 July 2025"),
        ("2025-07", "July 2025"),
        ("2025", "2025"),
        ("2025~", "about 2025"),
        ("2025-07-16?", "16 July 2025 (uncertain)"),
        ("2025-07%", "about July 2025 (uncertain)"),
        ("../2025-07-17", "on or before 17 July 2025"),
        ("2025-07-16/..", "on or after 16 July 2025"),
        ("2025-07-1X", "some day from 10 July 2025 to 19 July 2025"),
        ("2025-07-16/2025-08", "some day from 16 July 2025 to 31 August 2025"),
    ],
)
def test_a_date_is_written_as_precisely_as_it_is_known(date: str, words: str):
    assert in_words(parse(date), ENGLISH).striptags() == words


def test_a_date_keeps_the_text_that_was_posted():
    assert in_words(parse("2025-07-16"), ENGLISH) == '<time datetime="2025-07-16">16 July 2025</time>'
    assert '<data class="when" value="../2025-07-17">' in in_words(parse("../2025-07-17"), ENGLISH)
    assert "16 جولائی 2025" in in_words(parse("2025-07-16"), languages()["ur"])


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", "en"),
        ("ur", "ur"),
        ("ur-PK,en;q=0.5", "ur"),
        ("fr,ur;q=0.4,en;q=0.6", "en"),
        ("fr;q=1.0,ur-Arab-PK;q=0.9", "ur"),
        ("ur;q=0, en", "en"),
        ("*, ur;q=0.1", "en"),
        ("UR", "ur"),
        ("de, x;q=nonsense", "en"),
    ],
)
def test_the_language_is_the_best_that_a_browser_asks_for(header: str, tag: str):
    assert negotiated(header).tag == tag


def test_a_text_is_shown_in_the_language_of_the_reader_or_in_english_or_in_the_first():
    assert best({"en": "a", "ur": "b"}, "ur") == ("ur", "b")
    assert best({"en": "a", "ur-PK": "b"}, "ur") == ("ur-PK", "b")
    assert best({"en-GB": "a", "es": "b"}, "ur") == ("en-GB", "a")
    assert best({"fr": "a", "es": "b"}, "ur") == ("es", "b")


def test_every_language_has_every_text_with_the_same_values_in_it():
    urdu = languages()["ur"]
    assert urdu.direction == "rtl"
    assert ENGLISH.direction == "ltr"
    for key, text in ENGLISH.texts.items():
        assert sorted(PLACES.findall(urdu.texts[key])) == sorted(PLACES.findall(text)), key
    same = [
        key
        for key, text in ENGLISH.texts.items()
        if urdu.texts[key] == text and PLACES.sub("", text).strip(" :;,.")
    ]
    assert set(same) <= {"unit.BTC"}


def test_what_is_put_into_a_text_is_escaped(written: Callable[..., str]):
    assert written("{{ t('due.by', date='<b>') }}") == "due &lt;b&gt;"
    assert written("{{ n('count.events', 1) }}, {{ n('count.events', 1234) }}") == "1 event, 1,234 events"


def test_a_text_says_its_language_and_keeps_its_direction_to_itself(written: Callable[..., str]):
    assert written("{{ x|tx }}", x={"ar": "مرحبا"}) == '<bdi lang="ar">مرحبا</bdi>'
    assert written("{{ x|tx }}{{ x|plain }}", x={}) == ""
    assert (
        written("{{ x|words }} {{ y|words }}", x={"en": "a"}, y="b") == '<bdi lang="en">a</bdi> <bdi>b</bdi>'
    )
    assert written("{{ x|english }}", x="So.") == "So."
    assert written("{{ x|english }}", "ur", x="So.") == '<bdi lang="en" dir="ltr">So.</bdi>'


def test_values_are_written_for_people(written: Callable[..., str]):
    assert (
        written("{{ 12345|number }} {{ '-1234.50'|number }} {{ '760000000'|number }}")
        == "12,345 \u22121,234.50 760,000,000"
    )
    assert written("{{ 'P2Y1M'|duration }} {{ 'P3W1D'|duration }}") == "2 years 1 month 3 weeks 1 day"
    assert written("{{ '2026-11-21T20:54:33.000000Z'|moment }}").endswith(
        ">21 November 2026, 20:54 UTC</time>"
    )
    assert written("{{ '2026-11-21T20:54:33.000000Z'|clock }}") == "2026-11-21 20:54 UTC"
    assert written("{{ '2025'|plain_when }}") == "2025"
    assert (
        written("{{ 'in-force'|word('status') }} {{ 'no-such'|word('status') }} {{ none|word('status') }}")
        == "in force no such "
    )
    assert written("{{ 'USD'|unit }}") == '<span class="unit">USD</span>'
    assert written("{{ 'a b/c'|segment }}") == "a%20b%2Fc"
    assert written("{{ with_query('/x', a=1, b=none) }}{{ with_query('/x') }}") == "/x?a=1/x"


def test_a_source_is_shown_by_its_host_and_kept_whole(written: Callable[..., str]):
    assert written("{{ 'https://report-b.example/'|source }}") == (
        '<bdi class="source" title="https://report-b.example/">report-b.example</bdi>'
    )
    assert ">/offices/one<" in written("{{ '/offices/one'|source }}")


def test_what_has_no_form_for_people_is_an_error_and_not_shown(written: Callable[..., str]):
    for value in ({"a": 1}, None, parse("2025")):
        with pytest.raises(TypeError):
            written("{{ x }}", x=value)


def test_a_file_has_another_path_when_there_is_something_else_in_it():
    found, content = static_file("style.css")
    assert static_url("style.css") == f"/static/{found}/style.css"
    assert content
    for name in ("nothing.css", "../render.py", "style.txt"):
        with pytest.raises(NotFound):
            static_file(name)
