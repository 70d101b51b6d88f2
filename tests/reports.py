"""The two reports of the demo story, as posted events."""

from pathlib import Path

from registry.cli.demo import STORY
from registry.domain import cloudevents, strict_json
from registry.domain.envelope import Posted

SUBJECT = "pak-slv-2025-digital-assets"
A = "https://openvoicenews.example/"
B = "https://report-b.example/"


def read(report: Path) -> list[Posted]:
    return [cloudevents.posted(strict_json.decode(line)) for line in report.read_bytes().splitlines()]


def report_a() -> list[Posted]:
    return read(STORY[0])


def report_b() -> list[Posted]:
    return read(STORY[1])
