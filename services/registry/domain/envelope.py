"""An event with its envelope: as it was posted, and as it is recorded.

Events and what they are made of are frozen trees without a way back up, so no cycle can hold one: the garbage
collector need not know of them (``gc=False``), however many a state keeps.
"""

from typing import Any

import msgspec

from registry.domain.events.event import Event
from registry.domain.pointers import Tokens


class Posted(msgspec.Struct, frozen=True, gc=False):
    """A CloudEvent that a service posted, valid in itself and not yet decided."""

    source: str
    id: str
    type: str
    subject: str
    """The agreement id."""
    body: dict[str, Any]
    """``data`` exactly as posted, in the JSON subset of the log."""
    data: Event
    """The same, typed."""
    attrs: dict[str, str] = {}
    """The optional attributes and extensions that are kept, as CloudEvents canonical strings."""
    expected_version: int | None = None
    personal: dict[tuple[str | int, ...], str] = {}
    """The place of every personal value in ``body``, with the id of the person it belongs to."""


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event at its place in the log, as the fold sees it."""

    position: int
    version: int
    recorded_at: int
    """Microseconds since 1970-01-01T00:00:00Z."""
    source: str
    id: str
    type: str
    subject: str
    data: Event
    """Typed; a personal value that has been erased is absent, or says so where the type demands a value."""
    erased: tuple[int, ...] = ()
    """The numbers of the parts that have been erased."""
    places_erased: tuple[Tokens, ...] = ()
    """Where in ``data`` a value stood that has been erased: no other value that is absent ever was there."""
    withheld: tuple[int, ...] = ()
    """The numbers of the parts that are there and not shown to whoever reads."""
    places_withheld: tuple[Tokens, ...] = ()
    """Where in ``data`` their values stand."""

    @property
    def identity(self) -> tuple[str, str]:
        """(source, id), for ever."""
        return self.source, self.id
