"""The tail: what this process has appended last, kept for a moment for whoever passes it on."""

from collections import deque
from threading import Lock

from registry.store.rows import Row
from registry.store.seal import Sealed

MOST_BYTES = 4 << 20
"""Of entries and parts; what does not fit is read from the database again."""


class Tail:
    """The last appends of this process, while somebody wants them. Shared by the writer's thread and one reader.

    It knows nothing of what other processes append, nor of what is erased: whoever reads it sees to it that nothing
    has been heard of which is not in it.
    """

    def __init__(self) -> None:
        self._appends: deque[Sealed] = deque()
        self._size = 0
        self._wanted = False
        self._lock = Lock()

    def want(self, *, wanted: bool) -> None:
        """Begin to keep what is appended, or forget it and keep nothing more."""
        with self._lock:
            self._wanted = wanted
            if not wanted:
                self._clear()

    def forget(self) -> None:
        """Forget what is kept."""
        with self._lock:
            self._clear()

    def add(self, sealed: Sealed) -> None:
        """Keep what has been committed. What does not follow on what is kept takes its place."""
        with self._lock:
            if not self._wanted:
                return
            if self._appends and self._appends[-1].positions.stop != sealed.positions.start:
                self._clear()
            self._appends.append(sealed)
            self._size += _size(sealed)
            while self._size > MOST_BYTES:
                self._size -= _size(self._appends.popleft())

    def behind(self, after: int, until: int, limit: int) -> list[Row]:
        """Give up to ``limit`` events behind a position, and forget all before it.

        Nothing, when there is none, or when it does not have all of them up to ``until``.
        """
        with self._lock:
            while self._appends and self._appends[0].positions.stop <= after + 1:
                self._size -= _size(self._appends.popleft())
            if not self._appends or self._appends[0].positions.start > after + 1:
                return []
            if self._appends[-1].positions.stop <= until:
                return []
            appends = tuple(self._appends)
        rows: list[Row] = []
        for sealed in appends:
            first = max(0, after + 1 - sealed.positions.start)
            rows += [
                row(sealed, place)
                for place in range(first, min(len(sealed.drafts), first + limit - len(rows)))
            ]
            if len(rows) >= limit:
                break
        return rows

    def _clear(self) -> None:
        self._appends.clear()
        self._size = 0


def row(sealed: Sealed, place: int) -> Row:
    """Give one event of an append as it would be read."""
    draft = sealed.drafts[place]
    return Row(
        sealed.positions[place],
        draft.source,
        draft.id,
        draft.stream,
        draft.version,
        draft.type,
        sealed.recorded_at,
        sealed.entries[place],
        sealed.leaves[place],
        dict(enumerate(draft.parts)),
    )


def _size(sealed: Sealed) -> int:
    return sum(map(len, sealed.entries)) + sum(len(part) for draft in sealed.drafts for part in draft.parts)
