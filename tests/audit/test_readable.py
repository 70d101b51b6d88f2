"""The report of a bundle: what a person reads."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import Engine

from audit.evident import AGREEMENT, SOURCE, EvidentLog, evident_log
from registry.store.database import open_writer


@pytest.fixture
def log(sqlite_url: str, tmp_path: Path):
    engine: Engine = open_writer(sqlite_url)
    log = evident_log(engine, tmp_path)
    log.signed_by_persons()
    log.sign()
    yield log
    engine.dispose()


class Balanced(HTMLParser):
    """Checks that what is opened is closed, and that nothing is loaded or run."""

    EMPTY = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe", "object", "form")
        given = dict(attrs)
        assert not any(name.startswith("on") for name in given)
        self.ids.update(filter(None, [given.get("id")]))
        self.links.update(filter(None, [given.get("href")]))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(log: EvidentLog, **how: object) -> str:
    return log.bundle(**how)["report.html"].decode()


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page.partition("</style>")[2]).split())


def test_the_page_is_sound_and_loads_nothing(log: EvidentLog):
    page = page_of(log, from_size=3)
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert all(link.startswith("#") and link[1:] in parser.ids for link in parser.links)
    assert "url(" not in page
    assert "@import" not in page
    assert "Geothermal &lt;energy&gt;" in page
    assert "Geothermal <energy>" not in page


def test_it_says_what_it_is_and_what_is_true(log: EvidentLog):
    said = words(page_of(log, from_size=3))
    for text in (
        "It is proof that",
        "It is no proof",
        "the first 3 events of the log are those of the earlier checkpoint",
        "In force since 2026-07-15",
        "on 2026-08-01",
        log.reader.head().origin,
        log.reader.head().root.hex(),
        "registry-verify BUNDLE.zip --key 'VERIFIER KEY' --since EARLIER-CHECKPOINT",
        log.vkey,
        AGREEMENT,
        "Ísland",
    ):
        assert text in said, text


def test_both_axes_of_time_are_told(log: EvidentLog):
    said = words(page_of(log))
    learned = said.partition("As the registry learned it")[2].partition("What happened, and")[0]
    assert [found for found in re.findall(r"(registered|signed|in force) ", learned) if found] == [
        "registered",
        "signed",
        "in force",
        "in force",
    ]
    chronology = said.partition("What happened, and when the registry learned it")[2]
    assert chronology.index("2026-07-15 Corrected") < chronology.index("2026-07-16 Signed for isl, nzl")
    assert "corrected by 5" in chronology


def test_each_event_is_there_with_its_source_its_claims_and_its_parts(log: EvidentLog):
    page = page_of(log)
    for position in range(1, 7):
        assert f'id="event-{position}"' in page
    said = words(page)
    assert "A. Signatory" in said
    assert "Claims signature.isl.date" in said
    assert said.count(SOURCE) >= 5


def test_disputed_claims_stand_side_by_side(log: EvidentLog):
    dispute = words(page_of(log)).partition("Where sources disagree")[2].partition("What is claimed")[0]
    assert "kind in dispute" in dispute
    assert "mou" in dispute
    assert "treaty https://other.example/" in dispute


def test_a_dispute_that_was_settled_says_so(log: EvidentLog):
    chosen = {"source": "https://other.example/", "id": "c"}
    log.post(
        "dispute-resolved",
        "d",
        {"predicate": "kind", "chosen": chosen, "rationale": {"en": "The text says so"}},
    )
    log.sign()
    assert "kind settled" in words(page_of(log))


def test_what_is_withheld_or_erased_is_marked(log: EvidentLog):
    withheld = page_of(log, parts=False)
    assert "Personal values are withheld in this bundle: 4 parts" in words(withheld)
    assert 'class="chip withheld"' in withheld
    assert "Signatory" not in withheld
    log.erase(2, 1)
    log.sign()
    erased = page_of(log)
    assert "2 parts have been erased" in words(erased)
    assert 'class="chip erased"' in erased


def test_an_event_whose_whole_content_was_erased_is_still_told(log: EvidentLog):
    log.erase(2, 0, 1, 2)
    log.sign()
    said = words(page_of(log))
    assert "All that this event said has been erased." in said
    assert "Signed (erased)" in said


def test_a_retracted_event_is_struck_out(log: EvidentLog):
    target = {"source": "https://other.example/", "id": "c"}
    log.post(
        "event-retracted", "gone", {"target": target, "reason": "a mistake"}, source="https://other.example/"
    )
    log.sign()
    page = page_of(log)
    assert '<article id="event-4" class="gone">' in page
    assert "retracted by 7" in words(page)
    assert "Nowhere: no two sources claim" in words(page)


def test_cosignatures_are_told_with_their_time(log: EvidentLog):
    from registry.audit import checkpoints
    from registry.merkle.note import Signature

    size = log.reader.head().size
    with log.engine.begin() as connection:
        cosignature = (1_767_225_600).to_bytes(8) + bytes(64)
        checkpoints.store_cosignature(connection, size, Signature("witness.example/w1", b"abcd", cosignature))
    said = words(page_of(log))
    assert "witness.example/w1 a witness 61626364 2026-01-01T00:00:00Z" in said
    assert "and its witnesses have seen this one" in said
