"""What was shown of agreements last, kept in bytes: who asks again is answered without the database."""

from collections import OrderedDict
from datetime import date
from weakref import ReferenceType

import msgspec

from registry.access import Sight
from registry.domain.agreement import Agreement

MOST_BYTES = 64 << 20
"""Bytes of all that is kept."""

Key = tuple[str, date, Sight]


class Shown(msgspec.Struct, frozen=True):
    """What one state shows on one day to those of one sight."""

    agreement: str
    state: ReferenceType[Agreement]
    """It is much larger than what is shown of it, and kept in memory by others, or not."""
    content: bytes
    etag: str
    people: bool
    """Whether it has to do with a person."""


class Answers:
    """The answers last given, bounded by their bytes. Belongs to the event loop.

    An answer counts only for the very state that it was made from. So it is gone with whatever replaces the
    state: a later event, a change of who may see it, an erasure.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, Shown] = OrderedDict()

    def get(self, state: Agreement, on: date, sight: Sight) -> Shown | None:
        """Give what a state shows on a day, if it is kept."""
        key = state.id, on, sight
        shown = self._kept.get(key)
        if shown is None or shown.state() is not state:
            return None
        self._kept.move_to_end(key)
        return shown

    def forget(self, agreement: str) -> None:
        """Let go of what an agreement showed before something of it was erased."""
        for key in [key for key in self._kept if key[0] == agreement]:
            self._bytes -= len(self._kept.pop(key).content)

    def keep(self, on: date, sight: Sight, shown: Shown) -> None:
        """Keep what a state shows on a day, and let the longest unused answers go."""
        key = shown.agreement, on, sight
        if (before := self._kept.pop(key, None)) is not None:
            self._bytes -= len(before.content)
        self._kept[key] = shown
        self._bytes += len(shown.content)
        while self._bytes > self._most:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone.content)
