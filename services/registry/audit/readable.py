"""``report.html`` of a bundle: the agreement for people to read and print, on both axes of time."""

from collections.abc import Sequence
from datetime import date
from html import escape

from registry.audit.evidence import Evidence
from registry.domain.agreement import Agreement
from registry.domain.envelope import Recorded
from registry.domain.sentences import sentence
from registry.domain.status import status


def readable(
    evidence: Evidence, state: Agreement, events: Sequence[Recorded], on: date, *, parts: bool
) -> bytes:
    """Write the page: self-contained, without a script."""
    now = status(state, on)
    held_back = "" if parts else "<p>Personal values are withheld.</p>\n"
    rows = "".join(f"<li>{event.position}: {escape(sentence(event))}</li>\n" for event in events)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(evidence.agreement)}</title>\n'
        f"<p>{escape(now.label)}</p>\n{held_back}<ol>\n{rows}</ol>\n</html>\n"
    ).encode()
