"""Building a read model and reading its lists, for the tests of each of them."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from domain.conftest import Log
from projections.conftest import begun
from registry.access import EVERYTHING
from registry.domain import cloudevents, strict_json
from registry.domain.envelope import Posted, Recorded
from registry.projections.generations import go_live
from registry.projections.listing import Listing, page
from registry.projections.model import ReadModel
from store.conftest import Opened

STORY = Path(__file__).resolve().parents[2] / "services" / "registry" / "cli" / "story"
AGREEMENT = "pak-slv-2025-digital-assets"
REPORT_A = "https://openvoicenews.example/"
REPORT_B = "https://report-b.example/"


class Stream(Log):
    """A registered agreement whose events have ids that no other has, so that several fit into one registry."""

    def __init__(self, subject: str, **registered: Any) -> None:
        super().__init__(subject)
        self.registered(**registered)

    def make(self, name: str, /, *, id: str = "", **data: Any) -> Posted:
        return super().make(name, id=id or f"{self.subject}-{len(self.events) + 1}", **data)

    def erase(self, event: Recorded, *parts: int) -> None:
        """Erase parts of an event, as the log has it then."""
        target = {"source": event.source, "id": event.id}
        self.record(
            self.make("personal-data-erased", target=target, parts=list(parts), legal_basis="request")
        )


def told(*reports: str) -> list[Posted]:
    """The events of the story: report A, then report B, unless others are asked for."""
    return [
        cloudevents.posted(strict_json.decode(line))
        for report in reports or ("report_a", "report_b")
        for line in (STORY / f"{report}.ndjson").read_bytes().splitlines()
    ]


async def build(store: Opened, *models: ReadModel) -> None:
    """Build read models to the end of the log, and let them be read."""
    for model in models:
        projection = begun(store, model)
        while projection.step():
            pass
        with store.writing.begin() as connection:
            go_live(connection, projection.generation)


async def build_from(store: Opened, model: ReadModel, *logs: Log) -> None:
    """Append what was posted to some agreements, and build a read model of it."""
    for log in logs:
        await store.append(*log.posted)
    await build(store, model)


def items(store: Opened, listing: Listing[Any, Any], *, sort: str | None = None, **filters: Any) -> list[Any]:
    """All items of a list, read in pages of two."""
    found: list[Any] = []
    asked, cursor = listing.filters(**filters), None
    with store.reading.connect() as connection:
        while True:
            one = page(connection, listing, asked, sight=EVERYTHING, sort=sort, cursor=cursor, limit=2)
            found += one.items
            if (cursor := one.next) is None:
                return found


def shown_in(rows: list[dict[str, Any]], **columns: Any) -> dict[str, Any]:
    """What the one row shows that has these values."""
    (row,) = [row for row in rows if all(row[name] == value for name, value in columns.items())]
    shown: dict[str, Any] = json.loads(row["shown"])
    return shown


def on(day: str) -> date:
    return date.fromisoformat(day)
