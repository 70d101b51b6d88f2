"""Stretches of the log, written out as server-sent events: each event once, for everybody who wants it."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from registry.access import EVERYTHING, Sight
from registry.store.reader import Reader
from registry.store.rows import Row, written

PAGE = 200
"""Events read at a time."""
MORE = 500
"""Events taken at a time where they are in memory."""
CHUNK = 256 << 10
"""Bytes after which a stretch ends: with the event that crosses them."""
REMEMBERED = 50_000
"""Agreements whose parties are kept in memory."""


class Wanted(msgspec.Struct, frozen=True):
    """Which events a stream gives: those that fit all that is said."""

    agreement: str | None = None
    types: tuple[str, ...] = ()
    party: str | None = None
    sight: Sight = EVERYTHING
    """What whoever listens may see: others' events are passed over, and personal values left out."""


class Wants:
    """What several streams want, found by the event: whom it does not concern costs nothing. Never changed."""

    def __init__(self, wants: Iterable[Wanted]) -> None:
        self.all = tuple(wants)
        self.sight = Sight(
            any(wanted.sight.parts for wanted in self.all),
            any(wanted.sight.restricted for wanted in self.all),
        )
        """What any of them may see."""
        self.all_restricted = all(wanted.sight.restricted for wanted in self.all)
        self.party = any(wanted.party is not None for wanted in self.all)
        """Whether any of them asks for a party."""
        self._by_agreement: dict[str, list[Wanted]] = {}
        self._by_party: dict[str, list[Wanted]] = {}
        self._rest: list[Wanted] = []
        for wanted in self.all:
            if wanted.agreement is not None:
                self._by_agreement.setdefault(wanted.agreement, []).append(wanted)
            elif wanted.party is not None:
                self._by_party.setdefault(wanted.party, []).append(wanted)
            else:
                self._rest.append(wanted)

    def takers(self, row: Row, parties: Collection[str], *, hidden: bool) -> list[Wanted]:
        """Tell who wants an event of an agreement of some parties, which may be hidden from some."""
        found = [*self._rest, *self._by_agreement.get(row.stream_id, ())]
        for party in parties:
            found += self._by_party.get(party, ())
        return [
            wanted
            for wanted in found
            if (not wanted.types or row.type in wanted.types)
            and (wanted.party is None or wanted.party in parties)
            and (wanted.sight.restricted or not hidden)
        ]


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
    frames: Mapping[Wanted, Sequence[Frame]]
    """For each who wants any of it, what that is."""
    contents: Mapping[Wanted, bytes]
    """The same in one piece."""

    def content(self, wanted: Wanted, behind: int) -> bytes:
        """Give what is wanted behind a position."""
        if behind <= self.after:
            return self.contents.get(wanted, b"")
        return b"".join(frame.content for frame in self.frames.get(wanted, ()) if frame.position > behind)


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
    reader: Reader, parties: Parties, after: int, wants: Wants, rows: Sequence[Row] = ()
) -> Stretch:
    """Read and write out the next part of the log behind a position, for everybody in ``wants``.

    ``rows``: all that comes next, at most ``MORE`` events, where that is known already. Raises Unavailable.
    """
    head, read = (after, rows) if rows else _read(reader, after, wants)
    agreements = {row.stream_id for row in read}
    hidden: Collection[str] = ()
    if not wants.all_restricted and (rows or wants.sight.restricted):  # else the page has left them out
        hidden = reader.restricted_among(agreements)
    of = parties.of(agreements) if wants.party else {}
    frames: dict[Wanted, list[Frame]] = {}
    size, until, end = 0, max([after, *(row.position for row in read[-1:])]), False
    for row in read:
        made: dict[bool, Frame] = {}
        for wanted in wants.takers(row, of.get(row.stream_id, ()), hidden=row.stream_id in hidden):
            parts = wanted.sight.parts
            if parts not in made:
                made[parts] = write(row.shown_with(wanted.sight))
                size += len(made[parts].content)
            frames.setdefault(wanted, []).append(made[parts])
        if size >= CHUNK:
            until = row.position
            break
    else:
        if end := len(read) < (MORE if rows else PAGE):
            until = max(until, head)
    contents = {wanted: b"".join(frame.content for frame in some) for wanted, some in frames.items()}
    return Stretch(after=after, until=until, end=end, frames=frames, contents=contents)


def _read(reader: Reader, after: int, wants: Wants) -> tuple[int, Sequence[Row]]:
    """Read the next events that anybody may want; give with them up to where what they leave out is not wanted."""
    narrow = wants.all[0] if len(wants.all) == 1 else Wanted()
    # The head is read before the page, so that the page has all that is wanted up to there.
    head = reader.head().size if narrow.agreement is not None or narrow.types else after
    return head, reader.page(after, PAGE, stream=narrow.agreement, types=narrow.types, sight=wants.sight)


def write(row: Row) -> Frame:
    """Write an event as one of HTML's event streams: ``id`` is the position, ``data`` the CloudEvent."""
    head = f"id: {row.position}\nevent: {row.type}\ndata: ".encode()
    return Frame(row.position, head + written(row) + b"\n\n")  # JSON has its line ends escaped
