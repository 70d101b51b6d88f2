"""5,001 treaties of the United Kingdom as events: what one source says of each, as it says it.

The data is that of the public UK treaties dataset. Nothing is mended on the way: an entry into force before the
signature, or a termination of what never came into force, is posted as it stands.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from registry.domain import cloudevents
from registry.domain.envelope import Posted
from uk_parties import PARTIES, slug

SOURCE = "https://uk-treaties.example/"
DATASET = "uk-treaties"
"""The id of the publication that every event cites."""
PUBLICATION = {"publication_id": DATASET, "publisher": "UK treaties", "title": "UK treaties dataset"}
"""It is recorded in the stream of the first agreement; its id is good for all."""

Row = dict[str, str]

KINDS = (
    ("exchange-of-notes", r"exchanges? of (notes|letters)|\bnotes\b"),
    ("protocol", r"protocol|proc[eè]s[ -]verbal"),
    ("treaty", r"treaty|treaties|convention"),
    ("joint-statement", r"declaration"),
    ("mou", r"memorand(um|a)"),
    ("agreement", r"agreement|arrangement|contract"),
)
"""What a title makes of an instrument: the first word that it names."""

_KINDS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in KINDS]
_SERIES = re.compile(r"^(?P<series>.+?) \w+/(?P<year>\d{4}): ")


def read_rows(shared: Path) -> list[Row]:
    """Read the rows of the file; FileNotFoundError when it is not here."""
    with (shared / "data" / "uk_bilateral.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def agreement_id(row: Row) -> str:
    return f"uk-{row['record_id']}"


def posted(rows: list[Row]) -> Iterator[Posted]:
    """Give the events of all rows, agreement after agreement, each valid in itself."""
    for i, row in enumerate(rows):
        registered, *further = events(row)
        dataset = [] if i else [_event(row, "publication-recorded", 0, PUBLICATION)]
        yield from map(cloudevents.posted, [registered, *dataset, *further])


def events(row: Row) -> list[dict[str, Any]]:
    """Give what a row says as CloudEvents: the registration first, then in the order of the life of a treaty."""
    said = [("registered", _registered(row))]
    if kind := kind_of(row["title"]):
        said.append(("classified", {"kind": kind} | _cited(row, "inferred")))
    said += [("publication-recorded", publication) for publication in _publications(row)]
    if row["adopted"]:
        said.append(("text-adopted", {"occurred": row["adopted"]}))
    if row["signed"]:
        said.append(("signed", _signed(row)))
    if row["provisional"]:
        said.append(("provisionally-applied", {"from": row["provisional"]}))
    if row["eif"]:
        said.append(("entered-into-force", {"date": row["eif"]}))
    if ended := end_of(row):
        said.append(("terminated", {"date": ended, "ground": "other"}))
    said += [("fact-recorded", fact) for fact in _facts(row)]
    return [
        _event(row, name, number, data if "cites" in data else data | _cited(row))
        for number, (name, data) in enumerate(said, start=1)
    ]


def parties_of(row: Row) -> list[dict[str, Any]]:
    """Give the two parties."""
    return [PARTIES[name.strip()] for name in row["parties"].split(" ; ")]


def kind_of(title: str) -> str | None:
    """Tell from its title what an instrument is; None when that does not say."""
    found = [(match.start(), kind) for kind, pattern in _KINDS if (match := pattern.search(title))]
    return min(found)[1] if found else None


def end_of(row: Row) -> str:
    """Give the first day out: the day on which termination takes effect, where that is told apart."""
    return row["terminated_effective"] or row["terminated"]


def _registered(row: Row) -> dict[str, Any]:
    data: dict[str, Any] = {"title": {"en": row["title"]}, "parties": parties_of(row)}
    if row["subject"]:
        data["subjects"] = [row["subject"].capitalize()]
    if ids := list(dict.fromkeys(citation for citation, _ in _citations(row))):
        data["external_ids"] = ids
    return data


def _signed(row: Row) -> dict[str, Any]:
    data: dict[str, Any] = {
        "signatures": [{"party": party["id"]} for party in parties_of(row)],
        "occurred": row["signed"],
    }
    if row["signed_at"] not in ("", "Unknown"):
        data["place"] = {"name": row["signed_at"]}
    return data


def _publications(row: Row) -> Iterator[dict[str, Any]]:
    """Give the publications that can be read: those with an address, once each."""
    seen = set()
    for citation, url in _citations(row):
        publication_id = slug(url.rpartition("/")[2].removesuffix(".pdf"))
        if url and publication_id not in seen:
            seen.add(publication_id)
            series = _SERIES.match(citation)
            yield {"publication_id": publication_id, "title": citation, "url": url, "lang": "en"} | (
                {"publisher": series["series"], "published": series["year"]} if series else {}
            )


def _facts(row: Row) -> Iterator[dict[str, Any]]:
    """Give the dates that are no step in the life of a treaty as the registry tells it."""
    for field, predicate in (("eif_effective", "entry into force takes effect"), ("withdrawn", "withdrawn")):
        if row[field] and row[field] != row["eif"]:
            about = agreement_id(row)
            yield {"fact_id": slug(predicate), "about": about, "predicate": predicate, "date": row[field]}


def _citations(row: Row) -> Iterator[tuple[str, str]]:
    """Yield each reference, and the address of what it refers to, empty if it has none."""
    for reference in row["references"].split(";"):
        citation, _, url = reference.partition("||")
        if citation.strip():
            yield " ".join(citation.split()), url.strip()


def _cited(row: Row, basis: str = "stated") -> dict[str, Any]:
    locator = f"record {row['record_id']}"
    return {"cites": [{"publication_id": DATASET, "locator": locator, "basis": basis}]}


def _event(row: Row, name: str, number: int, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{row['uuid']}/{number}",
        "source": SOURCE,
        "type": f"agreement.{name}.v1",
        "subject": agreement_id(row),
        "data": data,
    }
