"""Folded states kept in memory, so that an append or a read folds only what is new."""

from collections import OrderedDict
from threading import Lock

from registry.domain.agreement import Agreement


class States:
    """The states last used, bounded by how many events they were folded from.

    Shared by the writer's thread and the readers'; a state that is kept here is never changed again.
    """

    def __init__(self, most_events: int) -> None:
        self._most = most_events
        self._events = 0
        self._kept: OrderedDict[str, Agreement] = OrderedDict()
        self._lock = Lock()

    def get(self, agreement: str) -> Agreement | None:
        """Return the newest state kept of an agreement."""
        with self._lock:
            state = self._kept.get(agreement)
            if state is not None:
                self._kept.move_to_end(agreement)
            return state

    def keep(self, state: Agreement) -> None:
        """Keep a state unless a newer one of its agreement is kept, and let the longest unused ones go."""
        with self._lock:
            known = self._kept.get(state.id)
            if known is not None and known.version >= state.version:
                return
            self._events += state.version - (known.version if known else 0)
            self._kept[state.id] = state
            self._kept.move_to_end(state.id)
            while self._events > self._most:
                _, gone = self._kept.popitem(last=False)
                self._events -= gone.version

    def forget(self, agreement: str) -> None:
        """Drop the state of an agreement, whose past has changed: a part of it was erased."""
        with self._lock:
            gone = self._kept.pop(agreement, None)
            if gone is not None:
                self._events -= gone.version

    @property
    def events(self) -> int:
        """How many events the kept states were folded from."""
        return self._events
