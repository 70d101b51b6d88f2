"""Who may do what, in words: the scopes, and a principal that holds some of them. Floor 0, without any I/O."""

from collections.abc import Mapping
from typing import Final

import msgspec

EVENTS_WRITE: Final = "events:write"
AGREEMENTS_READ: Final = "agreements:read"
EVENTS_READ: Final = "events:read"
PARTS_READ: Final = "parts:read"
AGREEMENTS_RESTRICTED: Final = "agreements:restricted"
LOG_AUDIT: Final = "log:audit"
ADMIN: Final = "admin"

SCOPES: Mapping[str, str] = {
    EVENTS_WRITE: "post events, of the sources and about the parties that the principal is bound to",
    AGREEMENTS_READ: "read agreements, lists, calendars and feeds, without personal values",
    EVENTS_READ: "read events, as pages and as streams, without personal values",
    PARTS_READ: "read personal values as well, wherever they stand",
    AGREEMENTS_RESTRICTED: "see that restricted agreements exist, and read them as others",
    LOG_AUDIT: "read the entries of the log, which name all agreements, sources and types",
    ADMIN: "operate: read models, erasures, keys, and corrections for another source",
}
"""Every scope and what it lets its holder do. None includes another: each is given by name."""

DEVELOPMENT: Final = "development"
ANYBODY: Final = "anybody"
KEY: Final = "key"
TOKEN: Final = "token"  # noqa: S105 - the kind of a principal, no secret


class Sight(msgspec.Struct, frozen=True):
    """How much of what is recorded a reader may see; every read that could show more takes one."""

    parts: bool = False
    """Whether personal values are shown; they are withheld otherwise, and the answer says so."""
    restricted: bool = False
    """Whether restricted agreements exist for this reader."""


EVERYTHING: Final = Sight(parts=True, restricted=True)
"""The sight of the registry's own work: projections, verification, commands on the database itself."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever asks. ``id`` alone, a random UUID, ever stands in the log."""

    id: str
    kind: str
    """``development`` (``REGISTRY_AUTH=off``), ``key``, ``token``, or ``anybody`` (``REGISTRY_PUBLIC_READ``)."""
    label: str
    scopes: frozenset[str]
    sources: tuple[str, ...] = ()
    """Sources whose events it may post: exact, or a prefix that ends in ``/``, ``:`` or ``#``; empty: any."""
    parties: tuple[str, ...] = ()
    """Parties to whose agreements it may post; empty: any."""

    @property
    def sight(self) -> Sight:
        """How much it may see."""
        return Sight(parts=PARTS_READ in self.scopes, restricted=AGREEMENTS_RESTRICTED in self.scopes)

    def may(self, scope: str) -> bool:
        """Tell whether it holds a scope."""
        return scope in self.scopes

    def may_claim_as(self, source: str) -> bool:
        """Tell whether it may post events of a source."""
        return not self.sources or any(
            source == bound or (bound[-1:] in ("/", ":", "#") and source.startswith(bound))
            for bound in self.sources
        )
