"""Stretches of the log, written out as server-sent events: each event once, for everybody who wants it."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from registry.access import EVERYTHING, Sight
from registry.api.history import to_send
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

    def of(self, agreements: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Give the ids of the parties of agreements; none when what founded one has been erased. Raises Unavailable."""
        known = {agreement: self._known.get(agreement) for agreement in agreements}
        unknown = [agreement for agreement, parties in known.items() if parties is None]
        found = self._reader.parties(unknown) if unknown else {}
        if len(self._known) + len(found) > REMEMBERED:
            self._known.clear()
        self._known.update(found)
        return {agreement: parties or found.get(agreement, ()) for agreement, parties in known.items()}


def read_stretch(
    reader: Reader, parties: Parties, after: int, wants: Collection[Wanted], rows: Sequence[Row] = ()
) -> Stretch:
    """Read and write out the next part of the log behind a position, for everybody in ``wants``.

    ``rows``: all that comes next, at most ``PAGE`` events, where that is known already. Raises Unavailable.
    """
    head, read = (after, rows) if rows else _read(reader, after, wants)
    hidden: Collection[str] = ()
    restricted = {wanted.sight.restricted for wanted in wants}
    if False in restricted and (rows or True in restricted):  # else the page has left them out
        hidden = reader.restricted_among({row.stream_id for row in read})
    of = parties.of({row.stream_id for row in read}) if any(wanted.party for wanted in wants) else {}
    frames: dict[Wanted, list[Frame]] = {wanted: [] for wanted in wants}
    by_agreement: dict[str | None, list[Wanted]] = {}
    for wanted in wants:
        by_agreement.setdefault(wanted.agreement, []).append(wanted)
    size, until, end = 0, max([after, *(row.position for row in read[-1:])]), False
    for row in read:
        candidates = (*by_agreement.get(row.stream_id, ()), *by_agreement.get(None, ()))
        takers = [
            wanted
            for wanted in candidates
            if (wanted.sight.restricted or row.stream_id not in hidden)
            and takes(wanted, row, of.get(row.stream_id, ()))
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
        if end := len(read) < PAGE:
            until = max(until, head)
    return Stretch(
        after=after,
        until=until,
        end=end,
        frames={wanted: tuple(some) for wanted, some in frames.items()},
        contents={wanted: b"".join(frame.content for frame in some) for wanted, some in frames.items()},
    )


def _read(reader: Reader, after: int, wants: Collection[Wanted]) -> tuple[int, Sequence[Row]]:
    """Read the next events that anybody may want; give with them up to where what they leave out is not wanted."""
    narrow = next(iter(wants)) if len(wants) == 1 else Wanted()
    sight = Sight(
        any(wanted.sight.parts for wanted in wants), any(wanted.sight.restricted for wanted in wants)
    )
    # The head is read before the page, so that the page has all that is wanted up to there.
    head = reader.head().size if narrow.agreement is not None or narrow.types else after
    return head, reader.page(after, PAGE, stream=narrow.agreement, types=narrow.types, sight=sight)


def takes(wanted: Wanted, row: Row, parties: Collection[str]) -> bool:
    """Tell whether an event of the agreement that is wanted, or of any, fits the rest as well."""
    return (not wanted.types or row.type in wanted.types) and (
        wanted.party is None or wanted.party in parties
    )


def write(row: Row) -> Frame:
    """Write an event as one of HTML's event streams: ``id`` is the position, ``data`` the CloudEvent."""
    data = _encode(to_send(row))  # JSON has its line ends escaped
    head = f"id: {row.position}\nevent: {row.type}\ndata: ".encode()
    return Frame(row.position, head + data + b"\n\n")
