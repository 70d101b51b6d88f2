"""Stretches of the log, written out as server-sent events: each event once, for everybody who wants it."""

from collections.abc import Collection, Mapping

import msgspec

from registry.access import EVERYTHING, Sight
from registry.api.history import to_send
from registry.domain.events import Registered
from registry.store.reader import Reader
from registry.store.rows import Row

PAGE = 200
"""Events read at a time."""
CHUNK = 128 << 10
"""Bytes after which a stretch ends: with the event that crosses them."""
REMEMBERED = 50_000
"""Agreements whose parties are kept in memory."""

_encode = msgspec.json.Encoder().encode


class Wanted(msgspec.Struct, frozen=True):
    """Which events a stream gives: those that fit all that is said."""

    agreement: str | None = None
    types: tuple[str, ...] = ()
    party: str | None = None
    sight: Sight = EVERYTHING
    """What whoever listens may see: others' events are passed over, and personal values left out."""


class Frame(msgspec.Struct, frozen=True):
    """An event as it is sent."""

    position: int
    content: bytes


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the log, as far as somebody wants it."""

    after: int
    until: int
    """Everything behind ``after`` up to here has been read."""
    end: bool
    """Whether the log ended here when it was read."""
    frames: Mapping[Wanted, tuple[Frame, ...]]
    """For each who was asked for, what he wants of it."""
    contents: Mapping[Wanted, bytes]
    """The same in one piece."""

    def content(self, wanted: Wanted, behind: int) -> bytes:
        """Give what is wanted behind a position."""
        if behind <= self.after:
            return self.contents[wanted]
        return b"".join(frame.content for frame in self.frames[wanted] if frame.position > behind)


class Parties:
    """The parties of agreements, which never change once they are founded. Shared by threads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, agreement: str) -> tuple[str, ...]:
        """Give the ids of the parties of an agreement; none when what founded it has been erased."""
        parties = self._known.get(agreement)
        if parties is None:
            founding = self._reader.page(0, 1, stream=agreement)
            data = founding[0].recorded().data if founding else None
            parties = tuple(party.id for party in data.parties) if isinstance(data, Registered) else ()
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[agreement] = parties
        return parties


def read_stretch(reader: Reader, parties: Parties, after: int, wants: Collection[Wanted]) -> Stretch:
    """Read and write out the next part of the log behind a position, for everybody in ``wants``.

    Raises Unavailable.
    """
    narrow = next(iter(wants)) if len(wants) == 1 else Wanted()
    sight = Sight(
        any(wanted.sight.parts for wanted in wants), any(wanted.sight.restricted for wanted in wants)
    )
    # The head is read before the page: what this leaves out up to there is not wanted.
    head = reader.head().size if narrow.agreement is not None or narrow.types else after
    rows = reader.page(after, PAGE, stream=narrow.agreement, types=narrow.types, sight=sight)
    hidden: Collection[str] = ()
    if sight.restricted and not all(wanted.sight.restricted for wanted in wants):
        hidden = reader.restricted_among({row.stream_id for row in rows})
    frames: dict[Wanted, list[Frame]] = {wanted: [] for wanted in wants}
    by_agreement: dict[str | None, list[Wanted]] = {}
    for wanted in wants:
        by_agreement.setdefault(wanted.agreement, []).append(wanted)
    size, until, end = 0, max([after, *(row.position for row in rows[-1:])]), False
    for row in rows:
        candidates = (*by_agreement.get(row.stream_id, ()), *by_agreement.get(None, ()))
        takers = [
            wanted
            for wanted in candidates
            if (wanted.sight.restricted or row.stream_id not in hidden) and takes(wanted, row, parties)
        ]
        written: dict[bool, Frame] = {}
        for wanted in takers:
            parts = wanted.sight.parts
            if parts not in written:
                written[parts] = write(row.shown_with(wanted.sight))
                size += len(written[parts].content)
            frames[wanted].append(written[parts])
        if size >= CHUNK:
            until = row.position
            break
    else:
        if end := len(rows) < PAGE:
            until = max(until, head)
    return Stretch(
        after=after,
        until=until,
        end=end,
        frames={wanted: tuple(some) for wanted, some in frames.items()},
        contents={wanted: b"".join(frame.content for frame in some) for wanted, some in frames.items()},
    )


def takes(wanted: Wanted, row: Row, parties: Parties) -> bool:
    """Tell whether an event of the agreement that is wanted, or of any, fits the rest as well."""
    return (not wanted.types or row.type in wanted.types) and (
        wanted.party is None or wanted.party in parties.of(row.stream_id)
    )


def write(row: Row) -> Frame:
    """Write an event as one of HTML's event streams: ``id`` is the position, ``data`` the CloudEvent."""
    data = _encode(to_send(row))  # JSON has its line ends escaped
    head = f"id: {row.position}\nevent: {row.type}\ndata: ".encode()
    return Frame(row.position, head + data + b"\n\n")
