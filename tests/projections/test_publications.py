import json

import pytest

from domain.conftest import A, B
from projections.reading import REPORT_B, Stream, build, build_from, items, told
from registry.projections.publications import LIST, PUBLICATIONS
from store.conftest import Opened


def rows(log: Stream) -> dict[str, dict]:
    assert log.state is not None
    return {row["publication_id"]: row for row in PUBLICATIONS.rows(log.state)[""]}


def cite(id_: str, basis: str = "stated") -> dict[str, str]:
    return {"publication_id": id_, "basis": basis}


def visit(log: Stream, id_: str, *cites: dict[str, str], source: str = A):
    return log.post(
        "engagement-planned",
        source=source,
        engagement_id=id_,
        kind="visit",
        certainty="expected",
        cites=list(cites),
    )


@pytest.fixture
def log() -> Stream:
    return Stream("one")


def test_an_agreement_that_cites_nothing_has_no_rows(log: Stream) -> None:
    assert rows(log) == {}


def test_what_is_recorded_is_shown_with_who_recorded_it(log: Stream) -> None:
    event = log.post(
        "publication-recorded", publication_id="report", publisher="The Press", published="2025-07"
    )
    row = rows(log)["report"]
    assert (row["recorded"], row["cited"], row["cited_by"]) == (1, 0, None)
    recording = json.loads(row["recordings"])
    assert (recording["publisher"], recording["published"], recording["title"]) == (
        "The Press",
        "2025-07",
        None,
    )
    assert (recording["source"], recording["id"], recording["position"]) == (A, event.id, event.position)


def test_what_is_only_cited_is_there_as_well(log: Stream) -> None:
    visit(log, "v1", cite("unknown"))
    row = rows(log)["unknown"]
    assert (row["recorded"], row["recordings"], row["cited"]) == (0, None, 1)


def test_events_are_counted_by_source_and_once_however_often_they_cite(log: Stream) -> None:
    visit(log, "v1", cite("report"), cite("report", "inferred"))
    visit(log, "v2", cite("report", "inferred"))
    visit(log, "v3", cite("report"), source=B)
    gone = visit(log, "v4", cite("report"))
    log.retract(gone)
    citings = [json.loads(line) for line in rows(log)["report"]["cited_by"].split("\n")]
    assert [(citing["source"], citing["events"], citing["inferred"]) for citing in citings] == [
        (A, 2, 1),
        (B, 1, 0),
    ]


CASES: list[tuple[dict, list[tuple[str, int, int, int]]]] = [
    ({}, [("letter", 1, 1, 0), ("report", 2, 2, 3), ("rumour", 1, 0, 1)]),
    ({"publication": "report"}, [("report", 2, 2, 3)]),
    ({"agreement": "other"}, [("report", 1, 1, 1)]),
    ({"party": "pak"}, [("letter", 1, 1, 0), ("report", 2, 2, 3), ("rumour", 1, 0, 1)]),
    ({"party": "fra"}, []),
    ({"source": B}, [("report", 2, 2, 3), ("rumour", 1, 0, 1)]),
    ({"source": B, "agreement": "other"}, [("report", 1, 1, 1)]),
    ({"recorded": True}, [("letter", 1, 1, 0), ("report", 2, 2, 3)]),
    ({"recorded": False}, [("rumour", 1, 0, 1)]),
]


@pytest.fixture
async def library(store: Opened) -> Opened:
    one, other = Stream("one"), Stream("other")
    one.post("publication-recorded", publication_id="report", publisher="The Press", lang="en")
    one.post("publication-recorded", publication_id="letter", title="A letter")
    visit(one, "v1", cite("report"))
    visit(one, "v2", cite("report", "inferred"), cite("rumour"), source=B)
    other.post("publication-recorded", source=B, publication_id="report", publisher="Press", title="A report")
    visit(other, "v1", cite("report"))
    await build_from(store, PUBLICATIONS, one, other)
    return store


async def test_filters_narrow_the_list_and_what_is_counted(library: Opened) -> None:
    for filters, found in CASES:
        listed = [
            (item.publication_id, item.agreements, item.recorded, item.cited)
            for item in items(library, LIST, **filters)
        ]
        assert listed == found, filters


async def test_details_are_those_of_the_first_that_has_them(library: Opened) -> None:
    (report,) = items(library, LIST, publication="report")
    assert (report.publisher, report.title, report.lang, report.url) == ("The Press", "A report", "en", None)
    assert [(recording.source, recording.agreement) for recording in report.recordings] == [
        (A, "one"),
        (B, "other"),
    ]


async def test_who_cites_is_added_up_over_agreements(library: Opened) -> None:
    (report,) = items(library, LIST, publication="report")
    assert [(by.source, by.agreements, by.events, by.inferred) for by in report.cited_by] == [
        (A, 2, 2, 0),
        (B, 1, 1, 1),
    ]
    assert [item.publication_id for item in items(library, LIST, sort="-publication")] == [
        "rumour",
        "report",
        "letter",
    ]


async def test_every_claim_of_the_story_rests_on_one_of_two_reports(store: Opened) -> None:
    await store.append(*told())
    await build(store, PUBLICATIONS)
    a, b = items(store, LIST)
    assert (a.publisher, a.published, a.cited) == ("OpenVoiceNews Pakistan", "2025-07-17", 28)
    assert (b.published, b.cited) == (None, 41)
    assert [by.source for by in b.cited_by] == [REPORT_B]
