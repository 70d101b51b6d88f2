"""What can go wrong, in the words of the domain. How it looks over HTTP is decided in one place, not here."""

from collections.abc import Sequence

import msgspec


class Flaw(msgspec.Struct, frozen=True):
    """One thing wrong at one place of what was given."""

    pointer: str
    """JSON pointer (RFC 6901) into the document; empty for the whole of it."""
    detail: str


class RegistryError(Exception):
    """Something a caller did, asked for or met that the registry has a word for."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Malformed(RegistryError):
    """The bytes are not what they claim to be: no JSON, a repeated parameter, a bad cursor."""

    def __init__(self, detail: str, flaws: Sequence[Flaw] = ()) -> None:
        super().__init__(detail)
        self.flaws = tuple(flaws)


class Invalid(RegistryError):
    """Well formed, yet not an event of the vocabulary; each flaw says where."""

    def __init__(self, detail: str, flaws: Sequence[Flaw]) -> None:
        super().__init__(detail)
        self.flaws = tuple(flaws)


class Refusal(RegistryError):
    """The base of what is refused by comparing a posted event with what is recorded.

    ``index`` is the place of the event in its request and ``subject`` its agreement, filled in by the sequencer.
    """

    index: int = 0
    subject: str = ""


class Rejected(Refusal):
    """``decide`` said no: the rule's stable name, and the positions of the events in conflict."""

    def __init__(self, rule: str, detail: str, positions: Sequence[int] = (), pointer: str = "") -> None:
        super().__init__(detail)
        self.rule = rule
        self.positions = tuple(positions)
        self.pointer = pointer
        """Where in the event's ``data``, when one place is to blame."""


class NotPermitted(Refusal):
    """Whoever posts may post, but not this event: the bound that it is beyond, by its stable name."""

    def __init__(self, rule: str, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.rule = rule
        self.pointer = pointer
        """Where in the event is what it is beyond."""


class IdentityTaken(Refusal):
    """An event with this (source, id) is recorded with other content."""

    def __init__(self, source: str, id: str, position: int | None) -> None:
        where = "" if position is None else f" at position {position}"
        super().__init__(f"event {id!r} of {source!r} is recorded{where} with other content")
        self.position = position
        """None where whoever posts may not know of it."""


class VersionMismatch(Refusal):
    """The agreement is not at the version the writer expected; version 0 is an agreement not yet founded."""

    def __init__(self, agreement: str, expected: int, current: int) -> None:
        super().__init__(f"agreement {agreement!r} is at version {current}, not {expected}")
        self.agreement = agreement
        self.expected = expected
        self.current = current


class NotFound(RegistryError):
    """There is no such agreement, event or resource."""


class TooLarge(RegistryError):
    """An event, a batch or a body is over its published limit."""


class Unavailable(RegistryError):
    """The registry cannot answer now and the caller should come back: queue full, database gone."""

    def __init__(self, detail: str, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds."""
