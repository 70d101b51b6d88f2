"""Events to post, as a service would."""

from typing import Any

Event = dict[str, Any]


def registered(agreement: str, source: str = "/tests") -> Event:
    """The event that founds an agreement."""
    return {
        "specversion": "1.0",
        "id": f"{agreement}-registered",
        "source": source,
        "type": "agreement.registered.v1",
        "subject": agreement,
        "data": {
            "title": {"en": agreement},
            "parties": [
                {"id": "aaa", "kind": "state", "name": {"en": "A"}},
                {"id": "bbb", "kind": "state", "name": {"en": "B"}},
            ],
        },
    }


def entered(agreement: str, day: str, id_: str = "entered", source: str = "/tests") -> Event:
    """A claim that an agreement entered into force on a day."""
    return {
        "specversion": "1.0",
        "id": f"{agreement}-{id_}",
        "source": source,
        "type": "agreement.entered-into-force.v1",
        "subject": agreement,
        "data": {"date": day},
    }


def terminated(agreement: str, day: str, source: str = "/tests") -> Event:
    """A claim that an agreement was terminated, which warns when nothing says that it was ever in force."""
    return {
        "specversion": "1.0",
        "id": f"{agreement}-terminated",
        "source": source,
        "type": "agreement.terminated.v1",
        "subject": agreement,
        "data": {"date": day, "ground": "consent"},
    }
