"""What is told of a request once it has ended: kept beside it from the first byte to the last."""

import re
from random import getrandbits
from typing import Any

import msgspec

TOLD = "registry.told"
"""Where the ASGI scope of a request keeps what is told of it."""
UNROUTED = "none"
"""Stands for the template of a request that no route took: its path is whatever somebody typed."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEADER = b"x-request-id"


class Told(msgspec.Struct):
    """What is known of one request. Belongs to the task that answers it."""

    request_id: str
    template: str = UNROUTED
    """The path of the route, with its parameters by name."""
    principal: str = ""
    """The random id of whoever asks; empty while nobody knows."""
    position: int = 0
    """The last position that the request has appended; 0 when it has appended nothing."""
    problem: str = ""
    """The kind of problem that it was answered with."""
    rule: str = ""
    """The rule that refused it."""
    lasting: bool = False
    """Whether it is a stream, which ends when its reader leaves: how long it took says nothing of the service."""


def told_of(scope: Any) -> Told:
    """Give what is told of a request; where nobody tells, it is kept all the same, for its id."""
    told: Told | None = scope.get(TOLD)
    if told is None:
        told = scope[TOLD] = Told(request_id(scope["headers"]))
    return told


def request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """Take the id that the client gave the request, if it fits, or make one. It is a name, and no secret."""
    for name, value in headers:
        if name == _HEADER and _REQUEST_ID.fullmatch(asked := value.decode("latin-1")):
            return asked
    return f"{getrandbits(128):032x}"
