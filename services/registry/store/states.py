"""Folded states kept in memory, so that an append or a read folds only what is new."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock

from registry.domain.agreement import Agreement


class States:
    """The states last used, bounded by how many events they were folded from.

    Shared by the writer's thread and the readers'; a state that is kept here is never changed again.

    They follow the log: every state has all events of its agreement up to ``position``, but for those kept from a
    look at the log when it was shorter. What this process commits moves the position at once; what others commit
    is followed by the follower.
    """

    def __init__(self, most_events: int) -> None:
        self.position = 0
        """Up to where the states follow the log."""
        self.length = 0
        """How long the log is, as far as this process has been told."""
        self._most = most_events
        self._events = 0
        self._kept: OrderedDict[str, Agreement] = OrderedDict()
        self._behind: set[str] = set()
        """Agreements whose states need not have everything up to ``position``."""
        self._lock = Lock()

    def get(self, agreement: str) -> Agreement | None:
        """Return the newest state kept of an agreement."""
        with self._lock:
            state = self._kept.get(agreement)
            if state is not None:
                self._kept.move_to_end(agreement)
            return state

    def current(self, agreement: str) -> tuple[Agreement, int] | None:
        """Return a kept state with the position up to which it has everything; None unless that is all we know of."""
        with self._lock:
            state = self._kept.get(agreement)
            if state is None or agreement in self._behind or self.position < self.length:
                return None
            self._kept.move_to_end(agreement)
            return state, self.position

    def keep(self, state: Agreement, position: int = 0) -> None:
        """Keep a state unless a newer one of its agreement is kept, and let the longest unused ones go.

        ``position``: up to where the caller knows the state to have everything.
        """
        with self._lock:
            known = self._kept.get(state.id)
            if known is not None and known.version > state.version:
                return
            if position >= self.length:
                self._behind.discard(state.id)
            elif known is None:  # one newer than a state that follows the log follows it as well
                self._behind.add(state.id)
            if known is not None and known.version == state.version:
                return
            self._events += state.version - (known.version if known else 0)
            self._kept[state.id] = state
            self._kept.move_to_end(state.id)
            while self._events > self._most:
                id, gone = self._kept.popitem(last=False)
                self._behind.discard(id)
                self._events -= gone.version

    def forget(self, agreement: str) -> None:
        """Drop the state of an agreement, whose past has changed: a part of it was erased."""
        with self._lock:
            self._behind.discard(agreement)
            gone = self._kept.pop(agreement, None)
            if gone is not None:
                self._events -= gone.version

    def older(self, versions: Mapping[str, int]) -> list[str]:
        """Tell of which of some agreements the state that is kept may not have come to the version given with each."""
        with self._lock:
            return [
                agreement
                for agreement, version in versions.items()
                if (state := self._kept.get(agreement)) is not None
                and (state.version < version or agreement in self._behind)
            ]

    def hear(self, length: int) -> None:
        """Be told how long the log is: what was read when it was shorter is not taken for all of it."""
        with self._lock:
            self.length = max(self.length, length)

    def follow(self, before: int, position: int) -> None:
        """Be told that the kept states have everything behind ``before`` up to ``position``, which was heard of.

        Positions are dense, so it leads on only from where the states have been followed to.
        """
        with self._lock:
            if self.position >= before:
                self.position = max(self.position, position)

    @property
    def events(self) -> int:
        """How many events the kept states were folded from."""
        return self._events
