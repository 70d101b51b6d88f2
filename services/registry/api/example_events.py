"""Events as they are posted, one of each type, for the description of the API."""

from typing import Any

from registry.domain.attributes import type_flaw
from registry.domain.events import EVENT_TYPES, Registered, Signed
from registry.domain.events.event import Event
from registry.http.as_of import EXAMPLE

SOURCE = "https://report-b.example/"
RECEIPT: dict[str, Any] = {
    "position": 1,
    "agreement": EXAMPLE,
    "version": 1,
    "event_uuid": "0b7c6f4f-2f2e-5d8e-9a39-4f3f6c2a6d11",
    "recorded_at": "2025-07-17T09:30:00.000000Z",
    "leaf_hash": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "warnings": [],
    "replayed": False,
}


def posted_examples() -> dict[str, dict[str, Any]]:
    """Give an event of every type that may be posted; the one that founds the agreement comes first."""
    types: list[type[Event]] = [Registered, *(cls for cls in EVENT_TYPES.values() if cls is not Registered)]
    return {cls.type: posted_example(cls) for cls in types if type_flaw(cls.type) is None}


def posted_example(cls: type[Event]) -> dict[str, Any]:
    """Give an event of one type."""
    return {
        "specversion": "1.0",
        "id": f"{cls.short_name}-1",
        "source": SOURCE,
        "type": cls.type,
        "subject": EXAMPLE,
        "data": cls.examples[0],
    }


def batch_example() -> list[dict[str, Any]]:
    """Give a batch: an agreement is registered and signed."""
    return [posted_example(Registered), posted_example(Signed)]
