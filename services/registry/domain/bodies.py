"""An event back as the JSON it was made of."""

from typing import Any

import msgspec

from registry.domain.events.event import Body, Event
from registry.domain.values import write_custom


def body_of(data: Event) -> Body:
    """Give the ``data`` of an event; what it does not say is left out, what holds by default may be there."""
    body: Body = _said(msgspec.to_builtins(data, enc_hook=write_custom))
    return body


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _said(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_said(inner) for inner in value]
    return value
